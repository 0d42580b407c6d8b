// Pure.
// Options that many tools share.
import type { OptionTable } from './options.ts'

/** Options that every command has. */
export const commonOptions = {
  help: { about: 'Prints this.' },
  version: { about: 'Prints the version of Kafka that this tool stands in for, and its own.' },
} as const satisfies OptionTable

/** Of every tool that asks a cluster. */
export const clusterOptions = {
  ...commonOptions,
  'bootstrap-server': { takes: 'host:port,…', about: 'Brokers to ask; one that answers will do.' },
  'command-config': { takes: 'file', about: 'Properties of the admin client.' },
} as const satisfies OptionTable

/** The older way to a cluster, where a tool once had it. */
export const zookeeperOption = {
  zookeeper: {
    takes: 'host:port',
    manyWords: true,
    about: 'Deprecated: a ZooKeeper (with its chroot) that knows the brokers.',
  },
} as const satisfies OptionTable

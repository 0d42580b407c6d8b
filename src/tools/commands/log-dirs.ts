// kafka-log-dirs: what lies in the log directories of brokers, as one line of JSON.
import type { BrokerLogDirs } from '../../client/admin/types.ts'
import { KafkaError } from '../../client/errors.ts'
import { withCluster } from '../cluster-tool.ts'
import { clusterOptions } from '../common-options.ts'
import { exceptionText } from '../java-names.ts'
import { OptionError, type Options, type OptionTable } from '../options.ts'
import { write } from '../output.ts'
import { byPartition } from '../partitions.ts'
import type { Command, Tool } from '../tool.ts'

const options = {
  ...clusterOptions,
  describe: { about: 'Prints the log directories.' },
  'topic-list': { takes: 'a,b', about: 'Only these topics.' },
  'broker-list': { takes: '0,1', about: 'Only these brokers.' },
} as const satisfies OptionTable

export const logDirsCommand: Command<typeof options> = {
  name: 'kafka-log-dirs',
  className: 'org.apache.kafka.tools.LogDirsCommand',
  about: 'Prints the sizes of replicas by broker and log directory.',
  options,
  run,
}

function run(given: Options<typeof options>, tool: Tool): Promise<number> {
  given.required('bootstrap-server')
  if (!given.has('describe')) throw new OptionError('Missing required argument "[describe]"')
  const wanted = idsFrom(given.text('broker-list') ?? '')
  const topics = new Set((given.text('topic-list') ?? '').split(',').filter((one) => one !== ''))
  const whereabouts = {
    brokers: given.text('bootstrap-server'),
    config: given.text('command-config'),
    clientId: 'adminclient-1',
  }
  const { stdout, stderr } = tool.context
  return withCluster(tool, whereabouts, async (client) => {
    try {
      const admin = client.clusterAdmin()
      const { brokers } = await admin.describeCluster()
      const there = brokers.map(({ nodeId }) => nodeId).sort((one, other) => one - other)
      const missing = wanted.filter((id) => !there.includes(id))
      if (missing.length > 0) {
        stderr.write(
          `ERROR: The given brokers do not exist from --broker-list: ${missing.join(',')}.` +
            ` Current existent brokers: ${there.join(',')}\n`,
        )
        return 1
      }
      const ids = wanted.length > 0 ? wanted : there
      await write(stdout, 'Querying brokers for log directories information\n')
      const found = await admin.describeLogDirs(ids)
      const failed = found.find(({ error }) => error !== undefined)
      if (failed?.error !== undefined) throw failed.error
      await write(
        stdout,
        `Received log directory information from brokers ${ids.join(',')}\n${logDirsJson(found, topics)}\n`,
      )
      return 0
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      stderr.write(`${exceptionText(error)}\n`)
      return 1
    }
  })
}

function idsFrom(text: string): number[] {
  const words = text.split(',').filter((one) => one.trim() !== '')
  return words.map((word) => {
    if (/^\s*\d+\s*$/.test(word)) return Number(word)
    throw new OptionError(`--broker-list: ${word} is no broker id`)
  })
}

/** @param topics only these; all where there are none */
export function logDirsJson(
  brokers: readonly BrokerLogDirs[],
  topics: ReadonlySet<string>,
): string {
  return JSON.stringify({
    brokers: brokers.map(({ nodeId, logDirs }) => ({
      broker: nodeId,
      logDirs: logDirs.map(({ path, error, replicas }) => ({
        partitions: replicas
          .filter(({ topic }) => topics.size === 0 || topics.has(topic))
          .sort(byPartition)
          .map(({ topic, partition, sizeBytes, offsetLag, isFuture }) => {
            return { partition: `${topic}-${partition}`, size: sizeBytes, offsetLag, isFuture }
          }),
        error: error === undefined ? null : exceptionText(error),
        logDir: path,
      })),
    })),
    version: 1,
  })
}

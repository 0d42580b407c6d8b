/** The settings of a coordination server, under the names they have in zoo.cfg. */
import { parseProperties } from '../../runtime/properties.ts'
import { UserError } from '../../runtime/service.ts'
import {
  boolean,
  defineSettings,
  int,
  list,
  long,
  type Password,
  password,
  string,
} from '../../runtime/settings.ts'

export interface CoordinationSettings {
  /** Snapshots go to its folder version-2. */
  readonly dataDirectory: string
  /** Transaction logs go to its folder version-2. */
  readonly logDirectory: string
  /** Empty: all interfaces. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly tickMs: number
  readonly sessionTimeoutMsMin: number
  readonly sessionTimeoutMsMax: number
  /** Connections of one address; 0: no limit. */
  readonly connectionsPerAddressMax: number
  /** A larger packet closes its connection. */
  readonly packetBytesMax: number
  /** Requests of all clients together, on their way to the disk. */
  readonly requestsUnderWayMax: number
  readonly snapCount: number
  readonly preallocateBytes: number
  readonly forceSync: boolean
  readonly fourLetterWords: ReadonlySet<string> | 'all'
  /** Snapshots kept by the purge. */
  readonly snapshotsRetained: number
  /** 0: never. */
  readonly purgeIntervalMs: number
  /** `user:hash` that may do everything; empty: nobody. */
  readonly superDigest: Password
  /** Whether there may be nodes with a time to live. */
  readonly extendedTypes: boolean
  readonly enforceQuota: boolean
  readonly reconfigEnabled: boolean
  /** How often containers and nodes with a time to live are looked at. */
  readonly containerCheckMs: number
  readonly containersPerMinuteMax: number
  /** A container that never had a child goes after this long; 0: never. */
  readonly containerNeverUsedMs: number
  /** Undefined: no admin server. */
  readonly admin: AdminSettings | undefined
}

export interface AdminSettings {
  readonly host: string
  readonly port: number
  /** The path in front of each command. */
  readonly commandUrl: string
  readonly idleTimeoutMs: number
}

export const zooCfg = defineSettings(
  {
    dataDir: string({ required: true, nonEmpty: true, about: 'Where snapshots are kept.' }),
    dataLogDir: string({
      default: null,
      about: 'Where transaction logs are kept; default dataDir.',
    }),
    clientPort: int({ default: 2181, min: 0, max: 65535, about: 'Where clients connect.' }),
    clientPortAddress: string({ default: '', about: 'The address to listen on; default all.' }),
    tickTime: int({ default: 3000, min: 1, about: 'The unit of session times, in milliseconds.' }),
    minSessionTimeout: int({ default: -1, about: 'Milliseconds; -1 is two ticks.' }),
    maxSessionTimeout: int({ default: -1, about: 'Milliseconds; -1 is twenty ticks.' }),
    maxClientCnxns: int({ default: 60, min: 0, about: 'Connections of one address; 0: no limit.' }),
    'jute.maxbuffer': int({ default: 0xfffff, min: 1024, about: 'Largest packet in bytes.' }),
    snapCount: int({ default: 100_000, min: 2, about: 'Transactions between two snapshots.' }),
    preAllocSize: int({ default: 65_536, min: 0, about: 'Step in which logs grow, in KB.' }),
    forceSync: string({
      default: 'yes',
      oneOf: ['yes', 'no'],
      about: 'Whether answers wait until the disk has the transaction.',
    }),
    '4lw.commands.whitelist': list({
      default: 'srvr',
      about: 'Four-letter words that are answered; * for all.',
    }),
    'autopurge.snapRetainCount': int({ default: 3, about: 'Snapshots that a purge keeps.' }),
    'autopurge.purgeInterval': int({ default: 0, about: 'Hours between purges; 0: never.' }),
    'DigestAuthenticationProvider.superDigest': password({
      default: '',
      about: 'user:hash that may do everything.',
    }),
    'admin.enableServer': boolean({
      default: true,
      about: 'Whether commands are answered by HTTP.',
    }),
    'admin.serverAddress': string({ default: '0.0.0.0', about: 'Where the admin server listens.' }),
    'admin.serverPort': int({ default: 8080, min: 0, max: 65535, about: 'Its port; 0: any.' }),
    'admin.commandURL': string({ default: '/commands', about: 'The path above the commands.' }),
    'admin.idleTimeout': int({
      default: 30_000,
      min: 1,
      about: 'Milliseconds an idle connection stays.',
    }),
    extendedTypesEnabled: boolean({ default: false, about: 'Nodes with a time to live.' }),
    enforceQuota: boolean({ default: false, about: 'Whether hard quotas are refused beyond.' }),
    'znode.container.checkIntervalMs': int({
      default: 60_000,
      min: 1,
      about: 'How often containers and nodes with a time to live are looked at.',
    }),
    'znode.container.maxPerMinute': int({
      default: 10_000,
      min: 1,
      about: 'How many of those are removed in a minute.',
    }),
    'znode.container.maxNeverUsedIntervalMs': long({
      default: 0,
      min: 0,
      about: 'A container that never had a child goes after this long; 0: never.',
    }),
    initLimit: int({ default: 10, about: 'Of ensembles: without effect.' }),
    syncLimit: int({ default: 5, about: 'Of ensembles: without effect.' }),
    globalOutstandingLimit: int({
      default: 1000,
      about: 'Requests under way, above which who has one there must wait for it.',
    }),
    standaloneEnabled: boolean({ default: true, about: 'Of ensembles: without effect.' }),
    reconfigEnabled: boolean({
      default: false,
      about: 'Of ensembles: what reconfig is refused with.',
    }),
    secureClientPort: int({ default: null, support: 'refused', about: 'TLS.' }),
  },
  { foreignPrefixes: ['server.', 'metricsProvider.', 'peerType', 'quorum'] },
)

/** What a text of zoo.cfg says, and sentences for the log. @throws UserError */
export function parseZooCfg(text: string): {
  readonly settings: CoordinationSettings
  readonly warnings: readonly string[]
} {
  const properties = withoutPrefix(parseProperties(text))
  const servers = Object.keys(properties).filter((name) => /^server\.\d+$/.test(name))
  if (servers.length > 1) {
    throw new UserError(
      `${servers.join(', ')}: an ensemble needs Apache ZooKeeper; this server stands alone. Copy the ` +
        'dataDir there and point zookeeper.connect at it.',
    )
  }
  for (const scheme of ['authProvider', 'quorum.auth.enableSasl', 'requireClientAuthScheme']) {
    const name = Object.keys(properties).find((key) => key.startsWith(scheme))
    if (name !== undefined && properties[name] !== 'false') {
      throw new UserError(`${name} is not supported yet; remove it to start without it.`)
    }
  }
  if ((properties['dataDir'] ?? '') === '') throw new UserError('dataDir is not set')
  const { values, warnings } = zooCfg.parse(properties)
  const { tickTime, minSessionTimeout, maxSessionTimeout } = values
  const sessionTimeoutMsMin = minSessionTimeout === -1 ? 2 * tickTime : minSessionTimeout
  const sessionTimeoutMsMax = maxSessionTimeout === -1 ? 20 * tickTime : maxSessionTimeout
  if (sessionTimeoutMsMin > sessionTimeoutMsMax) {
    throw new UserError('minSessionTimeout must not be larger than maxSessionTimeout')
  }
  const dataDirectory = values.dataDir ?? ''
  const words = values['4lw.commands.whitelist']
  const settings: CoordinationSettings = {
    dataDirectory,
    logDirectory: values.dataLogDir ?? dataDirectory,
    host: values.clientPortAddress,
    port: values.clientPort,
    tickMs: tickTime,
    sessionTimeoutMsMin,
    sessionTimeoutMsMax,
    connectionsPerAddressMax: values.maxClientCnxns,
    packetBytesMax: values['jute.maxbuffer'],
    requestsUnderWayMax: values.globalOutstandingLimit,
    snapCount: values.snapCount,
    preallocateBytes: values.preAllocSize * 1024,
    forceSync: values.forceSync === 'yes',
    fourLetterWords: words.includes('*') ? 'all' : new Set(words),
    // The original keeps three at the least.
    snapshotsRetained: Math.max(3, values['autopurge.snapRetainCount']),
    purgeIntervalMs: values['autopurge.purgeInterval'] * 3_600_000,
    superDigest: values['DigestAuthenticationProvider.superDigest'],
    extendedTypes: values.extendedTypesEnabled,
    enforceQuota: values.enforceQuota,
    reconfigEnabled: values.reconfigEnabled,
    containerCheckMs: values['znode.container.checkIntervalMs'],
    containersPerMinuteMax: values['znode.container.maxPerMinute'],
    containerNeverUsedMs: values['znode.container.maxNeverUsedIntervalMs'],
    admin: values['admin.enableServer']
      ? {
          host: values['admin.serverAddress'],
          port: values['admin.serverPort'],
          commandUrl: values['admin.commandURL'],
          idleTimeoutMs: values['admin.idleTimeout'],
        }
      : undefined,
  }
  return { settings, warnings }
}

/** `zookeeper.X`, a name of Java's system properties, says the same as `X`. */
function withoutPrefix(properties: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(properties)
  return Object.fromEntries(
    entries.map(([name, value]) => [name.replace(/^zookeeper\./, ''), value]),
  )
}

/** The defaults, for servers inside another process: only the directory must be said. */
export function coordinationSettings(
  given: Partial<CoordinationSettings> & { readonly dataDirectory: string },
): CoordinationSettings {
  const { settings } = parseZooCfg(`dataDir=unused`)
  return { ...settings, logDirectory: given.dataDirectory, ...given }
}

// Pure.
// The commands of four letters that operators and scripts send instead of a connect request.
import type { CoordinationSettings } from './settings.ts'

export const VERSION = '3.8.4-millrace, built on 2026-11-23 00:00 UTC'

/** What the answers tell. */
export interface ServerStatus {
  readonly settings: CoordinationSettings
  readonly port: number
  readonly latency: { readonly min: number; readonly average: number; readonly max: number }
  readonly received: number
  readonly sent: number
  readonly outstanding: number
  readonly zxid: bigint
  readonly nodeCount: number
  readonly ephemeralCount: number
  readonly dataBytes: number
  readonly watchCount: number
  readonly watchPathCount: number
  readonly watcherCount: number
  readonly sessions: readonly { readonly id: bigint; readonly timeoutMs: number }[]
  readonly connections: readonly ConnectionStatus[]
}

export interface ConnectionStatus {
  readonly address: string
  readonly port: number
  /** 0 before there is one. */
  readonly session: bigint
  readonly timeoutMs: number
  readonly received: number
  readonly sent: number
  readonly queued: number
}

const words: Readonly<Record<string, (status: ServerStatus) => string>> = {
  ruok: () => 'imok',
  isro: () => 'rw',
  srvr: (status) => `Zookeeper version: ${VERSION}\n${statistics(status)}`,
  stat: (status) => {
    const clients = status.connections.map((one) => `${clientLine(one, false)}\n`).join('')
    return `Zookeeper version: ${VERSION}\nClients:\n${clients}\n${statistics(status)}`
  },
  cons: ({ connections }) => `${connections.map((one) => `${clientLine(one, true)}\n`).join('')}\n`,
  conf,
  mntr,
  dirs: ({ dataBytes }) => `datadir_size: ${dataBytes}\nlogdir_size: 0\n`,
  wchs: ({ watcherCount, watchPathCount, watchCount }) =>
    `${watcherCount} connections watching ${watchPathCount} paths\nTotal watches:${watchCount}\n`,
  dump: ({ sessions }) =>
    `SessionTracker dump:\nSession Sets (${sessions.length}):\n` +
    sessions.map(({ id, timeoutMs }) => `0x${hex(id)}\t${timeoutMs}ms\n`).join(''),
  envi: () => `Environment:\nzookeeper.version=${VERSION}\n`,
}

/**
 * The answer to the four letters that stand where a packet's size should, or undefined where they are no
 * command at all.
 */
export function fourLetterAnswer(
  sizeBytes: number,
  status: () => ServerStatus,
): string | undefined {
  const letters = Buffer.alloc(4)
  letters.writeInt32BE(sizeBytes)
  const word = letters.toString('latin1')
  const answer = Object.hasOwn(words, word) ? words[word] : undefined
  if (answer === undefined) return undefined
  const now = status()
  const { fourLetterWords } = now.settings
  if (fourLetterWords !== 'all' && !fourLetterWords.has(word)) {
    return `${word} is not executed because it is not in the whitelist.\n`
  }
  return answer(now)
}

function hex(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16)
}

function latencyText({ latency: { min, average, max } }: ServerStatus): string {
  return `${min}/${average.toFixed(4).replace(/0{1,3}$/, '')}/${max}`
}

function statistics(status: ServerStatus): string {
  return [
    `Latency min/avg/max: ${latencyText(status)}`,
    `Received: ${status.received}`,
    `Sent: ${status.sent}`,
    `Connections: ${status.connections.length}`,
    `Outstanding: ${status.outstanding}`,
    `Zxid: 0x${hex(status.zxid)}`,
    'Mode: standalone',
    `Node count: ${status.nodeCount}`,
    '',
  ].join('\n')
}

function clientLine(one: ConnectionStatus, full: boolean): string {
  const counts = `queued=${one.queued},recved=${one.received},sent=${one.sent}`
  const session = full && one.session !== 0n ? `,sid=0x${hex(one.session)},to=${one.timeoutMs}` : ''
  return ` /${one.address}:${one.port}[${one.session === 0n ? 0 : 1}](${counts}${session})`
}

function conf({ settings, port }: ServerStatus): string {
  return [
    `clientPort=${port}`,
    'secureClientPort=-1',
    `dataDir=${settings.dataDirectory}/version-2`,
    `dataDirSize=0`,
    `dataLogDir=${settings.logDirectory}/version-2`,
    `dataLogSize=0`,
    `tickTime=${settings.tickMs}`,
    `maxClientCnxns=${settings.connectionsPerAddressMax}`,
    `minSessionTimeout=${settings.sessionTimeoutMsMin}`,
    `maxSessionTimeout=${settings.sessionTimeoutMsMax}`,
    'clientPortListenBacklog=-1',
    'serverId=0',
    '',
  ].join('\n')
}

function mntr(status: ServerStatus): string {
  const { latency } = status
  const values: readonly (readonly [name: string, value: string | number])[] = [
    ['version', VERSION],
    ['server_state', 'standalone'],
    ['avg_latency', latency.average],
    ['max_latency', latency.max],
    ['min_latency', latency.min],
    ['packets_received', status.received],
    ['packets_sent', status.sent],
    ['num_alive_connections', status.connections.length],
    ['outstanding_requests', status.outstanding],
    ['znode_count', status.nodeCount],
    ['watch_count', status.watchCount],
    ['ephemerals_count', status.ephemeralCount],
    ['approximate_data_size', status.dataBytes],
    ['global_sessions', status.sessions.length],
    ['last_processed_zxid', status.zxid.toString()],
  ]
  return values.map(([name, value]) => `zk_${name}\t${value}\n`).join('')
}

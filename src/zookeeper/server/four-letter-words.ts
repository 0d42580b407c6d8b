// Pure.
// The commands of four letters that operators and scripts send instead of a connect request.
import {
  averageText,
  type ConnectionView,
  hex,
  readings,
  type ServerView,
  sessionsByExpiry,
  shownNodeCount,
  VERSION,
} from './server-view.ts'

const words: Readonly<Record<string, (view: ServerView) => string>> = {
  ruok: () => 'imok',
  isro: () => 'rw',
  srvr: (view) => `Zookeeper version: ${VERSION}\n${statistics(view)}`,
  stat: (view) => {
    const clients = view.connections.map((one) => `${clientLine(one)}\n`).join('')
    return `Zookeeper version: ${VERSION}\nClients:\n${clients}\n${statistics(view)}`
  },
  cons: ({ connections }) => `${connections.map((one) => `${fullLine(one)}\n`).join('')}\n`,
  crst: (view) => {
    view.resetConnectionStatistics()
    return 'Connection stats reset.\n'
  },
  srst: (view) => {
    view.resetStatistics()
    return 'Server stats reset.\n'
  },
  conf,
  mntr: (view) => {
    const lines = readings(view).map(([name, value]) => `zk_${name}\t${value}\n`)
    return lines.join('')
  },
  dirs: (view) => {
    const { data, log } = view.directorySizes()
    return `datadir_size: ${data}\nlogdir_size: ${log}\n`
  },
  wchs: ({ watches }) => {
    const summary = watches.summary()
    const { watchers, paths } = summary
    return `${watchers} connections watching ${paths} paths\nTotal watches:${summary.watches}\n`
  },
  wchc: ({ watches }) => {
    const groups = Array.from(watches.byWatcher(), ([{ sessionId }, paths]) =>
      group(`0x${hex(sessionId)}`, paths),
    )
    return `${groups.join('')}\n`
  },
  wchp: ({ watches }) => {
    const groups = Array.from(watches.byPath(), ([path, watchers]) =>
      group(
        path,
        Array.from(watchers.keys(), ({ sessionId }) => `0x${hex(sessionId)}`),
      ),
    )
    return `${groups.join('')}\n`
  },
  dump,
  envi: ({ environment }) => {
    const lines = Array.from(environment, ([name, value]) => `${name}=${value}\n`)
    return `Environment:\nzookeeper.version=${VERSION}\n${lines.join('')}`
  },
  gtmk: ({ tracing }) => String(tracing.mask),
  // The mask that should follow is not waited for: nothing is traced here.
  stmk: ({ tracing }) => String(tracing.mask),
  // Digests of the tree are not kept, as in an Apache ZooKeeper of which none was asked.
  hash: () => '',
}

/**
 * The answer to the four letters that stand where a packet's size should, or undefined where they are no
 * command at all.
 */
export function fourLetterAnswer(sizeBytes: number, view: () => ServerView): string | undefined {
  const letters = Buffer.alloc(4)
  letters.writeInt32BE(sizeBytes)
  const word = letters.toString('latin1')
  const answer = Object.hasOwn(words, word) ? words[word] : undefined
  if (answer === undefined) return undefined
  const now = view()
  const { fourLetterWords } = now.settings
  if (fourLetterWords !== 'all' && !fourLetterWords.has(word)) {
    return `${word} is not executed because it is not in the whitelist.\n`
  }
  return answer(now)
}

function group(head: string, lines: Iterable<string>): string {
  return `${head}\n${Array.from(lines, (line) => `\t${line}\n`).join('')}`
}

function statistics(view: ServerView): string {
  const { latency, received, sent } = view.counters
  const shown = `${latency.min}/${averageText(latency.average)}/${latency.max}`
  return [
    `Latency min/avg/max: ${shown}`,
    `Received: ${received}`,
    `Sent: ${sent}`,
    `Connections: ${view.connections.length}`,
    `Outstanding: ${view.outstanding}`,
    `Zxid: 0x${hex(view.lastZxid)}`,
    'Mode: standalone',
    `Node count: ${shownNodeCount(view.tree)}`,
    '',
  ].join('\n')
}

function clientLine(one: ConnectionView, more = ''): string {
  const counts = `queued=${one.queued},recved=${one.statistics.received},sent=${one.statistics.sent}`
  return ` /${one.address}:${one.port}[${one.sessionId === 0n ? 0 : 1}](${counts}${more})`
}

function fullLine(one: ConnectionView): string {
  if (one.sessionId === 0n) return clientLine(one)
  const { latency } = one.statistics
  const values: readonly (readonly [string, string | number])[] = [
    ['sid', `0x${hex(one.sessionId)}`],
    ['lop', one.statistics.lastOperation],
    ['est', one.establishedAt],
    ['to', one.timeoutMs],
    ['lcxid', `0x${(one.statistics.lastCxid >>> 0).toString(16)}`],
    ['lzxid', `0x${hex(one.statistics.lastZxid)}`],
    ['lresp', Math.floor(one.statistics.lastResponseAt)],
    ['llat', Math.floor(one.statistics.lastLatencyMs)],
    ['minlat', latency.min],
    ['avglat', Math.floor(latency.average)],
    ['maxlat', latency.max],
  ]
  return clientLine(one, values.map(([name, value]) => `,${name}=${value}`).join(''))
}

function conf(view: ServerView): string {
  const { settings } = view
  const { data, log } = view.directorySizes()
  return [
    `clientPort=${view.port}`,
    'secureClientPort=-1',
    `dataDir=${settings.dataDirectory}/version-2`,
    `dataDirSize=${data}`,
    `dataLogDir=${settings.logDirectory}/version-2`,
    `dataLogSize=${log}`,
    `tickTime=${settings.tickMs}`,
    `maxClientCnxns=${settings.connectionsPerAddressMax}`,
    `minSessionTimeout=${settings.sessionTimeoutMsMin}`,
    `maxSessionTimeout=${settings.sessionTimeoutMsMax}`,
    'clientPortListenBacklog=-1',
    'serverId=0',
    '',
  ].join('\n')
}

/** As java.util.Date prints it: `Mon Nov 23 03:34:06 UTC 2026`. */
function dateText(time: number): string {
  const [day = '', date, month, year, clock] = new Date(time).toUTCString().split(' ')
  return `${day.slice(0, 3)} ${month} ${date} ${clock} UTC ${year}`
}

function dump(view: ServerView): string {
  const { tree, sessions, connections } = view
  const wall = (end: number): string => dateText(Math.round(view.now + end - view.monotonicMs))
  const sets = sessionsByExpiry(sessions)
  const byEnd = Map.groupBy(connections, ({ expiresAt }) => expiresAt)
  const owners = [...tree.owners()]
  return [
    'SessionTracker dump:\n',
    `Session Sets (${sets.length})/(${sessions.size}):\n`,
    ...sets.map(([end, ids]) =>
      group(
        `${ids.length} expire at ${wall(end)}:`,
        ids.map((id) => `0x${hex(id)}`),
      ),
    ),
    'ephemeral nodes dump:\n',
    `Sessions with Ephemerals (${owners.length}):\n`,
    ...owners.map((owner) => group(`0x${hex(owner)}:`, tree.ephemeralsOf(owner))),
    'Connections dump:\n',
    `Connections Sets (${byEnd.size})/(${connections.length}):\n`,
    ...Array.from(byEnd, ([end, ones]) =>
      group(
        `${ones.length} expire at ${wall(end)}:`,
        ones.map((one) => `ip: /${one.address}:${one.port} sessionId: 0x${hex(one.sessionId)}`),
      ),
    ),
  ].join('')
}

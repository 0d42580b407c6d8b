// Pure.
// zookeeper.connect: `host1:port1,host2:port2/chroot`.

export interface ServerAddress {
  readonly host: string
  readonly port: number
}

export interface ConnectString {
  readonly servers: readonly ServerAddress[]
  /** Empty, or a path without a slash at its end: everything happens below it. */
  readonly chroot: string
}

const DEFAULT_PORT = 2181

/** @throws RangeError that names what is wrong. */
export function parseConnectString(text: string): ConnectString {
  const slash = text.indexOf('/')
  const hosts = slash === -1 ? text : text.slice(0, slash)
  const chroot = slash === -1 ? '' : text.slice(slash).replace(/\/+$/, '')
  const servers = hosts
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .map(parseAddress)
  if (servers.length === 0) throw new RangeError(`no server in the connect string "${text}"`)
  return { servers, chroot }
}

/** `host`, `host:port`, `[v6]:port`. */
function parseAddress(text: string): ServerAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3])
  if (host === undefined || port > 65535) {
    throw new RangeError(`"${text}" in the connect string is not host:port`)
  }
  return { host, port }
}

export function addressText({ host, port }: ServerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

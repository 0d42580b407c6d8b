// Pure. IP addresses as 32 hexadecimal digits, IPv4 mapped into IPv6: they sort as addresses do.

/** Undefined for what is no address. */
export function parseAddress(text: string): string | undefined {
  const four = parseFour(text)
  if (four !== undefined) return `00000000000000000000ffff${four}`
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  if (tail !== null) {
    const last = parseFour(tail[2] ?? '')
    if (last === undefined) return undefined
    return parseSix(`${tail[1]}${last.slice(0, 4)}:${last.slice(4)}`)
  }
  return parseSix(text)
}

function parseFour(text: string): string | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return undefined
  let hex = ''
  for (const part of match.slice(1)) {
    if (Number(part) > 255) return undefined
    hex += Number(part).toString(16).padStart(2, '0')
  }
  return hex
}

function parseSix(text: string): string | undefined {
  if (!/^[0-9a-fA-F:]*$/.test(text)) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const groups = (half: string | undefined): string[] =>
    half === undefined || half === '' ? [] : half.split(':')
  const head = groups(halves[0])
  const tail = groups(halves[1])
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const all = [...head, ...Array.from({ length: Math.max(missing, 0) }, () => '0'), ...tail]
  if (all.some((group) => group.length < 1 || group.length > 4)) return undefined
  return all.map((group) => group.toLowerCase().padStart(4, '0')).join('')
}

/** The usual text form: dotted for mapped IPv4, RFC 5952 for the rest. */
export function formatAddress(hex: string): string {
  if (hex.startsWith('00000000000000000000ffff')) {
    const bytes = hex.slice(24).match(/../g) ?? []
    return bytes.map((byte) => Number.parseInt(byte, 16)).join('.')
  }
  const groups = (hex.match(/.{4}/g) ?? []).map((group) => group.replace(/^0{1,3}/, ''))
  const runs = [...groups.join(':').matchAll(/(?:^|:)(0(?::0)+)(?=:|$)/g)]
  const longest = runs.sort((a, b) => (b[1]?.length ?? 0) - (a[1]?.length ?? 0))[0]
  const joined = groups.join(':')
  if (longest === undefined) return joined
  const start = longest.index
  return `${joined.slice(0, start)}::${joined.slice(start + longest[0].length + 1)}`
}

/** First and last address of a CIDR block, or undefined. */
export function parseBlock(text: string): { first: string; last: string } | undefined {
  const match = /^(.+)\/(\d{1,3})$/.exec(text)
  const address = match === null ? undefined : parseAddress(match[1] ?? '')
  if (match === null || address === undefined) return undefined
  const bits = Number(match[2]) + (address.startsWith('00000000000000000000ffff') ? 96 : 0)
  if (bits > 128) return undefined
  const value = BigInt(`0x${address}`)
  const mask = (1n << BigInt(128 - bits)) - 1n
  const hex = (part: bigint): string => part.toString(16).padStart(32, '0')
  return { first: hex(value & ~mask), last: hex(value | mask) }
}

/** The address after this one; undefined after the very last. */
export function nextAddress(hex: string): string | undefined {
  const next = BigInt(`0x${hex}`) + 1n
  return next >> 128n === 0n ? next.toString(16).padStart(32, '0') : undefined
}

// Pure. The usual hex dump: position, sixteen bytes, and what of them is printable.

/** Takes lower-case hex without separators. */
export function hexDump(hex: string): string {
  const lines: string[] = []
  for (let start = 0; start < hex.length; start += 32) {
    const bytes = hex.slice(start, start + 32).match(/../g) ?? []
    const left = bytes.slice(0, 8).join(' ')
    const right = bytes.slice(8).join(' ')
    const text = bytes.map(printable).join('')
    lines.push(
      `${(start / 2).toString(16).padStart(8, '0')}  ${`${left}  ${right}`.padEnd(48)}  ${text}`,
    )
  }
  return lines.join('\n')
}

function printable(byte: string): string {
  const code = Number.parseInt(byte, 16)
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '·'
}

// Pure. Dissect: text cut at fixed delimiters, without regular expressions.

/** A mapping that no text can be cut by. */
export class DissectError extends Error {
  override readonly name = 'DissectError'
}

interface Part {
  readonly name: string
  readonly kind: 'plain' | 'skip' | 'append' | 'indirect'
  /** Place among the parts appended to the same field. */
  readonly order: number
  /** What stands before the field and after it; '' at the text's end. */
  readonly before: string
  readonly after: string
  /** `->`: the delimiter behind may be repeated. */
  readonly padded: boolean
}

export interface Dissector {
  /** The names of fields with their texts, in the order of the mapping; undefined: it does not fit. */
  dissect(text: string): ReadonlyMap<string, string> | undefined
}

/**
 * `%{a} %{+a/2} %{?skipped} %{&named by the value of ?} %{padded->}`, as the filter dissect of
 * Logstash and Filebeat's processor have it. @throws DissectError
 */
export function compileDissect(mapping: string): Dissector {
  const fields = [...mapping.matchAll(/%\{([^}]*)\}/g)]
  const [first] = fields
  if (first === undefined) throw new DissectError(`there is no %{field} in "${mapping}"`)
  const leading = mapping.slice(0, first.index)
  let before = leading
  const parts = fields.map((match, at): Part => {
    const end = match.index + match[0].length
    const after = mapping.slice(end, fields[at + 1]?.index ?? mapping.length)
    const part = parsePart(match[1] ?? '', { before, after })
    before = after
    if (after === '' && at < fields.length - 1) {
      throw new DissectError(`two fields without a delimiter between them in "${mapping}"`)
    }
    return part
  })
  return {
    dissect(text) {
      const values = cut(text, leading, parts)
      return values === undefined ? undefined : fieldsOf(parts, values)
    },
  }
}

function parsePart(
  text: string,
  around: { readonly before: string; readonly after: string },
): Part {
  const padded = text.endsWith('->')
  const body = padded ? text.slice(0, -2) : text
  const mark = body.charAt(0)
  if (mark === '+') {
    const [, name = '', order = '0'] = /^\+(.*?)(?:\/(\d+))?$/s.exec(body) ?? []
    return { ...around, name, kind: 'append', order: Number(order), padded }
  }
  const name = body.replace(/^[?&]/, '').replace(/\/\d+$/, '')
  const order = Number(/\/(\d+)$/.exec(body)?.[1] ?? 0)
  if (mark === '&') return { ...around, name, kind: 'indirect', order, padded }
  const kind = mark === '?' || body === '' ? 'skip' : 'plain'
  return { ...around, name, kind, order, padded }
}

function cut(text: string, leading: string, parts: readonly Part[]): string[] | undefined {
  if (!text.startsWith(leading)) return undefined
  const values: string[] = []
  let from = leading.length
  for (const { after, padded } of parts) {
    const end = after === '' ? text.length : text.indexOf(after, from)
    if (end < 0) return undefined
    values.push(text.slice(from, end))
    from = end + after.length
    while (padded && after !== '' && text.startsWith(after, from)) from += after.length
  }
  return values
}

function fieldsOf(parts: readonly Part[], values: readonly string[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  const skipped = new Map<string, string>()
  const appended = new Map<string, { part: Part; value: string }[]>()
  for (const [at, part] of parts.entries()) {
    const value = values[at] ?? ''
    if (part.kind === 'skip') {
      skipped.set(part.name, value)
      continue
    }
    if (part.kind === 'indirect') continue
    const pieces = appended.get(part.name)
    if (pieces === undefined || part.kind === 'plain') appended.set(part.name, [{ part, value }])
    else pieces.push({ part, value })
  }
  for (const [name, pieces] of appended) {
    const ordered = pieces.toSorted((a, b) => a.part.order - b.part.order)
    const joined = ({ part, value }: { part: Part; value: string }): string =>
      (part.before === '' ? ' ' : part.before) + value
    const texts = ordered.map((piece, at) => (at === 0 ? piece.value : joined(piece)))
    fields.set(name, texts.join(''))
  }
  for (const [at, part] of parts.entries()) {
    if (part.kind !== 'indirect') continue
    const name = skipped.get(part.name) ?? fields.get(part.name) ?? ''
    if (name !== '') fields.set(name, values[at] ?? '')
  }
  return fields
}

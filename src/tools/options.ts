// Pure.
// One parser of command lines for all tools. Options are declared as tables; parsing, help and the
// guess at what a misspelt option meant come from them. Rules and texts are those of the parser that
// the original's tools use: an option that needs a value takes the next word whatever it looks like
// (`--offset -2`), `--name=value` works, and so does any beginning of a name that is unambiguous.

export interface OptionRow {
  /** What its value is, as help shows it. Absent: the option takes no value. */
  readonly takes?: string
  /** The value may be left out. */
  readonly valueOptional?: true
  /** May be given more than once. */
  readonly repeated?: true
  /** Takes all words up to the next option. */
  readonly manyWords?: true
  readonly about: string
}

export type OptionTable = Readonly<Record<string, OptionRow>>

/** A command line that cannot be meant so. Printed with a hint at --help; exit 1. */
export class OptionError extends Error {
  override readonly name = 'OptionError'
}

/** What was given on a command line whose options are the keys of T. */
export class Options<T extends OptionTable> {
  readonly #given: ReadonlyMap<string, readonly string[]>
  /** Words that belong to no option. */
  readonly words: readonly string[]
  /** Names of options as often and in the order as they were given. */
  readonly order: readonly string[]

  constructor(
    given: ReadonlyMap<string, readonly string[]>,
    words: readonly string[],
    order: readonly string[] = [],
  ) {
    this.#given = given
    this.words = words
    this.order = order
  }

  has(name: keyof T & string): boolean {
    return this.#given.has(name)
  }

  /** Every value given, in order. */
  texts(name: keyof T & string): readonly string[] {
    return this.#given.get(name) ?? []
  }

  /** undefined where the option or its value is not given. @throws OptionError for two values */
  text(name: keyof T & string): string | undefined {
    const values = this.texts(name)
    if (values.length < 2) return values[0]
    throw new OptionError(`Found multiple arguments for option ${name}, but you asked for only one`)
  }

  /** @throws OptionError where it is not given */
  required(name: keyof T & string): string {
    const value = this.text(name)
    if (value === undefined) throw new OptionError(`Missing required argument "[${name}]"`)
    return value
  }

  /** A whole number of 32 or more bits, as exact as a JavaScript number. @throws OptionError */
  integer(name: keyof T & string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : NaN
    if (Number.isSafeInteger(value)) return value
    throw new OptionError(`Cannot parse argument '${text}' of option ${name}`)
  }
}

/** @throws OptionError for options that are unknown or lack their value */
export function parseOptions<T extends OptionTable>(
  table: T,
  commandLine: readonly string[],
): Options<T> {
  const given = new Map<string, string[]>()
  const loose: string[] = []
  const order: string[] = []
  let at = 0
  while (at < commandLine.length) {
    const word = commandLine[at++] ?? ''
    if (word === '--') {
      loose.push(...commandLine.slice(at))
      break
    }
    if (!looksLikeOption(table, word)) {
      loose.push(word)
      continue
    }
    const equals = word.indexOf('=')
    const written = word.slice(0, equals < 0 ? word.length : equals).replace(/^--?/, '')
    const name = fullName(table, written)
    const row = table[name]
    const values = given.get(name) ?? []
    given.set(name, values)
    order.push(name)
    if (row?.takes === undefined) continue
    if (equals >= 0) values.push(word.slice(equals + 1))
    else at = takeValues(table, name, commandLine, at, values)
  }
  return new Options<T>(given, loose, order)
}

function takeValues(
  table: OptionTable,
  name: string,
  commandLine: readonly string[],
  start: number,
  values: string[],
): number {
  const row = table[name]
  const next = commandLine[start]
  if (row?.valueOptional === true) {
    if (next === undefined || looksLikeOption(table, next)) return start
    values.push(next)
    return start + 1
  }
  if (next === undefined) throw new OptionError(`Option ${name} requires an argument`)
  values.push(next)
  let at = start + 1
  while (row?.manyWords === true) {
    const more = commandLine[at]
    if (more === undefined || looksLikeOption(table, more)) break
    values.push(more)
    at += 1
  }
  return at
}

/** One hyphen is enough for a name that is known, and for nothing else: `-5` is a value. */
function looksLikeOption(table: OptionTable, word: string): boolean {
  if (word.startsWith('--')) return word.length > 2
  return word.startsWith('-') && Object.hasOwn(table, word.slice(1).replace(/=.*$/s, ''))
}

/** Misspelt in how-to pages that people copy from: taken for what is meant. */
const misspelt: Readonly<Record<string, string>> = { 'bootrap-server': 'bootstrap-server' }

/** Sentences about options that were not written as they are called. */
export function spellingWarnings(commandLine: readonly string[]): string[] {
  return commandLine.flatMap((word) => {
    const written = word.replace(/^--/, '').replace(/=.*$/s, '')
    const meant = word.startsWith('--') ? misspelt[written] : undefined
    return meant === undefined ? [] : `--${written} is taken for --${meant}`
  })
}

function fullName(table: OptionTable, written: string): string {
  if (Object.hasOwn(table, written)) return written
  const meant = misspelt[written]
  if (meant !== undefined && Object.hasOwn(table, meant)) return meant
  const names = Object.keys(table)
  const longer = names.filter((name) => written !== '' && name.startsWith(written))
  const only = longer[0]
  if (longer.length === 1 && only !== undefined) return only
  if (longer.length > 1) {
    const list = longer.map((name) => `--${name}`).join(', ')
    throw new OptionError(`${written} is not a recognized option: it may be one of ${list}`)
  }
  const near = nearest(written, names)
  const guess = near === undefined ? '' : `; did you mean --${near}?`
  throw new OptionError(`${written} is not a recognized option${guess}`)
}

/** The name with the fewest changed letters; undefined where all are too far off. */
export function nearest(written: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(written.length / 3)) + 1
  for (const name of names) {
    const distance = changedLetters(written, name)
    if (distance >= bestDistance) continue
    best = name
    bestDistance = distance
  }
  return best
}

/** Insertions, deletions and replacements that turn one word into the other. */
function changedLetters(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (let index = 0; index < one.length; index++) {
    const next = [index + 1]
    for (let column = 0; column < other.length; column++) {
      const kept = (row[column] ?? 0) + (one[index] === other[column] ? 0 : 1)
      next.push(Math.min(kept, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row[other.length] ?? 0
}

const helpIndent = 4
const helpWidth = 96

/** What a command is for, and its options. Ends with a line feed. */
export function helpText(command: string, about: string, table: OptionTable): string {
  const lines = [`Usage: ${command} OPTIONS`, '', about, '']
  for (const [name, row] of Object.entries(table).sort(([one], [other]) =>
    one < other ? -1 : 1,
  )) {
    lines.push(`  --${name}${valueText(row)}`)
    lines.push(...wrap(row.about, helpWidth - helpIndent).map((text) => `      ${text}`))
  }
  return `${lines.join('\n')}\n`
}

function valueText({ takes, valueOptional, repeated, manyWords }: OptionRow): string {
  if (takes === undefined) return ''
  const value = valueOptional === true ? ` [${takes}]` : ` ${takes}`
  return repeated === true || manyWords === true ? `${value} …` : value
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

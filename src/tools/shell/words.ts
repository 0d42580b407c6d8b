// Pure.
// A line of zookeeper-shell as words, and a command's words as flags and the rest.

/** Cut at spaces, except within quotes, which go. */
export function splitWords(line: string): string[] {
  const words: string[] = []
  for (const match of line.matchAll(/"([^"]*)"|'([^']*)'|([^"'\s]\S*)/g)) {
    words.push(match[1] ?? match[2] ?? match[3] ?? '')
  }
  return words
}

/** What a user wrote wrongly; shown as it is. */
export class ShellError extends Error {
  override readonly name = 'ShellError'
  readonly exitCode: number
  constructor(message: string, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

export interface ParsedWords {
  /** A flag without a value has an empty one. */
  readonly flags: ReadonlyMap<string, string>
  readonly rest: readonly string[]
}

/**
 * Flags may stand anywhere; a lone hyphen and negative numbers are no flags.
 * @param known flags and whether they take a value
 * @throws ShellError for flags that are not known
 */
export function parseWords(
  words: readonly string[],
  known: Readonly<Record<string, boolean>>,
): ParsedWords {
  const flags = new Map<string, string>()
  const rest: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (!/^-[A-Za-z]/.test(word)) {
      rest.push(word)
      continue
    }
    const name = word.slice(1)
    const takesValue = known[name]
    if (takesValue === undefined) {
      const text = 'org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option'
      throw new ShellError(`${text}: ${word}`)
    }
    if (takesValue && words[at + 1] === undefined) {
      const text = 'org.apache.commons.cli.MissingArgumentException: Missing argument for option'
      throw new ShellError(`${text}: ${name}`)
    }
    flags.set(name, takesValue ? (words[++at] ?? '') : '')
  }
  return { flags, rest }
}

// Pure.
// What kafka-dump-log finds wrong, gathered by file and told at the end.

type Kind = 'index' | 'timestamp' | 'order' | 'missing' | 'gap'

const titles: Readonly<Record<Kind, (file: string) => string>> = {
  index: (file) => `Mismatches in :${file}`,
  timestamp: (file) => `Found timestamp mismatch in :${file}`,
  order: (file) => `Found out of order timestamp in :${file}`,
  missing: () => 'The following indexed offsets are not found in the log.',
  gap: (file) => `Non-consecutive offsets in ${file}`,
}

const texts: Readonly<Record<Kind, (one: number, other: number) => string>> = {
  index: (indexed, found) => `  Index offset: ${indexed}, log offset: ${found}`,
  timestamp: (indexed, found) => `  Index timestamp: ${indexed}, log timestamp: ${found}`,
  order: (indexed, before) =>
    `  Index timestamp: ${indexed}, Previously indexed timestamp: ${before}`,
  missing: (indexed, found) => `Indexed offset: ${indexed}, found log offset: ${found}`,
  gap: (before, after) => `  ${before} is followed by ${after}`,
}

const order: readonly Kind[] = ['index', 'timestamp', 'order', 'missing', 'gap']

/** Compacted logs have gaps without end; so many of a kind and file are told, the last ones. */
const toldMax = 100_000

export class Findings {
  readonly #found = new Map<Kind, Map<string, (readonly [number, number])[]>>()

  add(kind: Kind, file: string, one: number, other: number): void {
    const files = this.#found.get(kind) ?? new Map<string, (readonly [number, number])[]>()
    this.#found.set(kind, files)
    const pairs = files.get(file) ?? []
    files.set(file, pairs)
    pairs.push([one, other])
    if (pairs.length > 2 * toldMax) pairs.splice(0, pairs.length - toldMax)
  }

  /** The latest of a file first, as the original has it. */
  lines(): string[] {
    return order.flatMap((kind) =>
      [...(this.#found.get(kind) ?? [])].flatMap(([file, pairs]) => [
        titles[kind](file),
        ...pairs.toReversed().map(([one, other]) => texts[kind](one, other)),
      ]),
    )
  }
}

/**
 * The line protocol that every client is driven by (README.md), for the clients that run on Node: what
 * is asked, which records a producer writes, what a reader has seen.
 */
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'

export const limitMs = 45_000

export interface Asked {
  readonly topic: string
  readonly partitions: number
  readonly codec: string
  readonly idempotent: boolean
  /** Of the record that is written first; index modulo partitions is its partition. */
  readonly first: number
  readonly count: number
  readonly name: string
  readonly label: string
  readonly group: string
}

export interface TestRecord {
  readonly partition: number
  readonly timestampMs: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [key: string, value: string])[]
}

export function recordOf(asked: Pick<Asked, 'name' | 'label' | 'partitions'>, index: number) {
  const { name, label, partitions } = asked
  const value = `${name}/${label}/${index}/ä€${'x'.repeat((index * 37) % 300)}`
  const record: TestRecord = {
    partition: index % partitions,
    timestampMs: 1_700_000_000_000 + index,
    key: index % 10 === 0 ? null : `key-${index % 97}`,
    value: index % 50 === 49 ? null : value,
    headers: [
      ['n', String(index)],
      ['source', name],
    ],
  }
  return record
}

export function recordsOf(asked: Asked): TestRecord[] {
  return Array.from({ length: asked.count }, (_, n) => recordOf(asked, asked.first + n))
}

export interface SeenPartition {
  readonly partition: number
  readonly count: number
  readonly first: number
  readonly next: number
  readonly body: string
  readonly times: string
  /** undefined where a client knows no headers. */
  readonly headers?: string
}

/** What was seen of the partitions of a topic, as hashes over lines. */
export class Seen {
  readonly #partitions = new Map<number, PartitionHashes>()
  count = 0

  constructor(partitions = 0) {
    for (let partition = 0; partition < partitions; partition += 1) this.#of(partition)
  }

  #of(partition: number): PartitionHashes {
    const found = this.#partitions.get(partition) ?? new PartitionHashes()
    this.#partitions.set(partition, found)
    return found
  }

  add(offset: number, record: TestRecord): void {
    this.count += 1
    this.#of(record.partition).add(offset, record)
  }

  /** The offsets to commit. */
  next(): { readonly partition: number; readonly offset: number }[] {
    return [...this.#partitions].map(([partition, { next }]) => ({ partition, offset: next }))
  }

  answer(): { partitions: SeenPartition[] } {
    const sorted = [...this.#partitions].sort(([one], [two]) => one - two)
    return { partitions: sorted.map(([partition, hashes]) => hashes.answer(partition)) }
  }
}

class PartitionHashes {
  #count = 0
  #first = -1
  next = 0
  readonly #body = createHash('sha256')
  readonly #times = createHash('sha256')
  readonly #headers = createHash('sha256')

  add(offset: number, record: TestRecord): void {
    if (this.#first < 0) this.#first = offset
    this.#count += 1
    this.next = offset + 1
    this.#body.update(`${offset}|${record.key ?? '-'}|${record.value ?? '-'}\n`)
    this.#times.update(`${offset}|${record.timestampMs}\n`)
    this.#headers.update(`${offset}|${record.headers.map((each) => each.join('=')).join(',')}\n`)
  }

  answer(partition: number): SeenPartition {
    const [body = '', times = '', headers = ''] = [this.#body, this.#times, this.#headers].map(
      (hash) => hash.digest('hex'),
    )
    return {
      ...{ partition, count: this.#count, first: this.#first, next: this.next },
      ...{ body, times, headers },
    }
  }
}

export interface Driven {
  produce(asked: Asked): Promise<void>
  /** All records of a topic, from its beginning. */
  read(asked: Asked): Promise<Seen>
  /** As a member of a group: exactly `count` records, whose offsets are then committed. */
  group(asked: Asked): Promise<Seen>
  close?(): Promise<void>
}

function parse(line: string): { operation: string; asked: Asked } {
  const [operation = '', ...words] = line.split(' ')
  const options = new Map(words.map((word) => splitOnce(word)))
  const text = (name: string): string => options.get(name) ?? ''
  const asked = {
    ...{ topic: text('topic'), group: text('group'), name: text('name'), label: text('label') },
    ...{ codec: options.get('codec') ?? 'none', idempotent: text('idempotent') === '1' },
    ...{ partitions: Number(text('partitions')), count: Number(text('count')) },
    first: Number(text('first')),
  }
  return { operation, asked }
}

function splitOnce(word: string): [string, string] {
  const at = word.indexOf('=')
  return [word.slice(0, at), word.slice(at + 1)]
}

async function perform(client: Driven, line: string): Promise<unknown> {
  const { operation, asked } = parse(line)
  if (operation === 'read' || operation === 'group')
    return (await client[operation](asked)).answer()
  if (operation !== 'produce') throw new Error(`unknown: ${operation}`)
  await client.produce(asked)
  return { ok: true }
}

/** Answers the lines of standard input until it ends. */
export async function drive(client: Driven): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await perform(client, line).catch((error: unknown) => ({
      error: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    }))
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
  await client.close?.()
  // What a failed call has left open keeps no driver alive.
  process.exit(0)
}

/** Resolves when all has been seen, or the time is over. */
export function seenOrOver(): { readonly promise: Promise<void>; readonly done: () => void } {
  let done = (): void => {}
  const promise = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, limitMs)
    done = () => {
      clearTimeout(timer)
      resolve()
    }
  })
  return { promise, done: () => done() }
}

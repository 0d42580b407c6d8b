// `millrace wire`: questions about bytes, one JSON line in, one JSON line out, in order.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { inspect } from '../../kafka/json/inspect.ts'
import type { JsonObject } from '../../kafka/json/values.ts'
import type { ProcessContext } from '../../runtime/process.ts'

function answer(line: string): JsonObject {
  let question: unknown
  try {
    question = JSON.parse(line)
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
  return inspect(question)
}

/** Reads standard input to its end. Exits 0, whatever the answers were. */
export async function wire(context: ProcessContext): Promise<number> {
  const { stdin, stdout } = context
  const lines = createInterface({ input: stdin, crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of lines) {
    if (line.trim() === '') continue
    // A reader that is slower than we are holds us back, so that answers do not pile up.
    if (!stdout.write(`${JSON.stringify(answer(line))}\n`)) await once(stdout, 'drain')
  }
  return 0
}

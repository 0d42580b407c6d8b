import type { Random } from '../runtime/random.ts'
import { uuidBytes } from '../runtime/random.ts'

/** A topic id as Kafka prints it: 22 characters of base64url, the first not a dash. */
export function randomTopicId(random: Random): string {
  for (;;) {
    const text = Buffer.from(uuidBytes(random)).toString('base64url')
    if (!text.startsWith('-')) return text
  }
}

// Pure. The id of a document that came from Kafka: the same record gives the same id, so an event that
// is sent again replaces itself.

import { hash } from 'node:crypto'
import type { PipelineEvent } from '../../events/event.ts'

/** 22 characters of base64url, 132 bits; undefined for events that came from elsewhere. */
export function documentIdOf({ origin, ordinal }: PipelineEvent): string | undefined {
  if (origin === undefined) return undefined
  const { topic, partition, offset } = origin
  return hash('sha256', `${topic}/${partition}/${offset}/${ordinal}`, 'base64url').slice(0, 22)
}

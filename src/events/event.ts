// Pure. The event that shipper and pipeline pass along: nested data, metadata that no output sees,
// and where it came from.

import { reference, setField } from './references.ts'
import { type Value, type ValueMap, Timestamp, parseTimestamp } from './values.ts'

/** The place in a Kafka topic an event was read from; derived events share it. */
export interface EventOrigin {
  /** Stands for cluster and topic: `clusterId/topicId`. */
  readonly topic: string
  readonly partition: number
  readonly offset: number | bigint
  /** How many events were derived from the record so far. */
  derived: number
}

export class PipelineEvent {
  /** `@timestamp` is always there and a Timestamp, unless a filter removed it. */
  data: ValueMap
  metadata: ValueMap
  /** Dropped by a filter: reaches no further filter and no output. */
  cancelled = false
  origin: EventOrigin | undefined
  /** 0 for the event as it was read, then 1, 2 … for those that filters derived from the record. */
  ordinal = 0

  private constructor(data: ValueMap, metadata: ValueMap) {
    this.data = data
    this.metadata = metadata
  }

  /** An event that holds one message. */
  static ofMessage(message: string, now: Timestamp): PipelineEvent {
    return new PipelineEvent({ '@timestamp': now, '@version': '1', message }, {})
  }

  /**
   * An event of decoded data, which it takes over. A bad `@timestamp` becomes now and is kept in
   * `_@timestamp` with the tag `_timestampparsefailure`; tags that are neither text nor a list of
   * texts go to `_tags` with the tag `_tagsparsefailure`.
   */
  static ofData(data: ValueMap, now: Timestamp): PipelineEvent {
    const metadata = takeMetadata(data)
    const event = new PipelineEvent(data, metadata)
    data['@version'] ??= '1'
    if (!isLegalTags(data['tags'])) {
      data['_tags'] = [data['tags'] ?? null]
      data['tags'] = ['_tagsparsefailure']
    }
    const provided = data['@timestamp']
    const timestamp = provided === undefined ? now : toTimestamp(provided)
    data['@timestamp'] = timestamp ?? now
    if (timestamp === undefined) {
      tagEvent(event, '_timestampparsefailure')
      data['_@timestamp'] = provided ?? null
    }
    return event
  }

  get timestamp(): Timestamp | undefined {
    const value = this.data['@timestamp']
    return value instanceof Timestamp ? value : undefined
  }
}

function takeMetadata(data: ValueMap): ValueMap {
  const found = data['@metadata']
  if (found === undefined) return {}
  delete data['@metadata']
  return typeof found === 'object' && found !== null && !Array.isArray(found)
    ? (found as ValueMap)
    : {}
}

/** Text in one of the ISO 8601 forms, or a Timestamp. */
export function toTimestamp(value: Value): Timestamp | undefined {
  if (value instanceof Timestamp) return value
  return typeof value === 'string' ? parseTimestamp(value) : undefined
}

export function isLegalTags(tags: Value | undefined): boolean {
  if (tags === undefined || tags === null || typeof tags === 'string') return true
  return Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')
}

/** Adds a tag unless the event has it. */
export function tagEvent(event: PipelineEvent, tag: string): void {
  const tags = event.data['tags']
  if (Array.isArray(tags)) {
    if (!tags.includes(tag)) tags.push(tag)
  } else if (tags === undefined || tags === null) event.data['tags'] = [tag]
  else if (tags !== tag) event.data['tags'] = [tags, tag]
}

/** Tags that are no texts are refused, as the original does. */
export class TagsTypeError extends Error {
  override readonly name = 'TagsTypeError'
}

/** Sets a field named at run time. @throws FieldReferenceError, TagsTypeError */
export function setNamedField(event: PipelineEvent, name: string, value: Value): void {
  const field = reference(name)
  if (!field.inMetadata && field.path[0]?.key === 'tags') {
    if (field.path.length > 1 && !Array.isArray(event.data['tags'])) {
      throw new TagsTypeError(`Could not set field '${name}' on tags`)
    }
    if (field.path.length === 1 && !isLegalTags(value)) {
      throw new TagsTypeError(`Could not set field 'tags' with value '${JSON.stringify(value)}'`)
    }
  }
  if (name === '@timestamp' || name === '[@timestamp]') {
    const timestamp = toTimestamp(value)
    if (timestamp === undefined) throw new TypeError('wrong argument type for @timestamp')
    event.data['@timestamp'] = timestamp
    return
  }
  setField(event, field, value)
}

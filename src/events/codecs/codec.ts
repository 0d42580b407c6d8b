// Pure. What every codec is: bytes to events on the way in, events to text on the way out.

import { PipelineEvent } from '../event.ts'
import { parseJson } from '../json.ts'
import type { Template } from '../sprintf.ts'
import { Timestamp, type Value, isMap } from '../values.ts'

export type Emit = (event: PipelineEvent) => void

/** Keeps what an unfinished line holds; one per stream. */
export interface Decoder {
  decode(bytes: Buffer, emit: Emit): void
  /** The stream has ended: what is left becomes an event. */
  flush(emit: Emit): void
}

export interface Codec {
  readonly name: string
  decoder(): Decoder
  readonly encode: (event: PipelineEvent) => string
}

/** The form of an event that a plain text output without a format prints. */
export function plainText(event: PipelineEvent, format: Template | undefined): string {
  if (format !== undefined) return format.render(event)
  const { host, message } = event.data
  const time = event.timestamp?.toString() ?? '%{@timestamp}'
  return `${time} ${textOr(host, '%{host}')} ${textOr(message, '%{message}')}`
}

function textOr(value: Value | undefined, missing: string): string {
  if (value === undefined || value === null) return missing
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Events of a JSON text; one with the tag `_jsonparsefailure` where it is none. */
export function decodeJsonText(text: string, now: Timestamp, emit: Emit): void {
  const value = jsonOrUndefined(text)
  if (isMap(value)) emit(PipelineEvent.ofData(value, now))
  else if (Array.isArray(value) && value.every(isMap)) {
    for (const item of value) emit(PipelineEvent.ofData(item, now))
  } else {
    const event = PipelineEvent.ofMessage(text, now)
    event.data['tags'] = ['_jsonparsefailure']
    emit(event)
  }
}

function jsonOrUndefined(text: string): Value | undefined {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

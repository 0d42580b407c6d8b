// The filter json: expands a field that holds JSON text.

import { type PipelineEvent, setNamedField, tagEvent, toTimestamp } from '../../events/event.ts'
import { parseJson } from '../../events/json.ts'
import { getField, reference } from '../../events/references.ts'
import { valueText } from '../../events/sprintf.ts'
import { Timestamp, type Value, type ValueMap, isMap } from '../../events/values.ts'
import { configText } from '../decorate.ts'
import { defineFilter } from './define.ts'

export const json = defineFilter({
  name: 'json',
  options: {
    source: { type: 'string', required: true },
    target: { type: 'field_reference' },
    tag_on_failure: { type: 'array', default: ['_jsonparsefailure'] },
    skip_on_invalid_json: { type: 'boolean', default: false },
    ecs_compatibility: { type: ['disabled', 'v1', 'v8'], default: 'disabled' },
  },
  build({ options, ports, matched }) {
    const source = reference(options.source)
    const { target } = options
    const failureTags = options.tag_on_failure.map(configText)
    const fail = (event: PipelineEvent, reason: string): void => {
      if (!options.skip_on_invalid_json) ports.logger.warn(`Error parsing json: ${reason}`)
      for (const tag of failureTags) tagEvent(event, tag)
    }
    const expand = (event: PipelineEvent, text: Value): void => {
      if (typeof text !== 'string') throw new TypeError(`${options.source} is not a text`)
      const parsed = text.trim() === '' ? null : parseJson(text)
      if (target !== undefined) setNamedField(event, target, parsed)
      else if (isMap(parsed)) spread(event, parsed, ports.clock.now())
      else throw new TypeError('a target is needed for JSON that is no object')
    }
    return {
      apply(events) {
        for (const event of events) {
          const text = getField(event, source)
          if (text === undefined || text === null || text === false) continue
          try {
            expand(event, text)
          } catch (error) {
            fail(event, error instanceof Error ? error.message : String(error))
            continue
          }
          matched(event)
        }
        return undefined
      },
    }
  },
})

/** Sets the fields at the top of the event; a bad `@timestamp` goes to `_@timestamp`. */
function spread(event: PipelineEvent, parsed: ValueMap, nowMs: number): void {
  for (const key of Object.keys(parsed)) {
    if (key !== '@timestamp') setNamedField(event, key, parsed[key] ?? null)
  }
  const time = Object.hasOwn(parsed, '@timestamp') ? parsed['@timestamp'] : undefined
  if (time === undefined || time === null) return
  const timestamp = toTimestamp(time)
  event.data['@timestamp'] = timestamp ?? new Timestamp(nowMs)
  if (timestamp !== undefined) return
  tagEvent(event, '_timestampparsefailure')
  event.data['_@timestamp'] = valueText(time)
}

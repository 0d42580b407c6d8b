// The filter kv: takes key=value pairs out of a field's text.

import { type PipelineEvent, setNamedField, tagEvent } from '../../events/event.ts'
import { getField, reference } from '../../events/references.ts'
import type { Template } from '../../events/sprintf.ts'
import type { Value, ValueMap } from '../../events/values.ts'
import { mapGuarded } from '../../text/guard.ts'
import { compileRubyPattern } from '../../text/regexp.ts'
import { configText } from '../decorate.ts'
import { plainValue } from '../configuration.ts'
import { defineFilter } from './define.ts'
import { compilePairs, type Pair } from './key-values.ts'
import { capitalize } from './text-operations.ts'

const cases = ['lowercase', 'uppercase', 'capitalize'] as const
type Case = (typeof cases)[number]

/** As for grok: a match runs on the loop that also answers the brokers. */
const TIMEOUT_MS = 1000

export const kv = defineFilter({
  name: 'kv',
  options: {
    source: { type: 'string', default: 'message' },
    target: { type: 'field_reference' },
    prefix: { type: 'string', default: '' },
    field_split: { type: 'string', default: ' ' },
    field_split_pattern: { type: 'string' },
    value_split: { type: 'string', default: '=' },
    value_split_pattern: { type: 'string' },
    whitespace: { type: ['lenient', 'strict'], default: 'lenient' },
    trim_key: { type: 'string' },
    trim_value: { type: 'string' },
    remove_char_key: { type: 'string' },
    remove_char_value: { type: 'string' },
    transform_key: { type: cases },
    transform_value: { type: cases },
    include_keys: { type: 'array', default: [] },
    exclude_keys: { type: 'array', default: [] },
    default_keys: { type: 'hash', default: {} },
    allow_duplicate_values: { type: 'boolean', default: true },
    allow_empty_values: { type: 'boolean', default: false },
    include_brackets: { type: 'boolean', default: true },
    recursive: { type: 'boolean', default: false },
    tag_on_failure: { type: 'array', default: ['_kv_filter_error'] },
    tag_on_timeout: { type: 'string', default: '_kv_filter_timeout' },
    timeout_millis: { type: 'number', default: TIMEOUT_MS },
    ecs_compatibility: { type: ['disabled', 'v1', 'v8'], default: 'disabled' },
  },
  build({ options, template, ports, matched }) {
    const source = reference(options.source)
    const { target } = options
    const pairsOf = compilePairs({
      fieldSplit: options.field_split,
      fieldSplitPattern: options.field_split_pattern,
      valueSplit: options.value_split,
      valueSplitPattern: options.value_split_pattern,
      isLenient: options.whitespace === 'lenient',
      includesBrackets: options.include_brackets,
    })
    const reading: Reading = {
      pairsOf,
      key: textChange(options.trim_key, options.remove_char_key, options.transform_key),
      value: textChange(options.trim_value, options.remove_char_value, options.transform_value),
      prefix: template(options.prefix),
      included: new Set(options.include_keys.map(configText)),
      excluded: new Set(options.exclude_keys.map(configText)),
      keepsDuplicates: options.allow_duplicate_values,
      keepsEmpty: options.allow_empty_values,
      isRecursive: options.recursive,
    }
    const defaults = [...options.default_keys].map(
      ([key, value]) => [key, plainValue(value)] as const,
    )
    const failureTags = options.tag_on_failure.map(configText)
    const read = (event: PipelineEvent): Found => {
      const value = getField(event, source)
      const texts = Array.isArray(value) ? value : [value]
      const found = new Map<string, Value>()
      for (const text of texts) if (typeof text === 'string') collect(reading, event, text, found)
      for (const [key, preset] of defaults) if (!found.has(key)) found.set(key, preset)
      return found
    }
    const set = (event: PipelineEvent, found: ReadonlyMap<string, Value>): void => {
      if (found.size === 0) return
      if (target !== undefined) setNamedField(event, target, mapOf(found))
      else for (const [key, value] of found) setNamedField(event, key, value)
      matched(event)
    }
    const limitMs = options.timeout_millis <= 0 ? 0x7fff_ffff : options.timeout_millis
    return {
      apply(events) {
        const results = mapGuarded<PipelineEvent, Found>(events, limitMs, {
          run: read,
          late: () => undefined,
        })
        for (const [at, event] of events.entries()) {
          const found = results[at]
          try {
            if (found === undefined) tagEvent(event, options.tag_on_timeout)
            else set(event, found)
          } catch (error) {
            ports.logger.warn('the filter kv could not set a field', error)
            for (const tag of failureTags) tagEvent(event, tag)
          }
        }
        return undefined
      },
    }
  },
})

/** Undefined: broken off. */
type Found = ReadonlyMap<string, Value> | undefined

interface Reading {
  readonly pairsOf: (text: string) => Pair[]
  readonly key: (text: string) => string
  readonly value: (text: string) => string
  readonly prefix: Template
  readonly included: ReadonlySet<string>
  readonly excluded: ReadonlySet<string>
  readonly keepsDuplicates: boolean
  readonly keepsEmpty: boolean
  readonly isRecursive: boolean
}

/** Values within values end here. */
const DEPTH_MAX = 64

function collect(
  reading: Reading,
  event: PipelineEvent,
  text: string,
  found: Map<string, Value>,
  depth = 0,
): void {
  for (const pair of reading.pairsOf(text)) {
    const bare = reading.key(pair.key)
    if (reading.included.size > 0 && !reading.included.has(bare)) continue
    if (reading.excluded.has(bare)) continue
    const key = reading.prefix.render(event) + bare
    const value = reading.value(pair.value)
    if (key === '' || (value === '' && !reading.keepsEmpty)) continue
    const inner = new Map<string, Value>()
    if (reading.isRecursive && depth < DEPTH_MAX) collect(reading, event, value, inner, depth + 1)
    add(found, key, inner.size > 0 ? mapOf(inner) : value, reading.keepsDuplicates)
  }
}

function add(found: Map<string, Value>, key: string, value: Value, keepsAll: boolean): void {
  const present = found.get(key)
  if (present === undefined) {
    found.set(key, value)
    return
  }
  const list = Array.isArray(present) ? present : [present]
  if (keepsAll || !list.includes(value)) list.push(value)
  found.set(key, list.length === 1 ? present : list)
}

function mapOf(found: ReadonlyMap<string, Value>): ValueMap {
  const map: ValueMap = {}
  for (const [key, value] of found) {
    Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true })
  }
  return map
}

/** Trimming, removing characters and changing case, in this order. @throws PatternError */
function textChange(
  trim: string | undefined,
  remove: string | undefined,
  transform: Case | undefined,
): (text: string) => string {
  const global = { global: true }
  const ends =
    trim === undefined ? undefined : compileRubyPattern(`^[${trim}]+|[${trim}]+$`, global)
  const inner = remove === undefined ? undefined : compileRubyPattern(`[${remove}]`, global)
  return (text) => {
    let changed = ends === undefined ? text : text.replace(ends.regexp, '')
    if (inner !== undefined) changed = changed.replace(inner.regexp, '')
    if (transform === 'lowercase') return changed.toLowerCase()
    if (transform === 'uppercase') return changed.toUpperCase()
    return transform === 'capitalize' ? capitalize(changed) : changed
  }
}

// The filter grok: cuts text into fields by named patterns.

import { type PipelineEvent, setNamedField, tagEvent } from '../../events/event.ts'
import { type Reference, getField, reference } from '../../events/references.ts'
import { valueText } from '../../events/sprintf.ts'
import { type Value, floatValue, integerValue } from '../../events/values.ts'
import type { Disk } from '../../runtime/disk.ts'
import { readFile } from '../../runtime/disk.ts'
import { type GrokPattern, compileGrok, parsePatternFile } from '../../text/grok/compile.ts'
import { legacyPatterns } from '../../text/grok/patterns.ts'
import { mapGuarded } from '../../text/guard.ts'
import { configText } from '../decorate.ts'
import type { ConfigHash, ConfigValue } from '../configuration.ts'
import { defineFilter } from './define.ts'

/**
 * The original's default is 30 s for each event. Here a match runs on the loop that also answers the
 * brokers, so a second must do; `timeout_millis` raises it.
 */
const TIMEOUT_MS = 1000

export const grok = defineFilter({
  name: 'grok',
  options: {
    match: { type: 'hash', default: {} },
    patterns_dir: { type: 'array', default: [] },
    patterns_files_glob: { type: 'string', default: '*', idle: true },
    pattern_definitions: { type: 'hash', default: {} },
    break_on_match: { type: 'boolean', default: true },
    named_captures_only: { type: 'boolean', default: true },
    keep_empty_captures: { type: 'boolean', default: false },
    overwrite: { type: 'array', default: [] },
    target: { type: 'string' },
    tag_on_failure: { type: 'array', default: ['_grokparsefailure'] },
    tag_on_timeout: { type: 'array', default: ['_groktimeout'] },
    timeout_millis: { type: 'number', default: TIMEOUT_MS },
    timeout_scope: { type: ['pattern', 'event'], default: 'pattern' },
    ecs_compatibility: { type: ['disabled'], default: 'disabled' },
  },
  build({ options, ports, matched }) {
    const patterns = new Map(legacyPatterns)
    for (const path of options.patterns_dir) addPatternFiles(ports.disk, configText(path), patterns)
    for (const [name, pattern] of options.pattern_definitions)
      patterns.set(name, configText(pattern))
    const sources = compileSources(options.match, {
      patterns,
      namedCapturesOnly: options.named_captures_only,
      overwrite: new Set(options.overwrite.map(configText)),
      target: options.target,
    })
    const failureTags = options.tag_on_failure.map(configText)
    const timeoutTags = options.tag_on_timeout.map(configText)
    const matching = { sources, breakOnMatch: options.break_on_match }
    const keepEmpty = options.keep_empty_captures
    const limitMs = options.timeout_millis <= 0 ? 0x7fff_ffff : options.timeout_millis
    const finish = (event: PipelineEvent, hits: readonly Hit[] | undefined): void => {
      if (hits === undefined) for (const tag of timeoutTags) tagEvent(event, tag)
      else if (hits.length === 0) for (const tag of failureTags) tagEvent(event, tag)
      else {
        for (const hit of hits) setFields(event, hit, keepEmpty)
        matched(event)
      }
    }
    return {
      apply(events) {
        const results = mapGuarded<PipelineEvent, Hit[] | undefined>(events, limitMs, {
          run: (event) => matchEvent(event, matching),
          late: () => undefined,
        })
        for (let at = 0; at < events.length; at += 1) {
          finish(events[at] as PipelineEvent, results[at])
        }
        return undefined
      },
    }
  },
})

interface FieldPattern {
  readonly pattern: GrokPattern
  readonly fields: readonly TargetField[]
}

interface TargetField {
  readonly name: string
  readonly field: Reference
  readonly type: 'string' | 'int' | 'float'
  readonly overwrite: boolean
}

interface Source {
  readonly field: Reference
  readonly patterns: readonly FieldPattern[]
}

/** A pattern that matched, and what its groups took. */
interface Hit {
  readonly fields: readonly TargetField[]
  readonly values: readonly (string | undefined)[]
}

interface CompileOptions {
  readonly patterns: ReadonlyMap<string, string>
  readonly namedCapturesOnly: boolean
  readonly overwrite: ReadonlySet<string>
  readonly target: string | undefined
}

function compileSources(match: ConfigHash, options: CompileOptions): Source[] {
  return [...match].map(([field, patterns]) => ({
    field: reference(field),
    patterns: (Array.isArray(patterns) ? patterns : [patterns]).map((pattern) =>
      compilePattern(pattern, options),
    ),
  }))
}

function compilePattern(source: ConfigValue, options: CompileOptions): FieldPattern {
  const pattern = compileGrok(configText(source), options)
  const fields = pattern.captures.map(({ field, type }) => {
    const name = options.target === undefined ? field : `[${options.target}]${bracketed(field)}`
    return { name, field: reference(name), type, overwrite: options.overwrite.has(field) }
  })
  return { pattern, fields }
}

function bracketed(field: string): string {
  return field.startsWith('[') ? field : `[${field}]`
}

function matchEvent(
  event: PipelineEvent,
  {
    sources,
    breakOnMatch,
  }: { readonly sources: readonly Source[]; readonly breakOnMatch: boolean },
): Hit[] {
  const hits: Hit[] = []
  for (const { field, patterns } of sources) {
    const value = getField(event, field)
    if (value === undefined || value === null) continue
    const before = hits.length
    for (const item of Array.isArray(value) ? value : [value]) {
      const text = typeof item === 'string' ? item : valueText(item)
      for (const { pattern, fields } of patterns) {
        const values = pattern.match(text)
        if (values === undefined) continue
        hits.push({ fields, values })
        if (breakOnMatch) break
      }
    }
    if (breakOnMatch && hits.length > before) break
  }
  return hits
}

function setFields(event: PipelineEvent, { fields, values }: Hit, keepEmpty: boolean): void {
  for (let at = 0; at < fields.length; at += 1) {
    const text = values[at]
    if ((text === undefined || text === '') && !keepEmpty) continue
    const target = fields[at] as TargetField
    const value = text === undefined ? null : typedValue(text, target.type)
    const existing = target.overwrite ? undefined : getField(event, target.field)
    if (existing === undefined || existing === null) setNamedField(event, target.name, value)
    else if (Array.isArray(existing)) existing.push(value)
    else if (typeof existing === 'string') setNamedField(event, target.name, [existing, value])
  }
}

function typedValue(text: string, type: TargetField['type']): Value {
  if (type === 'string') return text
  if (type === 'float') return floatValue(Number.parseFloat(text) || 0)
  const digits = /^\s*([+-]?\d+)/.exec(text)?.[1]
  return digits === undefined ? 0 : integerValue(BigInt(digits.replace('+', '')))
}

/** A file of patterns, or all files of a directory. @throws DiskError */
function addPatternFiles(disk: Disk, path: string, patterns: Map<string, string>): void {
  const isDirectory = disk.stat(path)?.kind === 'directory'
  const files = isDirectory
    ? disk
        .list(path)
        .filter(({ kind }) => kind === 'file')
        .map(({ name }) => `${path}/${name}`)
        .sort()
    : [path]
  for (const file of files) {
    for (const [name, pattern] of parsePatternFile(readFile(disk, file).toString('utf8'))) {
      patterns.set(name, pattern)
    }
  }
}

// Pure. One entry of filebeat.inputs.

import { compileGoPattern } from '../inputs/patterns.ts'
import type { FieldMap, InputSettings, JsonSettings, MultilineSettings } from '../settings.ts'
import type { Section } from './section.ts'

const DEFAULT_MAX_BYTES = 10 * 1024 * 1024

/** Tags and fields of the whole shipper, which inputs add to. */
export interface GeneralFields {
  readonly tags: readonly string[]
  readonly fields: FieldMap
  readonly fieldsUnderRoot: boolean
}

const notBuilt = 'is not built yet, and without it events would be lost or different'

/** @throws UserError; undefined for an input that is not enabled. */
export function readInput(
  section: Section,
  general: GeneralFields,
  workingDirectory: string,
): InputSettings | undefined {
  if (!section.boolean('enabled', true)) {
    section.accept(section.keys())
    return undefined
  }
  const kind = section.oneOf('type', ['log', 'filestream'], 'log')
  section.refuse(['processors', 'pipeline', 'index', 'docker-json', 'file_identity.path'], notBuilt)
  section.refuse(['file_identity.inode_marker', 'file_identity.fingerprint'], notBuilt)
  section.refuse(['rotation.external', 'recursive_glob.depth', 'parsers.container'], notBuilt)
  checkEncoding(section)
  section.accept(['file_identity', 'harvester_buffer_size', 'buffer_size', 'scan.sort'])
  section.accept(['scan.order', 'publisher_pipeline', 'allow_deprecated_use', 'line_terminator'])
  const paths = section
    .texts('paths')
    .map((path) => (path.startsWith('/') ? path : `${workingDirectory}/${path}`))
  if (paths.length === 0) throw section.fail('paths', 'no paths were defined for input')
  const shared = { ...sharedKeys(section), paths, event: eventSettings(section, general, kind) }
  return kind === 'log' ? logInput(section, shared) : filestreamInput(section, shared)
}

type Shared = Pick<
  InputSettings,
  | 'paths'
  | 'event'
  | 'ignoreOlderMs'
  | 'cleanRemoved'
  | 'harvesterLimit'
  | 'includeLines'
  | 'excludeLines'
>

function sharedKeys(section: Section): Omit<Shared, 'paths' | 'event'> {
  return {
    ignoreOlderMs: section.duration('ignore_older', 0),
    cleanRemoved: section.boolean('clean_removed', true),
    harvesterLimit: section.integer('harvester_limit', 0, { min: 0 }),
    includeLines: patterns(section, 'include_lines'),
    excludeLines: patterns(section, 'exclude_lines'),
  }
}

function logInput(section: Section, shared: Shared): InputSettings {
  section.accept(['backoff', 'max_backoff', 'backoff_factor', 'force_close_files', 'symlinks'])
  if (section.duration('close_timeout', 0) > 0) section.warn('close_timeout', 'is not acted on')
  const cleanInactiveMs = section.duration('clean_inactive', 0)
  const scanFrequencyMs = section.duration('scan_frequency', 10_000)
  checkCleanInactive(section, cleanInactiveMs, shared.ignoreOlderMs + scanFrequencyMs)
  const multiline = section.section('multiline')
  const json = section.section('json')
  const settings: InputSettings = {
    ...shared,
    kind: 'log',
    id: '',
    recursive: section.boolean('recursive_glob.enabled', true),
    excludeFiles: patterns(section, 'exclude_files'),
    includeFiles: [],
    scanFrequencyMs,
    closeInactiveMs: section.duration('close_inactive', 300_000),
    closeRenamed: section.boolean('close_renamed', false),
    closeRemoved: section.boolean('close_removed', true),
    closeEof: section.boolean('close_eof', false),
    cleanInactiveMs,
    tailFiles: section.boolean('tail_files', false),
    maxBytes: section.bytes('max_bytes', DEFAULT_MAX_BYTES, { min: 1 }),
    multiline: multiline.node === undefined ? undefined : readMultiline(multiline),
    json: json.node === undefined ? undefined : readJson(json, 'json'),
  }
  checkTogether(section, settings)
  return settings
}

function filestreamInput(section: Section, shared: Shared): InputSettings {
  if (section.has('ignore_inactive')) section.warn('ignore_inactive', 'is not acted on')
  section.accept(['backoff', 'prospector.scanner.symlinks', 'prospector.scanner.resend_on_touch'])
  section.accept(['ignore_inactive', 'close.reader.after_interval', 'prospector.scanner.sort'])
  let multiline: MultilineSettings | undefined
  let json: JsonSettings | undefined
  for (const parser of section.sections('parsers')) {
    for (const name of parser.keys()) {
      if (name === 'multiline') multiline = readMultiline(parser.section(name))
      else if (name === 'ndjson') json = readNdjson(parser.section(name))
      else throw parser.fail(name, notBuilt)
    }
  }
  const cleanInactiveMs = section.duration('clean_inactive', 0)
  const scanFrequencyMs = section.duration('prospector.scanner.check_interval', 10_000)
  checkCleanInactive(section, cleanInactiveMs, shared.ignoreOlderMs + scanFrequencyMs)
  const settings: InputSettings = {
    ...shared,
    kind: 'filestream',
    id: section.text('id') ?? '.global',
    recursive: section.boolean('prospector.scanner.recursive_glob', true),
    excludeFiles: patterns(section, 'prospector.scanner.exclude_files'),
    includeFiles: patterns(section, 'prospector.scanner.include_files'),
    scanFrequencyMs,
    closeInactiveMs: section.duration('close.on_state_change.inactive', 300_000),
    closeRenamed: section.boolean('close.on_state_change.renamed', false),
    closeRemoved: section.boolean('close.on_state_change.removed', true),
    closeEof: section.boolean('close.reader.on_eof', false),
    cleanInactiveMs: Math.max(cleanInactiveMs, 0),
    tailFiles: false,
    maxBytes: section.bytes('message_max_bytes', DEFAULT_MAX_BYTES, { min: 1 }),
    multiline,
    json,
  }
  checkTogether(section, settings)
  return settings
}

function checkTogether(section: Section, settings: InputSettings): void {
  if (settings.multiline !== undefined && settings.json !== undefined) {
    throw section.fail('multiline', 'together with JSON decoding is not built yet')
  }
}

function checkCleanInactive(section: Section, cleanInactiveMs: number, leastMs: number): void {
  if (cleanInactiveMs <= 0 || cleanInactiveMs > leastMs) return
  throw section.fail('clean_inactive', 'must be > ignore_older + scan_frequency')
}

function checkEncoding(section: Section): void {
  const encoding = section.text('encoding')?.toLowerCase() ?? 'plain'
  if (encoding === 'plain' || encoding === 'utf-8' || encoding === 'utf8') return
  throw section.fail('encoding', `'${encoding}' is not built yet; plain and utf-8 are`)
}

function patterns(section: Section, key: string): RegExp[] {
  return section.texts(key).map((source) => pattern(section, key, source))
}

function pattern(section: Section, key: string, source: string): RegExp {
  try {
    return compileGoPattern(source)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw section.fail(key, `error parsing regexp: ${error.message}`)
  }
}

function readMultiline(section: Section): MultilineSettings {
  if (section.oneOf('type', ['pattern', 'count', 'while_pattern'], 'pattern') !== 'pattern') {
    throw section.fail('type', 'only pattern is built yet')
  }
  const source = section.text('pattern')
  if (source === undefined)
    throw section.fail('pattern', "missing required field accessing 'pattern'")
  const flush = section.text('flush_pattern')
  return {
    pattern: pattern(section, 'pattern', source),
    negate: section.boolean('negate', false),
    match: section.oneOf('match', ['after', 'before'], 'after'),
    maxLines: section.integer('max_lines', 500, { min: 1 }),
    timeoutMs: section.duration('timeout', 5000),
    flushPattern: flush === undefined ? undefined : pattern(section, 'flush_pattern', flush),
    skipNewLine: section.boolean('skip_newline', false),
  }
}

function readJson(section: Section, target: string): JsonSettings {
  section.refuse(['expand_keys', 'document_id'], notBuilt)
  section.accept(['ignore_decoding_error'])
  const messageKey = section.text('message_key')
  return {
    keysUnderRoot: section.boolean('keys_under_root', false),
    overwriteKeys: section.boolean('overwrite_keys', false),
    addErrorKey: section.boolean('add_error_key', false),
    messageKey: messageKey === '' ? undefined : messageKey,
    target,
  }
}

function readNdjson(section: Section): JsonSettings {
  const target = section.text('target') ?? ''
  const json = readJson(section, target)
  return target === '' ? { ...json, keysUnderRoot: true } : json
}

function eventSettings(
  section: Section,
  general: GeneralFields,
  kind: string,
): InputSettings['event'] {
  const own = section.data('fields')
  const ownUnderRoot = section.boolean('fields_under_root', false)
  section.accept(['keep_null'])
  const { fieldsUnderRoot } = general
  return {
    inputType: kind,
    tags: [...general.tags, ...section.texts('tags')],
    fields: { ...(fieldsUnderRoot ? {} : general.fields), ...(ownUnderRoot ? {} : own) },
    rootFields: { ...(fieldsUnderRoot ? general.fields : {}), ...(ownUnderRoot ? own : {}) },
  }
}

// Pure. The event a line becomes, with the fields and the JSON of Filebeat 7.17.

import type { Value, ValueMap } from '../events/values.ts'
import { Timestamp } from '../events/values.ts'
import { lookupIn } from './format-string.ts'
import type { Decoded } from './inputs/json.ts'
import type { Message } from './inputs/multiline.ts'
import type { EventSettings } from './settings.ts'

/** The version whose events these are. */
export const FILEBEAT_VERSION = '7.17.28'
const ECS_VERSION = '1.12.0'

/** Who ships. */
export interface Agent {
  readonly name: string
  readonly hostname: string
  /** Kept in path.data/meta.json. */
  readonly id: string
  /** New at each start. */
  readonly ephemeralId: string
}

/** What all events of one file share. */
export class EventSource {
  readonly path: string
  readonly #common: ValueMap
  readonly #rootFields: ValueMap
  readonly #pretty: boolean
  /** The JSON around the parts that differ; undefined where fields stand in their place. */
  readonly #frame: { readonly beforeOffset: string; readonly behind: string } | undefined
  readonly #isDecoded: boolean

  constructor(
    agent: Agent,
    settings: EventSettings,
    options: { readonly path: string; readonly decodes: boolean; readonly pretty: boolean },
  ) {
    const { path, decodes, pretty } = options
    this.path = path
    this.#isDecoded = decodes
    this.#pretty = pretty
    this.#rootFields = settings.rootFields as ValueMap
    this.#common = commonFields(agent, settings)
    const taken = ['@timestamp', '@metadata', 'log', 'message']
    const collides = [...taken, ...Object.keys(this.#common)].some((key) =>
      Object.hasOwn(this.#rootFields, key),
    )
    if (collides || decodes || pretty) return
    const rest = JSON.stringify({ ...this.#common, ...this.#rootFields }).slice(1)
    const beat = JSON.stringify(metadata)
    const file = JSON.stringify(path)
    this.#frame = {
      beforeOffset: `","@metadata":${beat},"log":{"file":{"path":${file}},"offset":`,
      behind: `,${rest}`,
    }
  }

  /** Whether the field has the same value in every event of the file. */
  isFixed(path: string): boolean {
    const [top = ''] = path.split('.')
    if (path === 'log.file.path') return !Object.hasOwn(this.#rootFields, 'log')
    if (this.#isDecoded || top === 'message' || top === 'log' || top === '@timestamp') return false
    return true
  }

  json(message: Message, timestampMs: number, decoded: Decoded | undefined): string {
    const frame = this.#frame
    if (frame === undefined) {
      const data = this.data(message, timestampMs, decoded)
      return this.#pretty ? JSON.stringify(data, undefined, 2) : JSON.stringify(data)
    }
    const { flags } = message
    const flagged = flags.length === 0 ? '' : `,"flags":${JSON.stringify(flags)}`
    const log = `${frame.beforeOffset}${message.start}${flagged}}`
    const text = JSON.stringify(message.text)
    return `{"@timestamp":"${timeText(timestampMs)}${log},"message":${text}${frame.behind}`
  }

  /** The event as an object, for what is not known beforehand. */
  data(message: Message, timestampMs: number, decoded: Decoded | undefined): ValueMap {
    const log: ValueMap = { offset: message.start, file: { path: this.path } }
    if (message.flags.length > 0) log['flags'] = [...message.flags]
    const own: ValueMap = { log }
    let time = timeText(timestampMs)
    if (decoded === undefined) own['message'] = message.text
    else {
      if (decoded.message !== undefined) own['message'] = decoded.message
      time = takeTime(decoded) ?? time
      mergeDeep(own, decoded.fields, decoded.overwrite)
    }
    const data: ValueMap = { '@timestamp': time, '@metadata': { ...metadata }, ...own }
    const { tags, ...common } = this.#common
    addTags(data, tags)
    mergeDeep(data, common, true)
    mergeDeep(data, this.#rootFields, true)
    return data
  }
}

/** A line of a file on its way to the output. */
export class OutgoingEvent {
  readonly source: EventSource
  readonly timestampMs: number
  readonly json: string
  /** Called once, when the event is acknowledged or given up for good. */
  readonly settle: () => void
  readonly #message: Message
  readonly #decoded: Decoded | undefined
  #data: ValueMap | undefined

  constructor(
    source: EventSource,
    message: Message,
    details: {
      readonly timestampMs: number
      readonly decoded: Decoded | undefined
      readonly settle: () => void
    },
  ) {
    this.source = source
    this.timestampMs = details.timestampMs
    this.settle = details.settle
    this.#message = message
    this.#decoded = details.decoded
    this.json = source.json(message, details.timestampMs, details.decoded)
  }

  /** For format strings. */
  lookup(path: string): Value | undefined {
    this.#data ??= this.source.data(this.#message, this.timestampMs, this.#decoded)
    return lookupIn(this.#data, path)
  }

  get offset(): number {
    return this.#message.start
  }
}

const metadata = { beat: 'filebeat', type: '_doc', version: FILEBEAT_VERSION } as const

function commonFields(agent: Agent, settings: EventSettings): ValueMap {
  const { name, hostname, id, ephemeralId } = agent
  const common: ValueMap = {}
  if (settings.tags.length > 0) common['tags'] = [...settings.tags]
  common['input'] = { type: settings.inputType }
  if (Object.keys(settings.fields).length > 0) common['fields'] = settings.fields as ValueMap
  common['host'] = { name }
  common['agent'] = {
    type: 'filebeat',
    version: FILEBEAT_VERSION,
    hostname,
    ephemeral_id: ephemeralId,
    id,
    name,
  }
  common['ecs'] = { version: ECS_VERSION }
  return common
}

let lastMs = Number.NaN
let lastText = ''

function timeText(timestampMs: number): string {
  if (timestampMs !== lastMs) {
    lastText = new Timestamp(timestampMs).toString()
    lastMs = timestampMs
  }
  return lastText
}

/** A decoded `@timestamp` replaces that of the event where keys may be overwritten. */
function takeTime(decoded: Decoded): string | undefined {
  const found = decoded.fields['@timestamp']
  if (found === undefined || !decoded.overwrite) return undefined
  delete decoded.fields['@timestamp']
  const timeMs = typeof found === 'string' ? Date.parse(found) : Number.NaN
  if (!Number.isNaN(timeMs)) return timeText(timeMs)
  const problem = '@timestamp not overwritten (parse error on value)'
  decoded.fields['error'] ??= { message: problem, type: 'json' }
  return undefined
}

function addTags(data: ValueMap, tags: Value | undefined): void {
  if (!Array.isArray(tags)) return
  const known = data['tags']
  data['tags'] = Array.isArray(known) ? [...known, ...tags] : [...tags]
}

function mergeDeep(target: ValueMap, source: ValueMap, overwrite: boolean): void {
  for (const [key, value] of Object.entries(source)) {
    const known = Object.hasOwn(target, key) ? target[key] : undefined
    if (isMap(known) && isMap(value)) {
      const copy = { ...known }
      mergeDeep(copy, value, overwrite)
      put(target, key, copy)
    } else if (known === undefined || overwrite) put(target, key, value)
  }
}

/** A key such as `__proto__` is a key like any other. */
function put(target: ValueMap, key: string, value: Value): void {
  Object.defineProperty(target, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  })
}

function isMap(value: Value | undefined): value is ValueMap {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.getPrototypeOf(value) === Object.prototype
  )
}

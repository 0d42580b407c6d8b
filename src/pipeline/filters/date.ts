// The filter date: reads a time from a field by Joda patterns or named formats.

import { type PipelineEvent, setNamedField, tagEvent } from '../../events/event.ts'
import { getField, reference } from '../../events/references.ts'
import { type Template, valueText } from '../../events/sprintf.ts'
import { Timestamp, type Value } from '../../events/values.ts'
import { parseIso8601, parseTai64n, parseUnix, parseUnixMs } from '../../text/dates/formats.ts'
import { type DateParser, compileDateParser } from '../../text/dates/parse.ts'
import { type Zone, zoneOf } from '../../text/dates/zones.ts'
import { configText } from '../decorate.ts'
import { defineFilter } from './define.ts'

export const date = defineFilter({
  name: 'date',
  options: {
    match: { type: 'array', default: [] },
    target: { type: 'string', default: '@timestamp' },
    timezone: { type: 'string' },
    locale: { type: 'string' },
    tag_on_failure: { type: 'array', default: ['_dateparsefailure'] },
  },
  build({ options, ports, template, matched }) {
    const [field, ...formats] = options.match.map(configText)
    if (field === undefined || formats.length === 0) {
      throw new Error(
        'The match setting should contains first a field name and at least one date format, ' +
          `current value is [${options.match.map(configText).join(', ')}]`,
      )
    }
    const locale = options.locale?.replaceAll('_', '-') ?? 'en-US'
    const parsers = formats.map((format) => parserOf(format, locale))
    const zones = zoneReader(options.timezone, template)
    const source = reference(field)
    const failureTags = options.tag_on_failure.map(configText)
    const parse = (event: PipelineEvent, value: Value): number | undefined => {
      const zone = zones(event)
      if (zone === undefined) return undefined
      const text = valueText(value)
      const now = ports.clock.now()
      for (const parser of parsers) {
        const time = parser(text, now, zone)
        if (time !== undefined && Math.abs(time) <= MOMENT_MAX) return time
      }
      return undefined
    }
    const apply = (event: PipelineEvent): void => {
      const found = getField(event, source)
      if (found === undefined) return
      for (const value of Array.isArray(found) ? found : [found]) {
        if (value === null) continue
        const time = parse(event, value)
        if (time === undefined) for (const tag of failureTags) tagEvent(event, tag)
        else {
          setNamedField(event, options.target, new Timestamp(time))
          matched(event)
        }
      }
    }
    return {
      apply(events) {
        for (const event of events) apply(event)
        return undefined
      },
    }
  },
})

/** Milliseconds before and after 1970 beyond which there is no date to print. */
const MOMENT_MAX = 8.64e15

/** @throws DatePatternError, RangeError */
function parserOf(format: string, locale: string): DateParser {
  switch (format) {
    case 'ISO8601':
      return (text, _now, zone) => parseIso8601(text, zone)
    case 'UNIX':
      return parseUnix
    case 'UNIX_MS':
      return parseUnixMs
    case 'TAI64N':
      return parseTai64n
    default:
      return compileDateParser(format, locale)
  }
}

/** The zone of a time that names none: a fixed one, one from the event, or this machine's. */
function zoneReader(
  timezone: string | undefined,
  template: (text: string) => Template,
): (event: PipelineEvent) => Zone | undefined {
  const name = timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  const rendered = template(name)
  if (rendered.dynamic) return (event) => zoneOf(rendered.render(event))
  const zone = zoneOf(name)
  if (zone === undefined) throw new Error(`The datetime zone id '${name}' is not recognised`)
  return () => zone
}

// The filter mutate. Its operations run in a fixed order, not in the order of the file.

import { type PipelineEvent, setNamedField, tagEvent } from '../../events/event.ts'
import { getField, reference, removeField } from '../../events/references.ts'
import type { Template } from '../../events/sprintf.ts'
import { type Value, copyValue, isMap } from '../../events/values.ts'
import { configText, listOf } from '../decorate.ts'
import type { ConfigHash, ConfigValue } from '../configuration.ts'
import { converters, isConversion } from './conversions.ts'
import { defineFilter } from './define.ts'
import { type Substitution, gsubOperation } from './gsub.ts'
import type { Fail, Operation } from './operation.ts'
import { capitalize, joinList, splitText, stripText } from './text-operations.ts'

type CompileTemplate = (text: string) => Template

export const mutate = defineFilter({
  name: 'mutate',
  options: {
    coerce: { type: 'hash', default: {} },
    rename: { type: 'hash', default: {} },
    update: { type: 'hash', default: {} },
    replace: { type: 'hash', default: {} },
    convert: { type: 'hash', default: {} },
    gsub: { type: 'array', default: [] },
    uppercase: { type: 'array', default: [] },
    capitalize: { type: 'array', default: [] },
    lowercase: { type: 'array', default: [] },
    strip: { type: 'array', default: [] },
    split: { type: 'hash', default: {} },
    join: { type: 'hash', default: {} },
    merge: { type: 'hash', default: {} },
    copy: { type: 'hash', default: {} },
    tag_on_failure: { type: 'string', default: '_mutate_error' },
  },
  build({ options, ports, template, decorate }) {
    const { logger } = ports
    const operations: Operation[] = [
      ...eachPair(options.coerce, (field, value) => coerce(field, template(configText(value)))),
      ...eachPair(options.rename, (from, to) => rename(template(from), template(configText(to)))),
      ...eachPair(options.update, (field, value) => update(field, template(configText(value)))),
      ...eachPair(options.replace, (field, value) => replace(field, template(configText(value)))),
      ...eachPair(options.convert, (field, type) => convert(field, configText(type))),
      ...substitutions(options.gsub, template).map(gsubOperation),
      ...onTexts(options.uppercase, (text) => text.toUpperCase()),
      ...onTexts(options.capitalize, capitalize),
      ...onTexts(options.lowercase, (text) => text.toLowerCase()),
      ...onTexts(options.strip, stripText),
      ...eachPair(options.split, (field, separator) => split(field, configText(separator))),
      ...eachPair(options.join, (field, separator) => join(field, configText(separator))),
      ...eachPair(options.merge, (field, added) =>
        merge(field, (Array.isArray(added) ? added : [added]).map(configText)),
      ),
      ...eachPair(options.copy, (from, to) => copy(from, configText(to))),
    ]
    return {
      apply(events) {
        const failed = new Set<PipelineEvent>()
        const fail: Fail = (event, error) => {
          failed.add(event)
          logger.warn(`Exception caught while applying mutate filter: ${messageOf(error)}`)
          tagEvent(event, options.tag_on_failure)
        }
        for (const operation of [...operations, { one: decorate }]) {
          const rest = failed.size === 0 ? events : events.filter((event) => !failed.has(event))
          if ('all' in operation) operation.all(rest, fail)
          else applyEach(rest, operation.one, fail)
        }
        return undefined
      },
    }
  },
})

function applyEach(
  events: readonly PipelineEvent[],
  operation: (event: PipelineEvent) => void,
  fail: Fail,
): void {
  for (const event of events) {
    try {
      operation(event)
    } catch (error) {
      fail(event, error)
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function eachPair(
  hash: ConfigHash,
  operation: (key: string, value: ConfigValue) => (event: PipelineEvent) => void,
): Operation[] {
  return [...hash].map(([key, value]) => ({ one: operation(key, value) }))
}

/** The default for a field that is there and null. */
function coerce(name: string, value: Template): (event: PipelineEvent) => void {
  return (event) => {
    if (getField(event, reference(name)) === null) setNamedField(event, name, value.render(event))
  }
}

function rename(from: Template, to: Template): (event: PipelineEvent) => void {
  return (event) => {
    const [oldName, newName] = [from.render(event), to.render(event)]
    const value = getField(event, reference(oldName))
    if (value === undefined) return
    removeField(event, reference(oldName))
    setNamedField(event, newName, value)
  }
}

function update(name: string, value: Template): (event: PipelineEvent) => void {
  return (event) => {
    if (getField(event, reference(name)) === undefined) return
    setNamedField(event, name, value.render(event))
  }
}

function replace(name: string, value: Template): (event: PipelineEvent) => void {
  return (event) => setNamedField(event, name, value.render(event))
}

function convert(name: string, type: string): (event: PipelineEvent) => void {
  if (!isConversion(type)) {
    throw new Error(
      `Invalid conversion type '${type}', expected one of '${Object.keys(converters).join(',')}'`,
    )
  }
  const converter = converters[type]
  return (event) => {
    const value = getField(event, reference(name))
    if (value === undefined || value === null || isMap(value)) return
    const converted = Array.isArray(value)
      ? value.map((item) => (item === null ? null : converter(item)))
      : converter(value)
    setNamedField(event, name, converted)
  }
}

function substitutions(gsub: readonly ConfigValue[], template: CompileTemplate): Substitution[] {
  const result: Substitution[] = []
  for (let at = 0; at < gsub.length; at += 3) {
    const [field, needle, replacement] = gsub.slice(at, at + 3).map(configText)
    if (field === undefined || needle === undefined || replacement === undefined) {
      throw new Error(
        `Invalid gsub configuration [${gsub
          .slice(at, at + 3)
          .map(configText)
          .join(', ')}]. ` + 'gsub requires 3 non-nil elements per config entry',
      )
    }
    result.push({ field, needle: template(needle), replacement: template(replacement) })
  }
  return result
}

function onTexts(fields: readonly ConfigValue[], change: (text: string) => string): Operation[] {
  const changed = (value: Value): Value => (typeof value === 'string' ? change(value) : value)
  return fields.map((field) => ({
    one(event) {
      const name = configText(field)
      const value = getField(event, reference(name))
      if (typeof value === 'string') setNamedField(event, name, change(value))
      else if (Array.isArray(value)) setNamedField(event, name, value.map(changed))
    },
  }))
}

function split(name: string, separator: string): (event: PipelineEvent) => void {
  return (event) => {
    const value = getField(event, reference(name))
    if (typeof value === 'string') setNamedField(event, name, splitText(value, separator))
  }
}

function join(name: string, separator: string): (event: PipelineEvent) => void {
  return (event) => {
    const value = getField(event, reference(name))
    if (Array.isArray(value)) setNamedField(event, name, joinList(value, separator))
  }
}

/** Lists take what is added at their end, objects take its keys; one of each is an error, logged. */
function merge(name: string, added: readonly string[]): (event: PipelineEvent) => void {
  return (event) => {
    let target = getField(event, reference(name)) ?? null
    for (const addedName of added) {
      const value = getField(event, reference(addedName)) ?? null
      if (isMap(target) !== isMap(value)) continue
      if (isMap(target) && isMap(value)) target = { ...target, ...value }
      else {
        const list = [...listOf(target), ...listOf(value)]
        if (Array.isArray(target)) target = list
        setNamedField(event, name, list)
        continue
      }
      setNamedField(event, name, target)
    }
  }
}

function copy(from: string, to: string): (event: PipelineEvent) => void {
  return (event) => {
    const value = getField(event, reference(from))
    if (value !== undefined && value !== null) setNamedField(event, to, copyValue(value))
  }
}

// Pure. The common options of filters and inputs: add_field, remove_field, add_tag, remove_tag.

import { type PipelineEvent, isLegalTags, setNamedField } from '../events/event.ts'
import { type Reference, getField, reference, removeField } from '../events/references.ts'
import { type Template, valueText } from '../events/sprintf.ts'
import type { Value } from '../events/values.ts'
import { type ConfigHash, type ConfigValue, plainValue } from './configuration.ts'

export interface Decorations {
  readonly add_field: ConfigHash
  readonly remove_field: readonly ConfigValue[]
  readonly add_tag: readonly ConfigValue[]
  readonly remove_tag: readonly ConfigValue[]
}

type CompileTemplate = (text: string) => Template

/** A function that applies them; it may throw FieldReferenceError and TagsTypeError. */
export function compileDecorations(
  options: Decorations,
  template: CompileTemplate,
): (event: PipelineEvent) => void {
  const steps: ((event: PipelineEvent) => void)[] = []
  for (const [name, value] of options.add_field) steps.push(addField(name, value, template))
  for (const name of options.remove_field) steps.push(removal(configText(name), template))
  if (options.add_tag.length > 0) steps.push(tagging(options.add_tag, template))
  if (options.remove_tag.length > 0) steps.push(untagging(options.remove_tag, template))
  const [only] = steps
  if (only === undefined) return () => {}
  if (steps.length === 1) return only
  return (event) => {
    for (const step of steps) step(event)
  }
}

export function configText(value: ConfigValue): string {
  return valueText(plainValue(value))
}

/** A field that exists becomes a list, with the value at its end. */
function addField(
  name: string,
  value: ConfigValue,
  template: CompileTemplate,
): (event: PipelineEvent) => void {
  const nameTemplate = template(name)
  const values = (Array.isArray(value) ? value : [value]).map((item) =>
    typeof item === 'string' ? template(item) : plainValue(item),
  )
  return (event) => {
    const field = nameTemplate.render(event)
    for (const item of values) {
      const added = isTemplate(item) ? item.render(event) : item
      const existing = getField(event, reference(field))
      setNamedField(event, field, existing === undefined ? added : [...listOf(existing), added])
    }
  }
}

function isTemplate(item: Value | Template): item is Template {
  return typeof item === 'object' && item !== null && 'render' in item
}

/** Ruby's Array(): nothing gives an empty list. */
export function listOf(value: Value): Value[] {
  if (Array.isArray(value)) return value
  return value === null ? [] : [value]
}

function removal(name: string, template: CompileTemplate): (event: PipelineEvent) => void {
  const nameTemplate = template(name)
  if (!nameTemplate.dynamic) {
    let field: Reference | undefined
    return (event) => {
      field ??= reference(name)
      removeField(event, field)
    }
  }
  return (event) => {
    removeField(event, reference(nameTemplate.render(event)))
  }
}

function tagging(
  tags: readonly ConfigValue[],
  template: CompileTemplate,
): (event: PipelineEvent) => void {
  const templates = tags.map((tag) => template(configText(tag)))
  return (event) => {
    const existing = event.data['tags']
    const all = existing === undefined ? [] : [...listOf(existing)]
    for (const tag of templates) all.push(tag.render(event))
    event.data['tags'] = all
  }
}

function untagging(
  tags: readonly ConfigValue[],
  template: CompileTemplate,
): (event: PipelineEvent) => void {
  const templates = tags.map((tag) => template(configText(tag)))
  return (event) => {
    const existing = event.data['tags']
    if (existing === undefined || existing === null || !isLegalTags(existing)) return
    const unwanted = new Set(templates.map((tag) => tag.render(event)))
    event.data['tags'] = listOf(existing).filter((tag) => !unwanted.has(valueText(tag)))
  }
}

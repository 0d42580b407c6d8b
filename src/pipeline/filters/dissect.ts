// The filter dissect: cuts a field's text at fixed delimiters.

import { type PipelineEvent, setNamedField, tagEvent } from '../../events/event.ts'
import { getField, reference } from '../../events/references.ts'
import { floatValue, integerValue } from '../../events/values.ts'
import { compileDissect } from '../../text/dissect.ts'
import { configText } from '../decorate.ts'
import { defineFilter } from './define.ts'

export const dissect = defineFilter({
  name: 'dissect',
  options: {
    mapping: { type: 'hash', default: {} },
    convert_datatype: { type: 'hash', default: {} },
    tag_on_failure: { type: 'array', default: ['_dissectfailure'] },
  },
  build({ options, template, ports, matched }) {
    const mappings = [...options.mapping].map(([name, mapping]) => ({
      source: reference(name),
      dissector: compileDissect(configText(mapping)),
    }))
    const conversions = [...options.convert_datatype].map(([name, type]) => ({
      name,
      field: reference(name),
      type: configText(type),
    }))
    const odd = conversions.find(({ type }) => type !== 'int' && type !== 'float')
    if (odd !== undefined) {
      throw new TypeError(`convert_datatype: ${odd.name} can become int or float, not ${odd.type}`)
    }
    const failureTags = options.tag_on_failure.map((tag) => template(configText(tag)))
    const cut = (event: PipelineEvent): boolean => {
      let fits = true
      for (const { source, dissector } of mappings) {
        const text = getField(event, source)
        if (text === undefined || text === null) continue
        const fields = typeof text === 'string' && text !== '' ? dissector.dissect(text) : undefined
        if (fields === undefined) fits = false
        for (const [name, value] of fields ?? []) setNamedField(event, name, value)
      }
      return fits
    }
    const convert = (event: PipelineEvent): void => {
      for (const { name, field, type } of conversions) {
        const value = getField(event, field)
        if (value === undefined) continue
        const text = typeof value === 'string' ? value.trim() : ''
        if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text)) {
          tagEvent(event, `_dataconversionuncoercible_${name}_${type}`)
        } else {
          setNamedField(
            event,
            name,
            type === 'int' ? integerValue(wholePart(text)) : floatValue(Number(text)),
          )
        }
      }
    }
    return {
      apply(events) {
        for (const event of events) {
          try {
            const fits = cut(event)
            convert(event)
            if (fits) matched(event)
            else for (const tag of failureTags) tagEvent(event, tag.render(event))
          } catch (error) {
            ports.logger.warn('the filter dissect could not set a field', error)
            for (const tag of failureTags) tagEvent(event, tag.render(event))
          }
        }
        return undefined
      },
    }
  },
})

/** The digits before the point; text with an exponent by its value. */
function wholePart(text: string): bigint {
  const digits = /^[-+]?\d+(?=\.|$)/.exec(text)?.[0]
  return digits === undefined ? BigInt(Math.trunc(Number(text))) : BigInt(digits.replace('+', ''))
}

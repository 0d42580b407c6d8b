// Pure. Conditions on events as trees, and their compilation to predicates.

import type { PipelineEvent } from './event.ts'
import { type Reference, getField } from './references.ts'
import { valueText } from './sprintf.ts'
import { ExactNumber, Timestamp, type Value, isMap } from './values.ts'

export type Operand =
  | { readonly kind: 'field'; readonly field: Reference }
  | { readonly kind: 'value'; readonly value: Value }

export type Comparison = '==' | '!=' | '<' | '>' | '<=' | '>='

export type Condition =
  | { readonly kind: 'and' | 'or' | 'xor' | 'nand'; left: Condition; right: Condition }
  | { readonly kind: 'not'; readonly condition: Condition }
  | { readonly kind: 'truthy'; readonly operand: Operand }
  | { readonly kind: 'compare'; operator: Comparison; left: Operand; right: Operand }
  | { readonly kind: 'match'; readonly operand: Operand; readonly regexp: RegExp }
  | { readonly kind: 'in'; readonly item: Operand; readonly list: Operand }

export type Predicate = (event: PipelineEvent) => boolean

/** Values that cannot be compared, such as a text and a number, or anything with a missing field. */
export class ConditionError extends Error {
  override readonly name = 'ConditionError'
}

/** The predicate throws ConditionError where the event's values cannot be compared. */
export function compileCondition(condition: Condition): Predicate {
  switch (condition.kind) {
    case 'not': {
      const inner = compileCondition(condition.condition)
      return (event) => !inner(event)
    }
    case 'truthy': {
      const read = reader(condition.operand)
      return (event) => isTruthy(read(event))
    }
    case 'compare':
      return compileComparison(condition.operator, condition.left, condition.right)
    case 'match': {
      const read = reader(condition.operand)
      const { regexp } = condition
      return (event) => {
        const value = read(event)
        return typeof value === 'string' && regexp.test(value)
      }
    }
    case 'in':
      return compileIn(condition.item, condition.list)
    case 'and':
    case 'or':
    case 'xor':
    case 'nand':
      return compilePair(condition)
  }
}

function compilePair(
  condition: Extract<Condition, { kind: 'and' | 'or' | 'xor' | 'nand' }>,
): Predicate {
  const left = compileCondition(condition.left)
  const right = compileCondition(condition.right)
  switch (condition.kind) {
    case 'and':
      return (event) => left(event) && right(event)
    case 'or':
      return (event) => left(event) || right(event)
    case 'xor':
      return (event) => left(event) !== right(event)
    case 'nand':
      return (event) => !(left(event) && right(event))
  }
}

/** Whether a regular expression runs when this is evaluated, so that it needs a time limit. */
export function usesRegexp(condition: Condition): boolean {
  switch (condition.kind) {
    case 'match':
      return true
    case 'not':
      return usesRegexp(condition.condition)
    case 'truthy':
    case 'compare':
    case 'in':
      return false
    case 'and':
    case 'or':
    case 'xor':
    case 'nand':
      return usesRegexp(condition.left) || usesRegexp(condition.right)
  }
}

function reader(operand: Operand): (event: PipelineEvent) => Value | undefined {
  if (operand.kind === 'value') return () => operand.value
  const { field } = operand
  return (event) => getField(event, field)
}

/** Anything but nothing, the empty text and false; zero is true. */
export function isTruthy(value: Value | undefined): boolean {
  return (
    value !== undefined && value !== null && value !== '' && value !== false && value !== 'false'
  )
}

function compileComparison(operator: Comparison, left: Operand, right: Operand): Predicate {
  const one = reader(left)
  const other = reader(right)
  switch (operator) {
    case '==':
      return (event) => sameValue(one(event), other(event))
    case '!=':
      return (event) => !sameValue(one(event), other(event))
    case '<':
      return (event) => compareValues(one(event), other(event)) < 0
    case '>':
      return (event) => compareValues(one(event), other(event)) > 0
    case '<=':
      return (event) => compareValues(one(event), other(event)) <= 0
    case '>=':
      return (event) => compareValues(one(event), other(event)) >= 0
  }
}

/** An integer never equals a float, as in the original: 1 is not 1.0. */
export function sameValue(one: Value | undefined, other: Value | undefined): boolean {
  if (one === other) return true
  if (one === undefined || one === null) return other === undefined || other === null
  if (one instanceof ExactNumber) {
    return (
      other instanceof ExactNumber &&
      one.kind === other.kind &&
      (one.kind === 'integer' ? one.text === other.text : one.value === other.value)
    )
  }
  if (one instanceof Timestamp) {
    return other instanceof Timestamp && one.epochMs === other.epochMs && one.nanos === other.nanos
  }
  if (Array.isArray(one)) {
    return (
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, index) => sameValue(item, other[index]))
    )
  }
  if (!isMap(one) || !isMap(other)) return false
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && sameValue(one[key], other[key]))
  )
}

function compareValues(one: Value | undefined, other: Value | undefined): number {
  if (typeof one === 'string' && typeof other === 'string') {
    if (one === other) return 0
    return one < other ? -1 : 1
  }
  if (one instanceof Timestamp && other instanceof Timestamp) {
    return one.epochMs - other.epochMs || one.nanos - other.nanos
  }
  const left = numberOf(one)
  const right = numberOf(other)
  if (left === undefined || right === undefined) {
    throw new ConditionError(`cannot compare ${kindOf(one)} with ${kindOf(other)}`)
  }
  return left - right
}

function numberOf(value: Value | undefined): number | undefined {
  if (typeof value === 'number') return value
  return value instanceof ExactNumber ? value.value : undefined
}

function kindOf(value: Value | undefined): string {
  if (value === undefined || value === null) return 'a missing field'
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Timestamp) return 'a timestamp'
  if (value instanceof ExactNumber) return 'a number'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function compileIn(item: Operand, list: Operand): Predicate {
  const readItem = reader(item)
  const readList = reader(list)
  if (list.kind === 'value' && Array.isArray(list.value)) {
    const texts = new Set(list.value.map(valueText))
    return (event) => {
      const value = readItem(event)
      return value !== undefined && value !== null && texts.has(valueText(value))
    }
  }
  if (list.kind === 'value') {
    const text = valueText(list.value)
    return (event) => {
      const value = readItem(event)
      return typeof value === 'string' && text.includes(value)
    }
  }
  return (event) => isIn(readItem(event), readList(event))
}

/** Part of a text, or element of a list. */
function isIn(item: Value | undefined, list: Value | undefined): boolean {
  if (item === undefined || item === null || Array.isArray(item) || isMap(item)) return false
  if (typeof item === 'string' && typeof list === 'string') return list.includes(item)
  if (Array.isArray(list)) return list.some((element) => sameValue(item, element))
  return sameValue(item, list)
}

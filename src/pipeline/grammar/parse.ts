// Configuration text to a syntax tree, with syntax errors worded as the original words them.

import { parse as parseGenerated } from './generated/parser.ts'
import type { SectionNode } from './tree.ts'

/** A configuration that is refused. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}

/** @throws ConfigurationError */
export function parseConfiguration(text: string): SectionNode[] {
  if (isBlank(text)) return []
  let reached = 0
  try {
    const tree: unknown = parseGenerated(text, {
      reached(offset: number) {
        reached = Math.max(reached, offset)
      },
    })
    return tree as SectionNode[]
  } catch (error) {
    if (isSyntaxError(error)) throw new ConfigurationError(failureText(error, text, reached))
    if (error instanceof RangeError) {
      throw new ConfigurationError('the configuration is nested too deeply', { cause: error })
    }
    throw error
  }
}

/** Only white space and comments: as if there were no configuration. */
function isBlank(text: string): boolean {
  return text.split(/\r?\n/).every((line) => /^\s*(?:#|$)/.test(line))
}

interface Expectation {
  readonly type: 'literal' | 'class' | 'any' | 'end' | 'not' | 'other'
  readonly text?: string
  readonly parts?: readonly (string | readonly [string, string])[]
  readonly inverted?: boolean
}

interface SyntaxFailure {
  readonly expected: readonly Expectation[]
  readonly location: { readonly start: { offset: number; line: number; column: number } }
}

function isSyntaxError(error: unknown): error is SyntaxFailure {
  return typeof error === 'object' && error !== null && 'expected' in error && 'location' in error
}

function failureText(failure: SyntaxFailure, text: string, reached: number): string {
  const { offset, line, column } = failure.location.start
  const expected = [...new Set(failure.expected.map(describe))].filter((name) => name !== '')
  const what = expected.length === 1 ? expected[0] : `one of ${expected.join(', ')}`
  const place = `at line ${line}, column ${column} (byte ${offset + 1})`
  return `Expected ${what} ${place} after ${text.slice(reached, offset)}`
}

function describe(expectation: Expectation): string {
  switch (expectation.type) {
    case 'literal': {
      const text = expectation.text ?? ''
      return text.includes('"') ? `'${text}'` : `"${text}"`
    }
    case 'class': {
      const parts = (expectation.parts ?? []).map((part) =>
        typeof part === 'string' ? escaped(part) : `${part[0]}-${part[1]}`,
      )
      return `[${expectation.inverted ? '^' : ''}${parts.join('')}]`
    }
    case 'any':
      return 'any character'
    case 'end':
    case 'not':
    case 'other':
      return ''
  }
}

function escaped(char: string): string {
  return { '\t': '\\t', '\r': '\\r', '\n': '\\n', ']': '\\]', '[': '\\[' }[char] ?? char
}

// Pure. Building statements: quoted names, bound values, and the types columns have in SQL.
import type { Analyzer } from '../../analysis/analyzer.ts'
import type { ColumnKind } from '../../mapping/field.ts'
import type { Scalar } from '../../mapping/values.ts'

export type SqlValue = Scalar | null | readonly Scalar[]

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** For what SQL takes only as a literal, such as a file's name. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** Collects bound values; each gets a place in the statement with its type spelled out. */
export class Parameters {
  readonly values: SqlValue[] = []
  readonly #shared = new Map<string, string>()

  add(value: SqlValue, type: SqlType): string {
    this.values.push(value)
    return `$${this.values.length}::${type}`
  }

  /** A text that the statement asks for again and again: bound once. */
  shared(text: string): string {
    let place = this.#shared.get(text)
    if (place === undefined) {
      place = this.add(text, 'VARCHAR')
      this.#shared.set(text, place)
    }
    return place
  }

  scalar(value: Scalar, kind: ColumnKind): string {
    if (kind === 'whole' && typeof value === 'number') {
      return this.add(BigInt(Math.trunc(value)), 'BIGINT')
    }
    return this.add(value, sqlTypes[kind])
  }

  list(values: readonly Scalar[], kind: ColumnKind): string {
    const whole = kind === 'whole'
    const bound = whole ? values.map((value) => BigInt(value)) : values
    return this.add(bound, `${sqlTypes[kind]}[]`)
  }
}

export type SqlScalarType = 'VARCHAR' | 'BIGINT' | 'DOUBLE' | 'FLOAT' | 'BOOLEAN' | 'UBIGINT'
export type SqlType = SqlScalarType | `${SqlScalarType}[]`

export const sqlTypes: Readonly<Record<ColumnKind, SqlScalarType>> = {
  string: 'VARCHAR',
  whole: 'BIGINT',
  double: 'DOUBLE',
  float: 'FLOAT',
  boolean: 'BOOLEAN',
}

/** Column with single values; most rows have one or none. */
export function singleColumn(column: number): string {
  return `c${column}`
}

/** Column with the lists of rows that have several values; made when the first such row comes. */
export function listColumn(column: number): string {
  return `m${column}`
}

/** The list of a text's tokens, cut and folded exactly as the analyzer does. */
export function tokensSql(analyzer: Analyzer, text: string): string {
  const folded = analyzer.lowercase ? `lower(${text})` : text
  if (analyzer.tokenPattern === undefined) return `[${folded}]`
  return `regexp_extract_all(${folded}, ${quoteText(analyzer.tokenPattern.re2)})`
}

export function and(parts: readonly string[]): string {
  if (parts.length === 0) return 'true'
  return parts.length === 1 ? (parts[0] ?? 'true') : `(${parts.join(' AND ')})`
}

/** The same, and no test is made where an earlier one fails: the engine makes all of an AND's. */
export function inTurn(tests: readonly string[]): string {
  return tests.reduceRight((rest, test) => `(CASE WHEN ${test} THEN ${rest} ELSE false END)`)
}

export function or(parts: readonly string[]): string {
  if (parts.length === 0) return 'false'
  return parts.length === 1 ? (parts[0] ?? 'false') : `(${parts.join(' OR ')})`
}

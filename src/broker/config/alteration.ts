// Pure.
/** What IncrementalAlterConfigs does to settings that are kept as texts, and which are not allowed. */
import type { Setting } from '../../runtime/settings.ts'
import type { Properties } from './layers.ts'

export interface ConfigOperation {
  readonly name: string
  /** One of `operations`. */
  readonly operation: number
  readonly value: string
}

export const operations = { set: 0, delete: 1, append: 2, subtract: 3 } as const

type Declared = Readonly<Record<string, Setting<unknown>>>

export type Altered =
  | { readonly properties: Properties; readonly problem: undefined }
  | { readonly properties: undefined; readonly problem: string }

/** Lists are added to and taken from; where nothing was set, their default is. */
export function alter(
  current: Properties,
  changes: readonly ConfigOperation[],
  declared: Declared,
): Altered {
  const properties: Record<string, string> = { ...current }
  for (const { name, operation, value } of changes) {
    if (operation === operations.set) properties[name] = value
    else if (operation === operations.delete) delete properties[name]
    else {
      const setting = Object.hasOwn(declared, name) ? declared[name] : undefined
      const isAppend = operation === operations.append
      if (setting?.type !== 'list')
        return {
          properties: undefined,
          problem: `Config value ${isAppend ? 'append' : 'subtract'} is not allowed for config key: ${name}`,
        }
      const old = membersOf(properties[name] ?? setting.defaultText ?? '')
      const given = membersOf(value)
      const next = isAppend
        ? [...old, ...given.filter((one) => !old.includes(one))]
        : old.filter((one) => !given.includes(one))
      properties[name] = next.join(',')
    }
  }
  return { properties, problem: undefined }
}

function membersOf(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
}

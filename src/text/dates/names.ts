// Names of months, days and halves of the day per locale, from Intl.

export interface DateNames {
  /** Lower-case name to number (1 to 12, 1 = Monday to 7), long and short forms together. */
  readonly months: ReadonlyMap<string, number>
  readonly days: ReadonlyMap<string, number>
  readonly monthsLong: readonly string[]
  readonly monthsShort: readonly string[]
  readonly daysLong: readonly string[]
  readonly daysShort: readonly string[]
}

const known = new Map<string, DateNames>()

/** @throws RangeError for a tag that is no BCP 47 language tag */
export function dateNames(locale: string): DateNames {
  const found = known.get(locale)
  if (found !== undefined) return found
  const names = makeNames(locale)
  known.set(locale, names)
  return names
}

function makeNames(locale: string): DateNames {
  const months = (style: 'long' | 'short'): string[] => {
    const format = new Intl.DateTimeFormat(locale, { month: style, timeZone: 'UTC' })
    return Array.from({ length: 12 }, (_, month) => format.format(Date.UTC(2024, month, 1)))
  }
  const days = (style: 'long' | 'short'): string[] => {
    const format = new Intl.DateTimeFormat(locale, { weekday: style, timeZone: 'UTC' })
    return Array.from({ length: 7 }, (_, day) => format.format(Date.UTC(2024, 0, 1 + day)))
  }
  const [monthsLong, monthsShort, daysLong, daysShort] = [
    months('long'),
    months('short'),
    days('long'),
    days('short'),
  ]
  return {
    months: numbered(monthsLong, monthsShort),
    days: numbered(daysLong, daysShort),
    monthsLong,
    monthsShort,
    daysLong,
    daysShort,
  }
}

function numbered(...lists: readonly string[][]): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>()
  for (const list of lists) {
    for (const [index, name] of list.entries()) numbers.set(name.toLowerCase(), index + 1)
  }
  return numbers
}

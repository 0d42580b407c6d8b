// Pure. Calendar arithmetic in whole days and milliseconds since 1970, without allocating dates.

export const DAY_MS = 86_400_000

/** Days since 1970-01-01 of a date in the proleptic Gregorian calendar; month is 1 to 12. */
export function daysOfDate(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100)
  return era * 146_097 + dayOfEra + dayOfYear - 719_468
}

export interface DateParts {
  readonly year: number
  readonly month: number
  readonly day: number
}

export function dateOfDays(days: number): DateParts {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  }
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

export function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : (MONTH_DAYS[month - 1] ?? 0)
}

/** 1 for Monday to 7 for Sunday. */
export function dayOfWeek(days: number): number {
  return ((((days + 3) % 7) + 7) % 7) + 1
}

/** ISO 8601 week: the year it belongs to, and its number. */
export function weekOfDays(days: number): { readonly weekyear: number; readonly week: number } {
  const thursday = days - dayOfWeek(days) + 4
  const weekyear = dateOfDays(thursday).year
  return { weekyear, week: Math.floor((thursday - daysOfDate(weekyear, 1, 1)) / 7) + 1 }
}

/** The Monday of an ISO week. */
export function daysOfWeek(weekyear: number, week: number): number {
  const fourth = daysOfDate(weekyear, 1, 4)
  return fourth - dayOfWeek(fourth) + 1 + (week - 1) * 7
}

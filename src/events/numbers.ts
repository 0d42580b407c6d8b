// Pure. Numbers as text the way the original prints them: Java's in sprintf, Ruby's in conversions.

import { ExactNumber } from './values.ts'

/** Java's Double.toString: 0.001 <= |x| < 10^7 plain, else `1.0E21`. Integers as they are. */
export function javaNumberText(value: number | ExactNumber): string {
  return numberText(value, -3, 7, 'E')
}

/** Ruby's Float#to_s: 0.0001 <= |x| < 10^16 plain, else `1.0e+21`. Integers as they are. */
export function rubyNumberText(value: number | ExactNumber): string {
  return numberText(value, -4, 16, 'e')
}

function numberText(
  value: number | ExactNumber,
  plainFrom: number,
  plainBelow: number,
  mark: 'E' | 'e',
): string {
  if (value instanceof ExactNumber) {
    if (value.kind === 'integer') return value.text
    return floatText(value.value, plainFrom, plainBelow, mark)
  }
  return Number.isInteger(value) ? String(value) : floatText(value, plainFrom, plainBelow, mark)
}

function floatText(value: number, plainFrom: number, plainBelow: number, mark: string): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const [digits = '0', exponentText = '0'] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  if (exponent >= plainFrom && exponent < plainBelow) {
    const plain = plainDigits(digits, exponent)
    return plain.includes('.') ? plain : `${plain}.0`
  }
  const mantissa = digits.includes('.') ? digits : `${digits}.0`
  if (mark === 'E') return `${mantissa}E${exponent}`
  const size = String(Math.abs(exponent)).padStart(2, '0')
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${size}`
}

function plainDigits(scientific: string, exponent: number): string {
  const sign = scientific.startsWith('-') ? '-' : ''
  const digits = scientific.replace(/[-.]/g, '')
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  if (digits.length <= exponent + 1) return sign + digits.padEnd(exponent + 1, '0')
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`
}

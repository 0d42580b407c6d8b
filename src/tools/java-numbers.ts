// Pure.
// Floating-point numbers as Java prints them.

/** As Double.toString does: 10.0, 1.0E7, 1.0E-4. */
export function javaDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  const size = Math.abs(value)
  if (size === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  if (size >= 1e-3 && size < 1e7) return withPoint(String(value))
  const [digits = '0', exponent = '0'] = value.toExponential().split('e')
  return `${withPoint(digits)}E${Number(exponent)}`
}

function withPoint(text: string): string {
  return text.includes('.') ? text : `${text}.0`
}

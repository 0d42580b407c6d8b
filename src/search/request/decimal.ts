// Pure. Numbers by a decimal pattern such as `#,##0.0`.

/** Digits before the point, groups of three where the pattern has a comma, places after the point. */
export function formatDecimal(value: number, pattern: string): string {
  const match = /^([^#0,.]*)([#0,]*)(?:\.([0#]*))?(.*)$/.exec(pattern)
  if (match === null) return String(value)
  const [, before = '', whole = '', places = '', after = ''] = match
  const scaled = after.startsWith('%') ? value * 100 : value
  const most = places.length
  const least = places.replaceAll('#', '').length
  const [integer = '0', fraction = ''] = Math.abs(scaled).toFixed(most).split('.')
  let kept = fraction
  while (kept.length > least && kept.endsWith('0')) kept = kept.slice(0, -1)
  const zeros = whole.replaceAll(/[^0]/g, '').length
  const digits = integer === '0' && zeros === 0 ? '' : integer.padStart(zeros, '0')
  const grouped = whole.includes(',') ? digits.replace(/\B(?=(\d{3})+$)/g, ',') : digits
  const sign = scaled < 0 ? '-' : ''
  return `${sign}${before}${grouped}${kept === '' ? '' : `.${kept}`}${after}`
}

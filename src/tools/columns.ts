// Pure.
// Tables of text: cells padded to the widths of the original's columns.

/**
 * A row without its end. A cell wider than its column pushes the rest to the right; the last cell is
 * padded only where it has a width.
 */
export function row(widths: readonly (number | undefined)[], cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' ')
}

/** The widest of these texts, but not less than `least`. */
export function widest(texts: readonly string[], least: number): number {
  return texts.reduce((most, { length }) => Math.max(most, length), least)
}

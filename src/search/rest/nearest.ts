// Pure. The known name that a mistyped one is closest to.

/** Undefined where nothing is within two thirds of the length. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: { readonly name: string; readonly distance: number } | undefined
  for (const one of known) {
    const distance = editDistance(name.slice(0, 64), one)
    if (best === undefined || distance < best.distance) best = { name: one, distance }
  }
  return best !== undefined && best.distance <= Math.max(name.length / 3, 1) ? best.name : undefined
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a.charAt(i - 1) === b.charAt(j - 1) ? 0 : 1
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same))
    }
    row = next
  }
  return row[b.length] ?? 0
}

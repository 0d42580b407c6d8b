// Pure. Index patterns that the names of the indices suggest.

const dated = /^(?:\.ds-)?(.+?)[-_.](?:\d{4}[.-]\d{2}(?:[.-]\d{2})?(?:-\d{6})?|\d{6})$/

/** `logstash-2026.11.22`, `logstash-2026.11.23` give `logstash-*`; data streams give their own name. */
export function suggestPatterns(names: readonly string[]): string[] {
  const patterns = new Set<string>()
  for (const name of names) {
    const stem = dated.exec(name)?.[1]
    if (stem !== undefined) patterns.add(name.startsWith('.ds-') ? stem : `${stem}-*`)
  }
  return [...patterns].toSorted()
}

/** What is shown first: the pattern or index with most documents. */
export function defaultPattern(
  indices: readonly { readonly name: string; readonly documentCount: number }[],
): string | undefined {
  const weights = new Map<string, number>()
  for (const { name, documentCount } of indices) {
    const key = suggestPatterns([name])[0] ?? name
    weights.set(key, (weights.get(key) ?? 0) + documentCount)
  }
  return [...weights].toSorted((a, b) => b[1] - a[1])[0]?.[0]
}

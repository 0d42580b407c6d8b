// Pure. Analyzers declared in an index's settings, as far as tokenizer and lower-casing go.
import { type Analyzer, findAnalyzer, tokenizers } from '../analysis/analyzer.ts'
import { illegalArgument } from '../errors.ts'

/** @throws SearchError for a tokenizer or type that is not known */
export function customAnalyzers(
  settings: Readonly<Record<string, string>>,
): ReadonlyMap<string, Analyzer> {
  const names = new Set<string>()
  const prefix = 'index.analysis.analyzer.'
  for (const key of Object.keys(settings)) {
    if (key.startsWith(prefix)) names.add(key.slice(prefix.length).split('.')[0] ?? '')
  }
  const analyzers = new Map<string, Analyzer>()
  for (const name of names) {
    const setting = (key: string): string | undefined => settings[`${prefix}${name}.${key}`]
    const type = setting('type') ?? 'custom'
    const base = findAnalyzer(type)
    if (base !== undefined) {
      analyzers.set(name, { ...base, name })
      continue
    }
    const tokenizer = setting('tokenizer') ?? 'standard'
    if (type !== 'custom' || !Object.hasOwn(tokenizers, tokenizer)) {
      throw illegalArgument(`failed to find tokenizer under name [${tokenizer}]`)
    }
    const filters = [setting('filter'), ...[0, 1, 2, 3, 4, 5].map((at) => setting(`filter.${at}`))]
    const lowercase = filters.includes('lowercase') || tokenizer === 'lowercase'
    const tokenPattern = tokenizers[tokenizer]
    analyzers.set(name, { name, tokenPattern, lowercase, stopwords: new Set() })
  }
  return analyzers
}

// Pure.
// Topics by regular expression, as --include and --topic mean it: the whole name must match, a comma
// separates alternatives, and quotes left over from a script are dropped.
import { OptionError } from './options.ts'

export type TopicFilter = (topic: string) => boolean

/** @throws OptionError for an expression that is none */
export function topicFilter(expression: string): TopicFilter {
  const source = expression
    .trim()
    .replaceAll(',', '|')
    .replaceAll(' ', '')
    .replace(/^["']+/, '')
    .replace(/["']+$/, '')
  let pattern: RegExp
  try {
    pattern = new RegExp(`^(?:${source})$`, 'u')
  } catch {
    throw new OptionError(`${source} is an invalid regex.`)
  }
  return (topic) => pattern.test(topic)
}

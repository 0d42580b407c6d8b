// Pure.
/** Which names a topic may have (kafka.md F17), and how partitions of internal topics are chosen. */

const legal = /^[a-zA-Z0-9._-]+$/
const lengthMax = 249

export const offsetsTopic = '__consumer_offsets'
export const transactionsTopic = '__transaction_state'

export function isInternalTopic(name: string): boolean {
  return name === offsetsTopic || name === transactionsTopic
}

/** Undefined where the name is legal; else the sentence that Kafka answers. */
export function topicNameProblem(name: string): string | undefined {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return `'${name}' is not allowed`
  if (name.length > lengthMax)
    return `the length of '${name}' is longer than the max allowed length ${lengthMax}`
  if (!legal.test(name))
    return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  return undefined
}

/** Names that differ only in `.` and `_` would share a metric: Kafka refuses the second one. */
export function collidesWith(name: string, existing: Iterable<string>): string | undefined {
  const plain = name.replaceAll('.', '_')
  if (!plain.includes('_')) return undefined
  for (const other of existing) {
    if (other !== name && other.replaceAll('.', '_') === plain) return other
  }
  return undefined
}

/** Java's String.hashCode. */
export function javaHashCode(text: string): number {
  let hash = 0
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0
  return hash
}

/** Which partition of an internal topic a group or transactional id lives in. */
export function internalPartitionFor(id: string, partitionCount: number): number {
  return (javaHashCode(id) & 0x7fffffff) % partitionCount
}

// Pure. What differs between the versions of Elasticsearch that a server can stand for.

export type CompatibilityName = '6.4.1' | '7.17' | '8'

export interface Compatibility {
  readonly name: CompatibilityName
  /** What `GET /` says. */
  readonly number: string
  readonly luceneVersion: string
  readonly major: number
  /** Documents of unfitting values: refused whole, or kept with the field named in `_ignored`. */
  readonly misfits: 'refuse' | 'ignore'
  /** `hits.total` is a plain number. */
  readonly plainTotal: boolean
  /** Answers carry `_type`. */
  readonly types: boolean
  /** Mappings have a level with the type's name. */
  readonly typedMappings: boolean
  readonly productHeader: boolean
  readonly shards: number
  /** For `index.version.created`. */
  readonly versionId: string
}

const all: Readonly<Record<CompatibilityName, Compatibility>> = {
  '6.4.1': {
    name: '6.4.1',
    number: '6.4.1',
    luceneVersion: '7.4.0',
    major: 6,
    misfits: 'refuse',
    plainTotal: true,
    types: true,
    typedMappings: true,
    productHeader: false,
    shards: 5,
    versionId: '6040199',
  },
  '7.17': {
    name: '7.17',
    number: '7.17.28',
    luceneVersion: '8.11.3',
    major: 7,
    misfits: 'ignore',
    plainTotal: false,
    types: true,
    typedMappings: false,
    productHeader: true,
    shards: 1,
    versionId: '7172899',
  },
  '8': {
    name: '8',
    number: '8.19.0',
    luceneVersion: '9.12.2',
    major: 8,
    misfits: 'ignore',
    plainTotal: false,
    types: false,
    typedMappings: false,
    productHeader: true,
    shards: 1,
    versionId: '8536000',
  },
}

/** `6.4.1`, `7.17`, `8`, or a longer version of one of these lines. */
export function findCompatibility(text: string): Compatibility | undefined {
  if (/^6(\.|$)/.test(text)) return all['6.4.1']
  if (/^7(\.|$)/.test(text)) return all['7.17']
  return /^8(\.|$)/.test(text) ? all['8'] : undefined
}

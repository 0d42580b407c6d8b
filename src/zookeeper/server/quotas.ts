// Pure.
// Quotas: `/zookeeper/quota/<path>/zookeeper_limits` bounds a subtree, `zookeeper_stats` beside it says
// what the subtree holds. Texts are `count=4,bytes=5` and, with hard limits,
// `count=4,bytes=5=;byteHardLimit=10;countHardLimit=10`; -1 is none.
export const QUOTA_ROOT = '/zookeeper/quota'
const LIMITS = '/zookeeper_limits'
const STATS = '/zookeeper_stats'

export interface Usage {
  readonly count: number
  readonly bytes: number
}

export interface Limits extends Usage {
  readonly countHardLimit: number
  readonly byteHardLimit: number
}

/** The subtree whose limits (or stats) a path holds; undefined where it is none such. */
export function limitedBy(path: string): string | undefined {
  return subject(path, LIMITS)
}

export function countedBy(path: string): string | undefined {
  return subject(path, STATS)
}

function subject(path: string, end: string): string | undefined {
  if (!path.startsWith(`${QUOTA_ROOT}/`) || !path.endsWith(end)) return undefined
  const inner = path.slice(QUOTA_ROOT.length, -end.length)
  return inner === '' ? undefined : inner
}

export function limitsPath(path: string): string {
  return QUOTA_ROOT + path + LIMITS
}

export function statsPath(path: string): string {
  return QUOTA_ROOT + path + STATS
}

/** What is not there, or no number, reads as -1. */
export function parseLimits(text: string): Limits {
  const values = new Map<string, number>()
  for (const pair of text.split(/[,;]+/)) {
    const [key = '', value = ''] = pair.split('=')
    const number = Number(value)
    values.set(key, value === '' || !Number.isSafeInteger(number) ? -1 : number)
  }
  const of = (key: string): number => values.get(key) ?? -1
  return {
    count: of('count'),
    bytes: of('bytes'),
    countHardLimit: of('countHardLimit'),
    byteHardLimit: of('byteHardLimit'),
  }
}

export function usageText({ count, bytes }: Usage): string {
  return `count=${count},bytes=${bytes}`
}

/** What a change would break, in words. Where a hard limit is set, the soft one is not looked at. */
export interface Excess {
  readonly isHard: boolean
  readonly message: string
}

/** What adding `added` to `usage` would exceed. */
export function excesses(
  path: string,
  limits: Limits,
  usage: Usage,
  added: Usage,
): readonly Excess[] {
  const found: Excess[] = []
  const check = (what: 'count' | 'bytes', soft: number, hard: number): void => {
    const isHard = hard > -1
    const limit = isHard ? hard : soft
    const next = usage[what] + added[what]
    if (added[what] === 0 || limit < 0 || next <= limit) return
    const name = `${isHard ? 'hard' : 'soft'}${what === 'count' ? 'Count' : 'Byte'}Limit`
    const message = `Quota exceeded: ${path} [current ${what}=${next}, ${name}=${limit}]`
    found.push({ isHard, message })
  }
  check('count', limits.count, limits.countHardLimit)
  check('bytes', limits.bytes, limits.byteHardLimit)
  return found
}

/** The subtrees that have limits. */
export class LimitedPaths {
  private readonly paths = new Set<string>()

  get size(): number {
    return this.paths.size
  }

  values(): IterableIterator<string> {
    return this.paths.values()
  }

  add(path: string): void {
    this.paths.add(path)
  }

  delete(path: string): void {
    this.paths.delete(path)
  }

  /** The innermost limited subtree that the path belongs to. */
  of(path: string): string | undefined {
    if (this.paths.size === 0) return undefined
    for (let at = path.length; at > 0; at = path.lastIndexOf('/', at - 1)) {
      const prefix = path.slice(0, at)
      if (this.paths.has(prefix)) return prefix
    }
    return undefined
  }
}

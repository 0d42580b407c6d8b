// Pure.
// Who may do what: schemes world, digest, ip and auth.
import { createHash } from 'node:crypto'
import { permissions } from '../protocol/opcodes.ts'
import { type Acl, OPEN_ACL } from './transactions.ts'

/** What a connection has proved to be: its address from the start, digests by auth packets. */
export interface Identity {
  readonly scheme: string
  readonly id: string
}

/** An identity that may do everything. */
export const SUPER: Identity = { scheme: 'super', id: '' }

/** `user:password` to the id of scheme digest: `user:base64(sha1(user:password))`. */
export function digestId(credentials: Buffer): string {
  const text = credentials.toString('utf8')
  const user = text.split(':', 1)[0] ?? ''
  return `${user}:${createHash('sha1').update(text).digest('base64')}`
}

/** Whether one of the identities has one of the permissions (a sum). An empty list allows all. */
export function allowed(
  acls: readonly Acl[],
  wanted: number,
  identities: readonly Identity[],
): boolean {
  if (acls === OPEN_ACL) return true
  if (acls.length === 0 || identities.some(({ scheme }) => scheme === 'super')) return true
  return acls.some(({ perms, id }) => {
    if ((perms & wanted) === 0) return false
    if (id.scheme === 'world') return id.id === 'anyone'
    return identities.some((identity) => identity.scheme === id.scheme && matches(identity, id.id))
  })
}

function matches(identity: Identity, wanted: string): boolean {
  if (identity.scheme !== 'ip') return identity.id === wanted
  const [network = '', bits] = wanted.split('/')
  const address = addressBytes(identity.id)
  const expected = addressBytes(network)
  if (address === undefined || expected === undefined) return false
  const count = bits === undefined ? expected.length * 8 : Number(bits)
  for (let bit = 0; bit < count; bit++) {
    const mask = 0x80 >> (bit % 8)
    const index = bit >> 3
    if (((address[index] ?? 0) & mask) !== ((expected[index] ?? 0) & mask)) return false
  }
  return true
}

/** Four bytes; undefined for what is no such address. Of longer ones the original knows nothing. */
function addressBytes(text: string): number[] | undefined {
  const parts = text.split('.')
  const valid = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part))
  const bytes = parts.map(Number)
  return valid && bytes.every((byte) => byte <= 255) ? bytes : undefined
}

function validId({ scheme, id }: Identity): boolean {
  if (scheme === 'world') return id === 'anyone'
  if (scheme === 'digest') return id.split(':').length === 2
  if (scheme !== 'ip') return false
  const [network = '', bits, more] = id.split('/')
  const bytes = addressBytes(network)
  if (bytes === undefined || more !== undefined) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bytes.length * 8)
}

/**
 * The list as it will be kept: `auth` stands for all that the client has proved to be. Undefined where
 * the list is empty, names an unknown scheme, or `auth` without anything proved.
 */
export function effectiveAcl(
  asked: readonly Acl[],
  identities: readonly Identity[],
): readonly Acl[] | undefined {
  if (asked === OPEN_ACL) return asked
  const kept = new Map<string, Acl>()
  const keep = (acl: Acl): void => {
    kept.set(JSON.stringify([acl.perms, acl.id.scheme, acl.id.id]), acl)
  }
  for (const { perms, id } of asked) {
    if (id.scheme === 'auth') {
      const proved = identities.filter(({ scheme }) => scheme === 'digest')
      if (proved.length === 0) return undefined
      for (const identity of proved) keep({ perms, id: identity })
    } else if (validId(id)) {
      keep({ perms, id })
    } else {
      return undefined
    }
  }
  return kept.size === 0 ? undefined : [...kept.values()]
}

/** A list as it is shown to one who may read but not administer: without password hashes. */
export function maskedAcl(acls: readonly Acl[], identities: readonly Identity[]): readonly Acl[] {
  if (allowed(acls, permissions.admin, identities)) return acls
  return acls.map(({ perms, id }) =>
    id.scheme === 'digest'
      ? { perms, id: { scheme: id.scheme, id: `${id.id.split(':', 1)[0] ?? ''}:x` } }
      : { perms, id },
  )
}

// Pure.
import { Errors } from '../../kafka/errors.ts'
import type { Group } from './group.ts'

/** Who speaks for a group: checked before anything is done for it. */
export interface MemberIdentity {
  readonly memberId: string
  readonly generation: number
  /** group.instance.id of a static member */
  readonly instanceId: string | null
}

/** NONE where the caller is a member and knows the present generation. */
export function generationProblem(group: Group, identity: MemberIdentity): number {
  const problem = group.memberProblem(identity.memberId, identity.instanceId)
  if (problem !== Errors.NONE) return problem
  return group.generation === identity.generation ? Errors.NONE : Errors.ILLEGAL_GENERATION
}

// Pure.
/** What members are answered when they join and when they sync. */

export interface JoinAnswer {
  readonly error: number
  readonly generation: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  readonly memberId: string
  readonly skipAssignment: boolean
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly metadata: Buffer
  }[]
}

export interface SyncAnswer {
  readonly error: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

export function refusedJoin(error: number, memberId: string): JoinAnswer {
  const nothing = { generation: -1, protocolType: null, protocolName: null, leader: '' }
  return { error, ...nothing, memberId, skipAssignment: false, members: [] }
}

export function refusedSync(error: number): SyncAnswer {
  return { error, protocolType: null, protocolName: null, assignment: Buffer.alloc(0) }
}

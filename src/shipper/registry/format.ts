// Pure. Filebeat's registry on disk (7.9 and newer): a log of operations, two lines each, and a
// checkpoint that holds all states up to a transaction number.

export type State = { readonly [key: string]: unknown }

export const LOG_FILE = 'log.json'
export const META_FILE = 'meta.json'
export const ACTIVE_FILE = 'active.dat'
export const CHECKPOINT_NEW = 'checkpoint.new'
export const META_CONTENT = '{"version":"1"}'

export interface Change {
  readonly key: string
  /** undefined: the state is removed. */
  readonly state: State | undefined
}

/** One operation as it stands in the log. */
export function encodeChange(id: number, { key, state }: Change): string {
  return state === undefined
    ? `{"op":"remove","id":${id}}\n${JSON.stringify({ k: key })}\n`
    : `{"op":"set","id":${id}}\n${JSON.stringify({ k: key, v: state })}\n`
}

export interface DecodedLog {
  /** The last transaction that was applied. */
  readonly lastId: number
  /** Where the whole operations end. */
  readonly validBytes: number
}

/**
 * Applies the operations that are newer than `checkpointId`. Stops at the first that is torn,
 * cannot be read or does not follow its predecessor; what stands before it is valid.
 */
export function applyLog(
  bytes: Buffer,
  checkpointId: number,
  states: Map<string, State>,
): DecodedLog {
  let lastId = checkpointId
  let validBytes = 0
  let action: { readonly op: string; readonly id: number } | undefined
  for (let at = 0; ; ) {
    const newline = bytes.indexOf(10, at)
    if (newline < 0) break
    const record = parseRecord(bytes.toString('utf8', at, newline))
    at = newline + 1
    if (record === undefined) break
    if (action === undefined) {
      const { op, id } = record
      if ((op !== 'set' && op !== 'remove') || typeof id !== 'number') break
      action = { op, id }
      continue
    }
    const { k: key, v: state } = record
    if (typeof key !== 'string') break
    if (action.id > checkpointId) {
      if (action.id !== lastId + 1) break
      if (action.op === 'remove') states.delete(key)
      else if (isState(state)) states.set(key, state)
      else break
      lastId = action.id
    }
    validBytes = at
    action = undefined
  }
  return { lastId, validBytes }
}

function parseRecord(text: string): State | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isState(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isState(value: unknown): value is State {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function encodeCheckpoint(states: ReadonlyMap<string, State>): string {
  const lines = [...states].map(([key, state]) => JSON.stringify({ _key: key, ...state }))
  return `[\n${lines.join(',\n')}\n]`
}

/** undefined where the file cannot be read. */
export function decodeCheckpoint(text: string): Map<string, State> | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  if (!Array.isArray(parsed)) return undefined
  const states = new Map<string, State>()
  for (const entry of parsed as unknown[]) {
    if (!isState(entry)) continue
    const { _key: key, ...state } = entry
    if (typeof key === 'string') states.set(key, state)
  }
  return states
}

/** The transaction number in the name of a checkpoint. */
export function checkpointId(name: string): number | undefined {
  const match = /^(\d{1,15})\.json$/.exec(name)
  return match === null ? undefined : Number(match[1])
}

/** The faults a test has asked for, and which of them strikes a request. */
import { Errors, type ErrorName } from '../kafka/errors.ts'
import { apiByKey, apis } from '../kafka/messages/index.ts'
import { canRefuse } from './error-answers.ts'
import { requestBody, type AnyApi, type RequestHeader } from './frames.ts'
import type { TopicNames } from './topic-names.ts'

/** One request as a fault's `when` sees it. */
export interface FaultRequest {
  readonly api: string
  readonly version: number
  readonly clientId: string | null
  /** The id of the broker that is asked. */
  readonly broker: number
  /** The decoded request, with the field names of docs/protocol.md; undefined where it cannot be read. */
  readonly body: Readonly<Record<string, unknown>> | undefined
  /** The topics it names, by id too. */
  readonly topics: readonly string[]
  /** Of the group APIs. */
  readonly groupId: string | undefined
}

interface FaultBase {
  /** An API by its name: 'Produce', 'Fetch', 'Metadata' … */
  readonly api: string
  /** The broker that is asked. Default: any. */
  readonly broker?: number
  /** Who asks. Default: clients; requests between brokers meet only faults that say brokers. */
  readonly from?: 'clients' | 'brokers'
  /** Which of its requests. Default: all. */
  readonly when?: (request: FaultRequest) => boolean
  /** How many requests it strikes. Default: all, until removed. */
  readonly times?: number
  /**
   * request (default): before the broker sees it. answer: the broker has done what was asked, and its
   * answer is struck.
   */
  readonly at?: 'request' | 'answer'
  /** Waits so long, in the cluster's time, and then does what else is said here, or goes on. */
  readonly delayMs?: number
}

/** What happens to the requests that a fault strikes: one of error, drop and close, or only a delay. */
export type Fault = FaultBase &
  (
    | { readonly error: ErrorName | number }
    /** Never answered; nor is anything after it on its connection, since answers come in order. */
    | { readonly drop: true }
    /** The connection is closed. */
    | { readonly close: true }
    | { readonly delayMs: number }
  )

export interface FaultHandle {
  /** How many requests it has struck. */
  readonly hits: number
  /** Resolves when it has struck so often. Default: once. */
  struck(times?: number): Promise<void>
  remove(): void
}

export type FaultAction =
  | { readonly type: 'pass' | 'drop' | 'close' }
  | { readonly type: 'error'; readonly errorCode: number }

/** A fault that has picked a request. */
export interface Strike {
  readonly delayMs: number
  readonly action: FaultAction
  /** To be called when it strikes: for answers, that is later. */
  readonly struck: () => void
}

/** A request on its way, read as far as anybody asks. */
export interface Passing {
  readonly api: AnyApi
  readonly header: RequestHeader
  readonly frame: Buffer
  /** The broker that is asked. */
  readonly broker: number
  readonly from: 'clients' | 'brokers'
}

class ActiveFault implements FaultHandle {
  readonly api: AnyApi
  readonly fault: Fault
  readonly strike: Strike
  hits = 0
  #left: number
  readonly #waiting: { readonly times: number; readonly resolve: () => void }[] = []
  readonly #onRemove: (fault: ActiveFault) => void

  constructor(api: AnyApi, fault: Fault, onRemove: (fault: ActiveFault) => void) {
    this.api = api
    this.fault = fault
    this.strike = {
      delayMs: fault.delayMs ?? 0,
      action: actionOf(api, fault),
      struck: () => this.#hit(),
    }
    this.#left = fault.times ?? Infinity
    this.#onRemove = onRemove
  }

  /** Counts a request that it will strike. */
  pick(): Strike {
    this.#left -= 1
    if (this.#left <= 0) this.remove()
    return this.strike
  }

  #hit(): void {
    this.hits += 1
    for (const { times, resolve } of this.#waiting) if (this.hits >= times) resolve()
  }

  struck(times = 1): Promise<void> {
    if (this.hits >= times) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.push({ times, resolve })
    })
  }

  remove(): void {
    this.#onRemove(this)
  }
}

const byName = new Map<string, AnyApi>(apis.map((api) => [api.name, api]))

/** @throws TypeError for a fault that makes no sense. */
function actionOf(api: AnyApi, fault: Fault): FaultAction {
  const actions: FaultAction[] = []
  if ('error' in fault) actions.push({ type: 'error', errorCode: codeOf(fault.error) })
  if ('drop' in fault) actions.push({ type: 'drop' })
  if ('close' in fault) actions.push({ type: 'close' })
  const [action, ...others] = actions
  if (others.length > 0) throw new TypeError('fault: only one of error, drop and close is possible')
  if (action === undefined && fault.delayMs === undefined)
    throw new TypeError('fault: one of error, drop, close and delayMs is missing')
  if (action?.type === 'error' && !canRefuse(api))
    throw new TypeError(`fault: the answers of ${api.name} have no place for an error code`)
  return action ?? { type: 'pass' }
}

function codeOf(error: ErrorName | number): number {
  if (typeof error === 'number') return error
  if (!Object.hasOwn(Errors, error)) throw new TypeError(`fault: there is no error ${error}`)
  return Errors[error]
}

/** All faults of a cluster. The first one added that fits a request strikes it. */
export class Faults {
  #active: readonly ActiveFault[] = []
  readonly #topicNames: TopicNames

  constructor(topicNames: TopicNames) {
    this.#topicNames = topicNames
  }

  /** @throws TypeError for an unknown API or error, and for a fault that makes no sense. */
  add(fault: Fault): FaultHandle {
    const api = byName.get(fault.api)
    if (api === undefined)
      throw new TypeError(`fault: ${fault.api} is none of ${[...byName.keys()].join(', ')}`)
    const active = new ActiveFault(api, fault, (removed) => {
      this.#active = this.#active.filter((one) => one !== removed)
    })
    this.#active = [...this.#active, active]
    return active
  }

  removeAll(): void {
    this.#active = []
  }

  /** The fault that strikes this request, or is going to strike its answer; undefined: none. */
  pick(passing: Passing, at: 'request' | 'answer'): Strike | undefined {
    let request: FaultRequest | undefined
    for (const active of this.#active) {
      const { fault } = active
      if (active.api !== passing.api || (fault.at ?? 'request') !== at) continue
      if ((fault.from ?? 'clients') !== passing.from) continue
      if (fault.broker !== undefined && fault.broker !== passing.broker) continue
      if (fault.when !== undefined) {
        request ??= this.#describe(passing)
        if (!fault.when(request)) continue
      }
      return active.pick()
    }
    return undefined
  }

  #describe({ api, header, frame, broker }: Passing): FaultRequest {
    const body = requestBody(api, frame, header)
    const groupId = body?.['groupId']
    return {
      api: api.name,
      version: header.apiVersion,
      clientId: header.clientId,
      broker,
      body,
      topics: body === undefined ? [] : this.#topicNames.namedIn(body),
      groupId: typeof groupId === 'string' ? groupId : undefined,
    }
  }
}

/** The API of a request; undefined for keys that nobody knows. */
export function apiOf(header: RequestHeader): AnyApi | undefined {
  return apiByKey.get(header.apiKey)
}

// What "now" means in Discover, and when it moves by itself.
import { useCallback, useEffect, useRef, useState } from 'react'

/** A search that takes long is asked less often: a part of the server's time, not all of it. */
const restPerAnswer = 2

export interface Now {
  readonly nowMs: number
  /** It last moved without a click. */
  readonly isByItself: boolean
  readonly refresh: () => void
  readonly follow: () => void
}

/** Moves with each refresh, by hand or by itself. */
export function useNow(): Now {
  const [now, setNow] = useState(() => ({ nowMs: Date.now(), isByItself: false }))
  const refresh = useCallback(() => setNow({ nowMs: Date.now(), isByItself: false }), [])
  const follow = useCallback(() => setNow({ nowMs: Date.now(), isByItself: true }), [])
  return { ...now, refresh, follow }
}

/** Asks again some seconds after an answer, unless held: the rows stay under the eyes of who reads. */
export function useFollowing(context: {
  readonly isFetching: boolean
  readonly isHeld: boolean
  readonly seconds: number | undefined
  readonly follow: () => void
}): void {
  const { isFetching, isHeld, seconds, follow } = context
  const askedAtMs = useRef<number>(undefined)
  const tookMs = useRef(0)
  useEffect(() => {
    if (isFetching) askedAtMs.current = Date.now()
    else if (askedAtMs.current !== undefined) tookMs.current = Date.now() - askedAtMs.current
  }, [isFetching])
  useEffect(() => {
    if (seconds === undefined || isFetching || isHeld) return undefined
    const restMs = Math.max(seconds * 1_000, Math.min(tookMs.current * restPerAnswer, 60_000))
    const timer = setInterval(() => {
      if (!document.hidden) follow()
    }, restMs)
    return () => clearInterval(timer)
  }, [seconds, isFetching, isHeld, follow])
}

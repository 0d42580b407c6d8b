// Pure.
import { acknowledgedSurvives } from './acknowledged-survives.ts'
import { commitsStay } from './commits-stay.ts'
import { ephemeralsEnd } from './ephemerals-end.ts'
import { fencedWriteNothing } from './fenced-write-nothing.ts'
import { groupsSkipNothing } from './groups-skip-nothing.ts'
import type { Invariant } from './invariant.ts'
import { noGapNoDuplicate } from './no-gap-no-duplicate.ts'
import { noInternalError } from './no-internal-error.ts'
import { nothingResurrected } from './nothing-resurrected.ts'
import { oneController } from './one-controller.ts'
import { oneLeader } from './one-leader.ts'
import { oneLog } from './one-log.ts'
import { progress } from './progress.ts'
import { readersAgree } from './readers-agree.ts'
import { watermarkGrows } from './watermark-grows.ts'
import { zxidsInOrder } from './zxids-in-order.ts'

/** Fresh ones for a run. */
export function allInvariants(): Invariant[] {
  return [
    acknowledgedSurvives(),
    watermarkGrows(),
    noGapNoDuplicate(),
    commitsStay(),
    readersAgree(),
    groupsSkipNothing(),
    zxidsInOrder(),
    ephemeralsEnd(),
    oneController(),
    nothingResurrected(),
    noInternalError(),
    progress(),
    oneLeader(),
    fencedWriteNothing(),
    oneLog(),
  ]
}

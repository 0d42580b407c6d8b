// Pure.
// Judges what is about to be appended by what its producers wrote before.
import { Errors } from '../kafka/errors.ts'
import { entryMagic, entryProducerId, entrySize, isControl } from './entry.ts'
import type { IncomingBatch, ProducerBatch, Producers } from './producers.ts'
import { incomingBatch, markerOf } from './replay.ts'

export interface ProducerVerdict {
  /** 0, 45, 47, 48, 52 or 87 */
  readonly error: number
  readonly message: string
  /** Set where the batch is in the log already. */
  readonly duplicate: ProducerBatch | undefined
}

const fine: ProducerVerdict = { error: Errors.NONE, message: '', duplicate: undefined }

/** `origin` coordinator: offset commits and markers of the broker itself, which have no sequences. */
export function checkProducers(
  producers: Producers,
  bytes: { readonly buffer: Buffer; readonly start: number; readonly end: number },
  origin: 'client' | 'coordinator',
): ProducerVerdict {
  const { buffer, start, end } = bytes
  for (let at = start; at < end; at += entrySize(buffer, at)) {
    if (entryMagic(buffer, at) < 2 || entryProducerId(buffer, at) < 0) continue
    let verdict = fine
    if (isControl(buffer, at)) verdict = checkMarker(producers, buffer, at)
    else if (origin === 'client') verdict = checkSequence(producers, incomingBatch(buffer, at))
    else verdict = checkEpoch(producers, incomingBatch(buffer, at))
    if (verdict !== fine) return verdict
  }
  return fine
}

function checkSequence(producers: Producers, batch: IncomingBatch): ProducerVerdict {
  const verdict = producers.check(batch)
  if (typeof verdict === 'object') return { error: Errors.NONE, message: '', duplicate: verdict }
  const who = `producer ${batch.producerId} with epoch ${batch.epoch}`
  switch (verdict) {
    case 'ok':
      return fine
    case 'outOfOrder':
      return failure(
        Errors.OUT_OF_ORDER_SEQUENCE_NUMBER,
        `Out of order sequence number ${batch.firstSequence} of ${who}`,
      )
    case 'fenced':
      return failure(Errors.INVALID_PRODUCER_EPOCH, `Epoch is older than known: ${who}`)
    case 'notInTransaction':
      return failure(Errors.INVALID_TXN_STATE, `Plain records inside a transaction of ${who}`)
  }
}

function checkEpoch(producers: Producers, batch: IncomingBatch): ProducerVerdict {
  const known = producers.get(batch.producerId)?.epoch ?? -1
  if (batch.epoch >= known) return fine
  return failure(Errors.INVALID_PRODUCER_EPOCH, `Epoch ${batch.epoch} is older than ${known}`)
}

function checkMarker(producers: Producers, buffer: Buffer, at: number): ProducerVerdict {
  const control = markerOf(buffer, at)
  if (control === undefined) return failure(Errors.INVALID_RECORD, 'Not a transaction marker')
  const verdict = producers.checkMarker(control.marker)
  if (verdict === 'ok') return fine
  return failure(
    verdict === 'fenced' ? Errors.INVALID_PRODUCER_EPOCH : Errors.TRANSACTION_COORDINATOR_FENCED,
    `The marker's epoch is older than known for producer ${control.marker.producerId}`,
  )
}

function failure(error: number, message: string): ProducerVerdict {
  return { error, message, duplicate: undefined }
}

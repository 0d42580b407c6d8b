// Why records were refused, as the error code that a leader answers.
import { WireError } from '../../wire/errors.ts'
import type { ErrorCode } from '../errors.ts'
import { Errors } from '../errors.ts'

/** Records that break their format or the rules for them. */
export class RecordsError extends WireError {
  override readonly name = 'RecordsError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, position = 0) {
    super(message, position)
    this.code = code
  }
}

/** Clients split a batch that is answered so, which is what helps here. */
export function refuseDecompressed(bytesMax: number): never {
  const message = `records of more than ${bytesMax} bytes when decompressed`
  throw new RecordsError(Errors.MESSAGE_TOO_LARGE, message)
}

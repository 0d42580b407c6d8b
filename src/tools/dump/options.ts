// Pure.
// The command line of kafka-dump-log.
import { commonOptions } from '../common-options.ts'
import { OptionError, type Options, type OptionTable } from '../options.ts'
import { offsetsDecoder, type RecordDecoder, textDecoder, transactionsDecoder } from './decoders.ts'

export const dumpOptions = {
  ...commonOptions,
  files: {
    takes: 'file,…',
    manyWords: true,
    about: 'The files: .log, .index, .timeindex, .txnindex, .snapshot.',
  },
  'print-data-log': { about: 'Also prints keys and values.' },
  'deep-iteration': { about: 'Also prints the records of each batch.' },
  'offsets-decoder': { about: 'Reads __consumer_offsets: groups and their offsets as JSON.' },
  'transaction-log-decoder': { about: 'Reads __transaction_state.' },
  'key-decoder-class': {
    takes: 'class',
    valueOptional: true,
    about: 'StringDecoder (default), IntegerDecoder, LongDecoder or DefaultDecoder.',
  },
  'value-decoder-class': { takes: 'class', valueOptional: true, about: 'The same for values.' },
  'index-sanity-check': { about: 'Says only whether indexes would be rebuilt at a start.' },
  'verify-index-only': { about: 'Compares indexes with logs without printing them.' },
  'skip-record-metadata': { about: 'Prints of records their keys and values only.' },
  'max-bytes': { takes: 'bytes', about: 'Of each log, only the batches within so many.' },
  'max-message-size': { takes: 'bytes', about: 'Accepted; batches of any size are read.' },
} as const satisfies OptionTable

export interface DumpOrder {
  readonly files: readonly string[]
  readonly deep: boolean
  readonly skipsMetadata: boolean
  /** undefined: keys and values are not shown. */
  readonly decoder: RecordDecoder | undefined
  readonly checksIndexOnly: boolean
  readonly verifiesIndexOnly: boolean
  /** Infinity where there is no limit. */
  readonly bytesMax: number
}

/** @throws OptionError */
export function dumpOrder(given: Options<typeof dumpOptions>): DumpOrder {
  if (!given.has('files')) throw new OptionError('Missing required argument "[files]"')
  const files = given.texts('files').flatMap((word) => word.split(','))
  const decoder = decoderFrom(given)
  const bytesMax = given.integer('max-bytes') ?? Infinity
  return {
    files: files.map((one) => one.trim()).filter((one) => one !== ''),
    deep: given.has('deep-iteration') || decoder !== undefined,
    skipsMetadata: given.has('skip-record-metadata'),
    decoder,
    checksIndexOnly: given.has('index-sanity-check'),
    verifiesIndexOnly: given.has('verify-index-only'),
    bytesMax: bytesMax === 2 ** 31 - 1 ? Infinity : bytesMax,
  }
}

function decoderFrom(given: Options<typeof dumpOptions>): RecordDecoder | undefined {
  if (given.has('offsets-decoder')) return offsetsDecoder
  if (given.has('transaction-log-decoder')) return transactionsDecoder
  const key = given.text('key-decoder-class')
  const value = given.text('value-decoder-class')
  if (!given.has('print-data-log') && key === undefined && value === undefined) return undefined
  return textDecoder(key, value)
}

// The codecs for text and JSON: plain, line, json, json_lines, dots.

import type { CharsetDecoder } from '../../text/charsets.ts'
import { PipelineEvent } from '../event.ts'
import type { Template } from '../sprintf.ts'
import { Timestamp } from '../values.ts'
import { type Codec, type Decoder, decodeJsonText, plainText } from './codec.ts'
import { LineSplitter } from './lines.ts'

export interface TextCodecSettings {
  readonly charset: CharsetDecoder
  readonly format?: Template | undefined
  /** Epoch milliseconds, for events that bring no time. */
  readonly now: () => number
}

export interface LineCodecSettings extends TextCodecSettings {
  readonly delimiter: string
}

const LINE_BYTES_MAX = 20 * 1024 * 1024

/** Each piece of input is one message, as with Kafka records. */
export function plainCodec({ charset, format, now }: TextCodecSettings): Codec {
  return {
    name: 'plain',
    decoder: () =>
      whole((bytes, emit) => {
        emit(PipelineEvent.ofMessage(charset.decode(bytes), new Timestamp(now())))
      }),
    encode: (event) => plainText(event, format),
  }
}

export function lineCodec({ charset, format, now, delimiter }: LineCodecSettings): Codec {
  return {
    name: 'line',
    decoder: () =>
      byLine(
        new LineSplitter({ delimiter, charset, lineBytesMax: LINE_BYTES_MAX }),
        (lines, emit) => {
          const time = new Timestamp(now())
          for (const line of lines) emit(PipelineEvent.ofMessage(line, time))
        },
      ),
    encode: (event) => plainText(event, format) + delimiter,
  }
}

/** Each piece of input is one JSON object, or an array of them. */
export function jsonCodec({ charset, now }: TextCodecSettings): Codec {
  return {
    name: 'json',
    decoder: () =>
      whole((bytes, emit) => decodeJsonText(charset.decode(bytes), new Timestamp(now()), emit)),
    encode: (event) => JSON.stringify(event.data),
  }
}

export function jsonLinesCodec({ charset, now, delimiter }: LineCodecSettings): Codec {
  return {
    name: 'json_lines',
    decoder: () =>
      byLine(
        new LineSplitter({ delimiter, charset, lineBytesMax: LINE_BYTES_MAX }),
        (lines, emit) => {
          const time = new Timestamp(now())
          for (const line of lines) if (line.trim() !== '') decodeJsonText(line, time, emit)
        },
      ),
    encode: (event) => JSON.stringify(event.data) + delimiter,
  }
}

/** One dot per event, for measuring. */
export function dotsCodec(): Codec {
  return { name: 'dots', decoder: () => whole(() => {}), encode: () => '.' }
}

type Emitter = Parameters<Decoder['decode']>[1]

function whole(decode: (bytes: Buffer, emit: Emitter) => void): Decoder {
  return { decode, flush() {} }
}

function byLine(splitter: LineSplitter, take: (lines: string[], emit: Emitter) => void): Decoder {
  return {
    decode: (bytes, emit) => take(splitter.push(bytes), emit),
    flush: (emit) => take(splitter.flush(), emit),
  }
}

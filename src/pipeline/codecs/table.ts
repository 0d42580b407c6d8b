// The codecs that configurations may name.

import type { Codec } from '../../events/codecs/codec.ts'
import {
  dotsCodec,
  jsonCodec,
  jsonLinesCodec,
  lineCodec,
  plainCodec,
} from '../../events/codecs/plain.ts'
import { rubydebugCodec } from '../../events/codecs/rubydebug.ts'
import { type CharsetDecoder, charsetDecoder } from '../../text/charsets.ts'
import { type PluginDefinition, defineCodec } from '../plugin.ts'

const text = {
  charset: { type: 'string', default: 'UTF-8' },
  ecs_compatibility: { type: ['disabled'], default: 'disabled' },
} as const

const lines = { ...text, delimiter: { type: 'string', default: '\n' } } as const

function charsetOf(name: string): CharsetDecoder {
  const decoder = charsetDecoder(name)
  if (decoder === undefined) throw new Error(`unknown charset ${name}`)
  return decoder
}

export const codecs: readonly PluginDefinition<Codec>[] = [
  defineCodec({
    name: 'plain',
    options: { ...text, format: { type: 'string' } },
    build: ({ options, ports, template }) =>
      plainCodec({
        charset: charsetOf(options.charset),
        format: options.format === undefined ? undefined : template(options.format),
        now: () => ports.clock.now(),
      }),
  }),
  defineCodec({
    name: 'line',
    options: { ...lines, format: { type: 'string' } },
    build: ({ options, ports, template }) =>
      lineCodec({
        charset: charsetOf(options.charset),
        delimiter: options.delimiter,
        format: options.format === undefined ? undefined : template(options.format),
        now: () => ports.clock.now(),
      }),
  }),
  defineCodec({
    name: 'json',
    options: text,
    build: ({ options, ports }) =>
      jsonCodec({ charset: charsetOf(options.charset), now: () => ports.clock.now() }),
  }),
  defineCodec({
    name: 'json_lines',
    options: lines,
    build: ({ options, ports }) =>
      jsonLinesCodec({
        charset: charsetOf(options.charset),
        delimiter: options.delimiter,
        now: () => ports.clock.now(),
      }),
  }),
  defineCodec({ name: 'dots', options: {}, build: () => dotsCodec() }),
  defineCodec({
    name: 'rubydebug',
    options: { metadata: { type: 'boolean', default: false } },
    build: ({ options }) => rubydebugCodec({ metadata: options.metadata }),
  }),
]

// Every plugin that configurations may name.

import { codecs } from './codecs/table.ts'
import { date } from './filters/date.ts'
import { dissect } from './filters/dissect.ts'
import { drop } from './filters/drop.ts'
import { grok } from './filters/grok.ts'
import { json } from './filters/json.ts'
import { kv } from './filters/kv.ts'
import { mutate } from './filters/mutate.ts'
import { generator } from './inputs/generator.ts'
import { kafka } from './inputs/kafka.ts'
import { stdin } from './inputs/stdin.ts'
import { elasticsearch } from './outputs/elasticsearch.ts'
import { file } from './outputs/file.ts'
import { nowhere } from './outputs/null.ts'
import { stdout } from './outputs/stdout.ts'
import type { Codec } from '../events/codecs/codec.ts'
import type { Filter, Input, Output, PluginDefinition } from './plugin.ts'

export interface PluginTable {
  readonly input: ReadonlyMap<string, PluginDefinition<Input>>
  readonly filter: ReadonlyMap<string, PluginDefinition<Filter>>
  readonly output: ReadonlyMap<string, PluginDefinition<Output>>
  readonly codec: ReadonlyMap<string, PluginDefinition<Codec>>
}

function byName<Built>(
  definitions: readonly PluginDefinition<Built>[],
): ReadonlyMap<string, PluginDefinition<Built>> {
  return new Map(definitions.map((definition) => [definition.name, definition]))
}

export const plugins: PluginTable = {
  input: byName([generator, kafka, stdin]),
  filter: byName([date, dissect, drop, grok, json, kv, mutate]),
  output: byName([elasticsearch, file, nowhere, stdout]),
  codec: byName(codecs),
}

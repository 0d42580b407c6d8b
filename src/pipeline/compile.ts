// A configuration made ready to run: inputs, one function for all filters, one for all outputs.

import type { Codec } from '../events/codecs/codec.ts'
import type { PipelineEvent } from '../events/event.ts'
import { FieldReferenceError } from '../events/references.ts'
import { type Template, compileTemplate } from '../events/sprintf.ts'
import { DatePatternError } from '../text/dates/pattern.ts'
import { compileSplit, mergeInOrder } from './branches.ts'
import type { Configuration, PluginConfig, Statement } from './configuration.ts'
import { ConfigurationError } from './grammar/parse.ts'
import type { PluginType } from './options.ts'
import type {
  Filter,
  Input,
  Output,
  PipelinePorts,
  PluginDefinition,
  PluginServices,
} from './plugin.ts'
import type { PluginTable } from './table.ts'

/** What passed a plugin, for the statistics. */
export interface PluginStatistics {
  readonly type: PluginType
  readonly name: string
  readonly id: string
  in: number
  out: number
}

export interface CompiledPipeline {
  readonly inputs: readonly { readonly input: Input; readonly statistics: PluginStatistics }[]
  /** Gives the events that no filter dropped, in order. */
  readonly filter: (events: readonly PipelineEvent[]) => readonly PipelineEvent[]
  /** Resolves, or returns nothing, when every output has the events safe. */
  readonly output: (events: readonly PipelineEvent[]) => Promise<void> | undefined
  readonly outputs: readonly Output[]
  readonly statistics: readonly PluginStatistics[]
}

/** @throws ConfigurationError */
export function compilePipeline(
  configuration: Configuration,
  table: PluginTable,
  ports: PipelinePorts,
): CompiledPipeline {
  const building = new Building(table, ports)
  const inputs = building.inputs(configuration.input)
  const filter = building.filters(configuration.filter)
  const output = building.outputs(configuration.output)
  return { inputs, filter, output, outputs: building.built, statistics: building.statistics }
}

type FilterBlock = (events: readonly PipelineEvent[]) => readonly PipelineEvent[]
type OutputBlock = (events: readonly PipelineEvent[]) => Promise<void> | undefined

class Building {
  readonly built: Output[] = []
  readonly statistics: PluginStatistics[] = []
  readonly #table: PluginTable
  readonly #services: PluginServices

  constructor(table: PluginTable, ports: PipelinePorts) {
    this.#table = table
    this.#services = {
      ports,
      template: (text) => templateOf(text, () => ports.clock.now()),
      codec: (config) => this.#plugin<Codec>('codec', config, this.#table.codec),
    }
  }

  inputs(statements: readonly Statement[]): CompiledPipeline['inputs'] {
    return statements.map((statement) => {
      if (statement.kind !== 'plugin') {
        throw new ConfigurationError('conditions are not possible around inputs')
      }
      const input = this.#plugin<Input>('input', statement, this.#table.input)
      return { input, statistics: this.#count('input', statement) }
    })
  }

  filters(statements: readonly Statement[]): FilterBlock {
    const blocks = statements.map((statement) =>
      statement.kind === 'plugin' ? this.#filter(statement) : this.#filterBranch(statement),
    )
    const [only] = blocks
    if (only === undefined) return (events) => events
    if (blocks.length === 1) return only
    return (events) => {
      let current = events
      for (const block of blocks) {
        if (current.length === 0) break
        current = block(current)
      }
      return current
    }
  }

  outputs(statements: readonly Statement[]): OutputBlock {
    const blocks = statements.map((statement) =>
      statement.kind === 'plugin' ? this.#output(statement) : this.#outputBranch(statement),
    )
    const [only] = blocks
    if (only === undefined) return () => undefined
    if (blocks.length === 1) return only
    return (events) => bothDone(blocks.map((block) => block(events)))
  }

  #filter(config: PluginConfig): FilterBlock {
    const filter = this.#plugin<Filter>('filter', config, this.#table.filter)
    const statistics = this.#count('filter', config)
    return (events) => {
      statistics.in += events.length
      const result = filter.apply(events) ?? events
      statistics.out += result.length
      return result
    }
  }

  #filterBranch(statement: Extract<Statement, { kind: 'branch' }>): FilterBlock {
    const { logger } = this.#services.ports
    const split = compileSplit(statement.condition, { logger, cancelLost: true })
    const then = this.filters(statement.then)
    const otherwise = this.filters(statement.otherwise)
    return (events) => {
      const parts = split(events)
      const one = parts.then.length === 0 ? parts.then : then(parts.then)
      const other = parts.otherwise.length === 0 ? parts.otherwise : otherwise(parts.otherwise)
      if (parts.lost === 0 && one === parts.then && other === parts.otherwise) return events
      return mergeInOrder(events, [one, other])
    }
  }

  #output(config: PluginConfig): OutputBlock {
    const output = this.#plugin<Output>('output', config, this.#table.output)
    this.built.push(output)
    const statistics = this.#count('output', config)
    return (events) => {
      if (events.length === 0) return undefined
      statistics.in += events.length
      const done = output.write(events)
      if (done === undefined) {
        statistics.out += events.length
        return undefined
      }
      return done.then(() => {
        statistics.out += events.length
      })
    }
  }

  #outputBranch(statement: Extract<Statement, { kind: 'branch' }>): OutputBlock {
    const { logger } = this.#services.ports
    const split = compileSplit(statement.condition, { logger, cancelLost: false })
    const then = this.outputs(statement.then)
    const otherwise = this.outputs(statement.otherwise)
    return (events) => {
      const parts = split(events)
      return bothDone([then(parts.then), otherwise(parts.otherwise)])
    }
  }

  #plugin<Built>(
    type: PluginType,
    config: PluginConfig,
    definitions: ReadonlyMap<string, PluginDefinition<Built>>,
  ): Built {
    const definition = definitions.get(config.name)
    if (definition === undefined) {
      throw new ConfigurationError(
        `Couldn't find any ${type} plugin named '${config.name}'. Are you sure this is correct? ` +
          `Trying to load the ${config.name} ${type} plugin resulted in this error: ` +
          `no such plugin is built in; there are ${[...definitions.keys()].sort().join(', ')}`,
      )
    }
    return definition.build(config, this.#services, idOf(type, config))
  }

  #count(type: PluginType, config: PluginConfig): PluginStatistics {
    const statistics = { type, name: config.name, id: idOf(type, config), in: 0, out: 0 }
    this.statistics.push(statistics)
    return statistics
  }
}

function idOf(type: PluginType, config: PluginConfig): string {
  const given = config.attributes.get('id')
  return typeof given === 'string'
    ? given
    : `${config.name}_${type}_${config.line}_${config.column}`
}

function bothDone(writes: readonly (Promise<void> | undefined)[]): Promise<void> | undefined {
  const open = writes.filter((write) => write !== undefined)
  if (open.length === 0) return undefined
  return Promise.all(open).then(() => {})
}

function templateOf(text: string, now: () => number): Template {
  try {
    return compileTemplate(text, now)
  } catch (error) {
    if (error instanceof FieldReferenceError || error instanceof DatePatternError) {
      throw new ConfigurationError(error.message, { cause: error })
    }
    throw error
  }
}

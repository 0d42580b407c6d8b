// What plugins are: a declaration of options, and a function that builds one from checked options.

import type { Codec } from '../events/codecs/codec.ts'
import type { PipelineEvent } from '../events/event.ts'
import type { Template } from '../events/sprintf.ts'
import type { Value } from '../events/values.ts'
import type { HttpClient } from '../runtime/http.ts'
import type { Ports } from '../runtime/service.ts'
import type { Readable, Writable } from 'node:stream'
import type { PluginConfig } from './configuration.ts'
import { ConfigurationError } from './grammar/parse.ts'
import {
  type OptionDeclarations,
  type OptionsOf,
  type PluginType,
  checkOptions,
} from './options.ts'

export interface PipelinePorts extends Ports {
  readonly http: HttpClient
  readonly stdin: Readable
  readonly stdout: Writable
  /** The name of this machine, for the field `host` of inputs that know no other. */
  readonly hostname: string
}

/** What every plugin may use while it is built and while it runs. */
export interface PluginServices {
  readonly ports: PipelinePorts
  /** Compiles a text with `%{…}`. @throws ConfigurationError */
  readonly template: (text: string) => Template
  /** Builds a codec. @throws ConfigurationError */
  readonly codec: (config: PluginConfig) => Codec
}

export interface PluginContext<Options> extends PluginServices {
  readonly id: string
  readonly options: Options
}

/** Where an input puts its events. */
export interface Sink {
  /**
   * Takes events in order. `onDone` runs when all outputs have acknowledged them and what was derived
   * from them. Resolves, or returns nothing, when there is room for more.
   */
  offer(events: readonly PipelineEvent[], onDone?: () => void): Promise<void> | undefined
}

export interface Input {
  /** Reads until the input ends or is stopped. @throws what the input cannot mend. */
  run(sink: Sink): Promise<void>
  /** Reads no more; `run` resolves soon. Events on their way may still be acknowledged. */
  stop(): void
  /** After all events were acknowledged: commits positions and lets go. */
  close?(): Promise<void>
}

export interface Filter {
  /** Changes events in place. Returns the events to go on with where they are not the same ones. */
  apply(events: readonly PipelineEvent[]): readonly PipelineEvent[] | undefined
}

export interface FilterContext<Options> extends PluginContext<Options> {
  /** Applies add_field, remove_field, add_tag and remove_tag. May throw for bad field names. */
  readonly decorate: (event: PipelineEvent) => void
  /** The same; logs what goes wrong. */
  readonly matched: (event: PipelineEvent) => void
}

export interface Output {
  start?(): Promise<void>
  /** Resolves (or returns nothing) when the events are safe. Calls may overlap; keeps their order. */
  write(events: readonly PipelineEvent[]): Promise<void> | undefined
  close?(): Promise<void>
}

/** A plugin as the table holds it. */
export interface PluginDefinition<Built> {
  readonly type: PluginType
  readonly name: string
  readonly options: OptionDeclarations
  build(config: PluginConfig, services: PluginServices, id: string): Built
}

interface Declaration<D extends OptionDeclarations, Context, Built> {
  readonly name: string
  readonly options: D
  build(context: Context): Built
}

const everyPlugin = {
  id: { type: 'string' },
  enable_metric: { type: 'boolean', default: true, idle: true },
} as const satisfies OptionDeclarations

const everyInput = {
  ...everyPlugin,
  type: { type: 'string' },
  tags: { type: 'array' },
  add_field: { type: 'hash', default: {} },
} as const satisfies OptionDeclarations

export type InputCommon = OptionsOf<typeof everyInput>

export function defineInput<const D extends OptionDeclarations>(
  declaration: Declaration<D, PluginContext<OptionsOf<D> & InputCommon>, Input>,
): PluginDefinition<Input> {
  const options = { ...everyInput, ...declaration.options }
  return define('input', options, declaration)
}

const everyOutput = {
  ...everyPlugin,
  workers: { type: 'number', default: 1, idle: true },
} as const satisfies OptionDeclarations

export function defineOutput<const D extends OptionDeclarations>(
  declaration: Declaration<D, PluginContext<OptionsOf<D>>, Output>,
): PluginDefinition<Output> {
  const options = { ...everyOutput, ...declaration.options }
  return define('output', options, declaration)
}

export function defineCodec<const D extends OptionDeclarations>(
  declaration: Declaration<D, PluginContext<OptionsOf<D>>, Codec>,
): PluginDefinition<Codec> {
  const options = { ...everyPlugin, ...declaration.options }
  return define('codec', options, declaration)
}

export const everyFilter = {
  ...everyPlugin,
  add_field: { type: 'hash', default: {} },
  remove_field: { type: 'array', default: [] },
  add_tag: { type: 'array', default: [] },
  remove_tag: { type: 'array', default: [] },
  periodic_flush: { type: 'boolean', default: false, idle: true },
} as const satisfies OptionDeclarations

export type FilterCommon = OptionsOf<typeof everyFilter>

/** Options that a definition has checked, with their types. */
export function typedOptions<D extends OptionDeclarations>(
  type: PluginType,
  config: PluginConfig,
  declarations: D,
  services: PluginServices,
): OptionsOf<D> {
  const { values, warnings } = checkOptions(type, config, declarations)
  for (const warning of warnings) services.ports.logger.warn(warning)
  return values as OptionsOf<D>
}

function define<D extends OptionDeclarations, Options, Built>(
  type: PluginType,
  options: D,
  declaration: {
    readonly name: string
    build(context: PluginContext<Options>): Built
  },
): PluginDefinition<Built> {
  return {
    type,
    name: declaration.name,
    options,
    build(config, services, id) {
      const values = typedOptions(type, config, options, services)
      return registering(type, declaration.name, () =>
        declaration.build({ ...services, id, options: values as Options }),
      )
    },
  }
}

/** A plugin that cannot be built for the values of its options is a mistake in the configuration. */
export function registering<Built>(type: PluginType, name: string, build: () => Built): Built {
  try {
    return build()
  } catch (error) {
    if (error instanceof ConfigurationError || !(error instanceof Error)) throw error
    throw new ConfigurationError(
      `Cannot register ${name} ${type} plugin.\nThe error reported is:\n  ${error.message}`,
      { cause: error },
    )
  }
}

/** A value set by an input unless the event has one. */
export function setDefault(event: PipelineEvent, key: string, value: Value): void {
  event.data[key] ??= value
}

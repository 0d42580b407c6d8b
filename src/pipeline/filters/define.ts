// What filters have in common: their decorations, and a name for what goes wrong in them.

import type { PipelineEvent } from '../../events/event.ts'
import { compileDecorations } from '../decorate.ts'
import type { OptionDeclarations, OptionsOf } from '../options.ts'
import {
  type Filter,
  type FilterCommon,
  type FilterContext,
  type PluginDefinition,
  everyFilter,
  registering,
  typedOptions,
} from '../plugin.ts'

export function defineFilter<const D extends OptionDeclarations>(declaration: {
  readonly name: string
  readonly options: D
  build(context: FilterContext<OptionsOf<D>>): Filter
}): PluginDefinition<Filter> {
  const { name } = declaration
  return {
    type: 'filter',
    name,
    options: { ...everyFilter, ...declaration.options },
    build(config, services, id) {
      const declarations = { ...everyFilter, ...declaration.options }
      const options: OptionsOf<D> & FilterCommon = typedOptions(
        'filter',
        config,
        declarations,
        services,
      )
      return registering('filter', name, () => {
        const decorate = compileDecorations(options, services.template)
        const matched = (event: PipelineEvent): void => {
          try {
            decorate(event)
          } catch (error) {
            services.ports.logger.warn(`the filter ${name} could not decorate an event`, error)
          }
        }
        return declaration.build({ ...services, id, options, decorate, matched })
      })
    },
  }
}

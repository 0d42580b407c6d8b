// Runs the text of a configuration with given ports.

import { compilePipeline } from '../../../src/pipeline/compile.ts'
import { readConfiguration } from '../../../src/pipeline/configuration.ts'
import type { PipelinePorts } from '../../../src/pipeline/plugin.ts'
import { PipelineRunner, type RunnerSettings } from '../../../src/pipeline/runner.ts'
import { type PluginTable, plugins } from '../../../src/pipeline/table.ts'

export interface RunOptions {
  readonly table?: Partial<PluginTable>
  readonly settings?: Partial<RunnerSettings>
}

/** @throws ConfigurationError */
export function prepare(
  text: string,
  ports: PipelinePorts,
  { table = {}, settings = {} }: RunOptions = {},
): PipelineRunner {
  const configuration = readConfiguration(text, { environment: {}, supportEscapes: false })
  const compiled = compilePipeline(configuration, { ...plugins, ...table }, ports)
  return new PipelineRunner(ports, compiled, {
    workers: 2,
    batchSize: 125,
    batchDelayMs: 50,
    drainLimitMs: 1000,
    ...settings,
  })
}

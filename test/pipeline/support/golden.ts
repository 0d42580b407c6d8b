// Runs a recorded case: `goldin` stands for the input, `goldout` for the output of the recording.

import assert from 'node:assert/strict'
import { PipelineEvent } from '../../../src/events/event.ts'
import { parseJson } from '../../../src/events/json.ts'
import { Timestamp, isMap } from '../../../src/events/values.ts'
import { compilePipeline } from '../../../src/pipeline/compile.ts'
import { readConfiguration } from '../../../src/pipeline/configuration.ts'
import { ConfigurationError } from '../../../src/pipeline/grammar/parse.ts'
import { inputDecoration } from '../../../src/pipeline/inputs/define.ts'
import { defineInput, defineOutput } from '../../../src/pipeline/plugin.ts'
import { PipelineRunner } from '../../../src/pipeline/runner.ts'
import { plugins } from '../../../src/pipeline/table.ts'
import { testPorts } from './ports.ts'

export interface GoldenCase {
  readonly group: string
  readonly name: string
  readonly filter?: string
  readonly config?: string
  readonly events: readonly Record<string, unknown>[]
  readonly support_escapes?: boolean
  readonly out?: readonly GoldenOutput[]
  readonly error?: string
  readonly reason?: string
  readonly started?: boolean
}

interface GoldenOutput {
  readonly to?: string
  readonly text?: string
  readonly event: Record<string, unknown>
}

/** Rejects where the result differs from the recording. */
export async function runCase(golden: GoldenCase): Promise<void> {
  const text =
    golden.config ??
    `input { goldin {} }\nfilter {\n${golden.filter ?? ''}\n}\noutput { goldout {} }`
  if (golden.error !== undefined || golden.started === false) {
    await assert.rejects(run(text, golden), (error: unknown) => {
      assert.ok(error instanceof ConfigurationError)
      if (golden.reason !== undefined) assert.equal(error.message, golden.reason)
      return true
    })
    return
  }
  const found = await run(text, golden)
  const expected = golden.out ?? []
  assert.equal(found.length, expected.length)
  for (const [index, { to, text: line, event }] of expected.entries()) {
    const got = found[index]
    assert.equal(got?.to, to)
    if (line !== undefined) assert.equal(got?.text, line)
    const { '@metadata': metadata, ...data } = event
    assert.deepEqual(got?.data, data)
    if (metadata !== undefined) assert.deepEqual(got?.metadata, metadata)
  }
}

interface Found {
  readonly to: string | undefined
  readonly text: string | undefined
  readonly data: unknown
  readonly metadata: unknown
}

async function run(text: string, golden: GoldenCase): Promise<Found[]> {
  const found: Found[] = []
  const ports = testPorts()
  const goldin = defineInput({
    name: 'goldin',
    options: {},
    build({ options, template }) {
      const decorate = inputDecoration(options, template)
      return {
        async run(sink) {
          const events = golden.events.map((event) => {
            const data = parseJson(JSON.stringify(event))
            assert.ok(isMap(data))
            return PipelineEvent.ofData(data, new Timestamp(0))
          })
          for (const event of events) decorate(event)
          await sink.offer(events)
        },
        stop() {},
      }
    },
  })
  const goldout = defineOutput({
    name: 'goldout',
    options: { tag: { type: 'string' }, text: { type: 'string' } },
    build({ options, template }) {
      const format = options.text === undefined ? undefined : template(options.text)
      return {
        write(events) {
          for (const event of events) {
            found.push({
              to: options.tag,
              text: format?.render(event),
              data: JSON.parse(JSON.stringify(event.data)),
              metadata: JSON.parse(JSON.stringify(event.metadata)),
            })
          }
          return undefined
        },
      }
    },
  })
  const table = {
    ...plugins,
    input: new Map([['goldin', goldin]]),
    output: new Map([['goldout', goldout]]),
  }
  const configuration = readConfiguration(text, {
    environment: {},
    supportEscapes: golden.support_escapes === true,
  })
  const compiled = compilePipeline(configuration, table, ports)
  const settings = { workers: 1, batchSize: 125, batchDelayMs: 50, drainLimitMs: 1000 }
  await new PipelineRunner(ports, compiled, settings).run()
  return found
}

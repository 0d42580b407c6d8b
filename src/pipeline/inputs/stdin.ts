// The input stdin: reads standard input to its end.

import type { PipelineEvent } from '../../events/event.ts'
import type { PluginConfig } from '../configuration.ts'
import { type Sink, defineInput } from '../plugin.ts'
import { inputDecoration } from './define.ts'

/** A stream of bytes has no messages of its own, so these codecs become their line forms. */
const LINE_FORMS: Readonly<Record<string, string>> = { plain: 'line', json: 'json_lines' }

export const stdin = defineInput({
  name: 'stdin',
  options: {
    codec: { type: 'codec', default: 'line' },
    ecs_compatibility: { type: ['disabled'], default: 'disabled' },
  },
  build({ options, ports, template, codec }) {
    const decoder = codec(lineForm(options.codec)).decoder()
    const decorate = inputDecoration(options, template)
    let stopped = false
    let stop = (): void => {
      stopped = true
    }
    const take = (decode: (emit: (event: PipelineEvent) => void) => void): PipelineEvent[] => {
      const events: PipelineEvent[] = []
      decode((event) => {
        event.data['host'] ??= ports.hostname
        decorate(event)
        events.push(event)
      })
      return events
    }
    return {
      run(sink: Sink) {
        return new Promise((resolve, reject) => {
          const { stdin: stream } = ports
          const onData = (chunk: Buffer): void => {
            const full = sink.offer(take((emit) => decoder.decode(chunk, emit)))
            if (full === undefined) return
            stream.pause()
            full.then(() => stream.resume(), reject)
          }
          const finish = (): void => {
            stop = () => {}
            stream.off('data', onData)
            stream.pause()
            void sink.offer(take((emit) => decoder.flush(emit)))
            resolve()
          }
          stop = finish
          if (stopped) {
            finish()
            return
          }
          stream.on('data', onData)
          stream.once('end', finish)
          stream.once('error', reject)
        })
      },
      stop: () => stop(),
    }
  },
})

function lineForm(config: PluginConfig): PluginConfig {
  return { ...config, name: LINE_FORMS[config.name] ?? config.name }
}

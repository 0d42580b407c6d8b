// The input generator: makes events, for trying and measuring.

import { PipelineEvent } from '../../events/event.ts'
import { Timestamp } from '../../events/values.ts'
import type { Clock } from '../../runtime/clock.ts'
import { configText } from '../decorate.ts'
import { type Sink, defineInput } from '../plugin.ts'
import { inputDecoration } from './define.ts'

const EVENTS_AT_A_TIME = 125

export const generator = defineInput({
  name: 'generator',
  options: {
    message: { type: 'string', default: 'Hello world!' },
    lines: { type: 'array' },
    count: { type: 'number', default: 0 },
    threads: { type: 'number', default: 1, idle: true },
    codec: { type: 'codec', default: 'plain' },
    ecs_compatibility: { type: ['disabled'], default: 'disabled' },
  },
  build({ options, ports, template, codec }) {
    const decorate = inputDecoration(options, template)
    const messages = options.lines?.map(configText) ?? [options.message]
    const sources = messages.map((message) => Buffer.from(message))
    const decoder = codec(options.codec).decoder()
    const rounds = options.count === 0 ? Number.POSITIVE_INFINITY : options.count
    let stopped = false
    const eventsOf = (round: number): PipelineEvent[] => {
      const events: PipelineEvent[] = []
      for (const source of sources) {
        decoder.decode(source, (event) => {
          event.data['host'] ??= ports.hostname
          event.data['sequence'] = round
          event.data['@timestamp'] ??= new Timestamp(ports.clock.now())
          decorate(event)
          events.push(event)
        })
      }
      return events
    }
    return {
      async run(sink: Sink) {
        let events: PipelineEvent[] = []
        for (let round = 0; round < rounds && !stopped; round += 1) {
          for (const event of eventsOf(round)) events.push(event)
          if (events.length < EVENTS_AT_A_TIME) continue
          await (sink.offer(events) ?? turn(ports.clock))
          events = []
        }
        await sink.offer(events)
      },
      stop() {
        stopped = true
      },
    }
  },
})

/** Lets timers, sockets and the web server have their turn. */
function turn(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.atEndOfTurn(resolve))
}

// The output stdout.

import { defineOutput } from '../plugin.ts'
import { writeText } from './stream.ts'

export const stdout = defineOutput({
  name: 'stdout',
  options: { codec: { type: 'codec', default: 'rubydebug' } },
  build({ options, ports, codec }) {
    const { encode } = codec(options.codec)
    return {
      write(events) {
        let text = ''
        for (const event of events) text += encode(event)
        return writeText(ports.stdout, text)
      },
    }
  },
})

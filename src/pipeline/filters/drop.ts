// The filter drop: events that reach it go no further.

import { defineFilter } from './define.ts'

export const drop = defineFilter({
  name: 'drop',
  options: { percentage: { type: 'number', default: 100 } },
  build({ options, ports }) {
    const { percentage } = options
    return {
      apply(events) {
        for (const event of events) {
          if (percentage >= 100 || ports.random.below(100) < percentage) event.cancelled = true
        }
        return events.filter((event) => !event.cancelled)
      },
    }
  },
})

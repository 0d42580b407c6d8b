// The output null: takes events and forgets them, for measuring.

import { defineOutput } from '../plugin.ts'

export const nowhere = defineOutput({
  name: 'null',
  options: { codec: { type: 'codec', default: 'plain' } },
  build: () => ({ write: () => undefined }),
})

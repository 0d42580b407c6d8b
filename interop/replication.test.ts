/** Two brokers by the how-to (issue 5, exit test; with the original's tools, C5 a). */
import { describe, test } from 'node:test'
import { killedInTurn, startOurCoordination } from './replication/how-to.ts'
import { ourTools, realTools } from './replication/tools.ts'

// Most of their time is spent on sessions that run out, so they may do that together.
describe('two brokers by the how-to: either is killed and restarted, and nothing is lost', {
  concurrency: true,
}, () => {
  test('with our tools', async (t) => {
    const zookeeper = await startOurCoordination(t)
    await killedInTurn(t, { tools: ourTools, zookeeper })
  })

  test('with the tools of 0.10.1.0', async (t) => {
    const zookeeper = await startOurCoordination(t)
    await killedInTurn(t, { tools: realTools('0.10.1.0'), zookeeper })
  })
})

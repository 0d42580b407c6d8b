/** Two brokers by the how-to, on real ZooKeepers (issue 5, C5 b). */
import { test } from 'node:test'
import { freePorts, temporaryDirectory } from '../../test/platform/chain.ts'
import { startEnsemble } from '../replication/ensemble.ts'
import { killedInTurn } from '../replication/how-to.ts'
import { ourTools } from '../replication/tools.ts'
import { startZooKeeper } from '../support/kafka.ts'

test('on ZooKeeper 3.4.8 either broker is killed and restarted, and nothing is lost', async (t) => {
  const [port = 0] = await freePorts(1)
  const server = await startZooKeeper('0.10.1.0', temporaryDirectory(t), port)
  t.after(() => server.stop('SIGKILL'))
  await killedInTurn(t, { tools: ourTools, zookeeper: [`127.0.0.1:${port}`] })
})

test('on three ZooKeepers 3.8.4 either broker and their leader is killed, and nothing is lost', async (t) => {
  const ensemble = await startEnsemble(t, '3.9.1')
  const meanwhile = async (): Promise<void> => {
    const leader = await ensemble.leader()
    await ensemble.kill(leader)
    await ensemble.leader()
    ensemble.launch(leader)
  }
  const zookeeper = ensemble.ports.map((port) => `127.0.0.1:${port}`)
  await killedInTurn(t, { tools: ourTools, zookeeper, meanwhile })
})

/** What every Network must do. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NetworkError } from '../network.ts'
import type { Connection, Listener, Network, Receiver } from '../network.ts'

export interface NetworkHarness {
  readonly network: Network
  /** Lets things happen until the promise has settled. */
  readonly drive: <T>(promise: Promise<T>) => Promise<T>
}

const host = '127.0.0.1'
const hasCode = (code: string) => (error: unknown) =>
  error instanceof NetworkError && error.code === code

/** A receiver that keeps what it is told, and tells when something new came. */
class Recorder implements Receiver {
  readonly chunks: Buffer[] = []
  readonly events: string[] = []
  byteCount = 0
  onNews: (() => void) | undefined

  onData(chunk: Buffer): void {
    this.chunks.push(Buffer.from(chunk))
    this.byteCount += chunk.length
    this.onNews?.()
  }

  onDrain(): void {
    this.#note('drain')
  }

  onClose(error?: NetworkError): void {
    this.#note(error === undefined ? 'close' : `close ${error.code}`)
  }

  text(): string {
    return Buffer.concat(this.chunks).toString('latin1')
  }

  /** Resolves when the condition holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.onNews = resolve
      })
    }
  }

  closed(): Promise<void> {
    return this.until(() => this.events.some((event) => event.startsWith('close')))
  }

  #note(event: string): void {
    this.events.push(event)
    this.onNews?.()
  }
}

/** The same with a second half of life: it is told of the peer's end and does not end itself. */
class HalfOpenRecorder extends Recorder {
  onEnd(): void {
    this.events.push('end')
    this.onNews?.()
  }
}

interface Pair {
  readonly client: Connection
  readonly server: Connection
  readonly clientSide: Recorder
  readonly serverSide: Recorder
  readonly listener: Listener
}

async function connectPair(
  { network, drive }: NetworkHarness,
  sides: { client?: Recorder; server?: Recorder } = {},
): Promise<Pair> {
  const clientSide = sides.client ?? new Recorder()
  const serverSide = sides.server ?? new Recorder()
  const accepted: Connection[] = []
  const listener = await drive(
    network.listen({ host, port: 0 }, (connection) => {
      connection.start(serverSide)
      accepted.push(connection)
      serverSide.onNews?.()
    }),
  )
  const client = await drive(network.connect({ host, port: listener.port }))
  client.start(clientSide)
  await drive(serverSide.until(() => accepted.length > 0))
  const [server] = accepted
  assert.ok(server !== undefined)
  return { client, server, clientSide, serverSide, listener }
}

async function closePair({ drive }: NetworkHarness, pair: Pair): Promise<void> {
  pair.client.destroy()
  pair.server.destroy()
  await drive(Promise.all([pair.clientSide.closed(), pair.serverSide.closed()]))
  await drive(pair.listener.close())
}

export function networkContract(name: string, create: () => NetworkHarness): void {
  describe(`the network contract, ${name}`, () => {
    listenContract(create)
    receiveContract(create)
    sendContract(create)
    endContract(create)
  })
}

function listenContract(create: () => NetworkHarness): void {
  test('both ends know each other by address and port', async () => {
    const harness = create()
    const pair = await connectPair(harness)
    assert.equal(pair.client.remoteAddress, host)
    assert.equal(pair.client.remotePort, pair.listener.port)
    assert.equal(pair.server.localPort, pair.listener.port)
    assert.equal(pair.server.remotePort, pair.client.localPort)
    assert.equal(pair.server.remoteAddress, pair.client.localAddress)
    await closePair(harness, pair)
  })

  test('a taken port is refused, a closed one is free, and its connections live on', async () => {
    const harness = create()
    const { network, drive } = harness
    const pair = await connectPair(harness)
    const address = { host, port: pair.listener.port }
    await assert.rejects(drive(network.listen(address, () => {})), hasCode('EADDRINUSE'))
    await drive(pair.listener.close())
    await assert.rejects(drive(network.connect(address)), hasCode('ECONNREFUSED'))
    const again = await drive(network.listen(address, () => {}))
    assert.equal(again.port, address.port)
    pair.client.write(Buffer.from('still here'))
    await drive(pair.serverSide.until(() => pair.serverSide.byteCount === 10))
    await drive(again.close())
    await closePair(harness, pair)
  })

  test('what the accepting side sends first arrives', async () => {
    const { network, drive } = create()
    const serverSide = new Recorder()
    const listener = await drive(
      network.listen({ host, port: 0 }, (connection) => {
        connection.start(serverSide)
        connection.write(Buffer.from('welcome'))
      }),
    )
    const client = await drive(network.connect({ host, port: listener.port }))
    const clientSide = new Recorder()
    client.start(clientSide)
    await drive(clientSide.until(() => clientSide.byteCount === 7))
    assert.equal(clientSide.text(), 'welcome')
    client.destroy()
    await drive(Promise.all([clientSide.closed(), serverSide.closed(), listener.close()]))
  })
}

function receiveContract(create: () => NetworkHarness): void {
  test('bytes arrive whole and in order, in both directions at once', async () => {
    const harness = create()
    const pair = await connectPair(harness)
    const up = Buffer.alloc(700_001, 'upwards ')
    const down = Buffer.alloc(300_003, 'down ')
    for (let at = 0; at < up.length; at += 9973) pair.client.write(up.subarray(at, at + 9973))
    for (let at = 0; at < down.length; at += 31) pair.server.write(down.subarray(at, at + 31))
    await harness.drive(
      Promise.all([
        pair.serverSide.until(() => pair.serverSide.byteCount === up.length),
        pair.clientSide.until(() => pair.clientSide.byteCount === down.length),
      ]),
    )
    assert.ok(Buffer.concat(pair.serverSide.chunks).equals(up))
    assert.ok(Buffer.concat(pair.clientSide.chunks).equals(down))
    await closePair(harness, pair)
  })

  test('a target is filled from its start, and no chunk is larger than it', async () => {
    const harness = create()
    const targets: Buffer[] = []
    class TargetRecorder extends Recorder {
      offered: Buffer | undefined
      target(): Buffer | undefined {
        // Every other read goes to the shared buffer.
        this.offered = targets.length % 2 === 0 ? Buffer.alloc(100) : undefined
        targets.push(this.offered ?? Buffer.alloc(0))
        return this.offered
      }
      override onData(chunk: Buffer): void {
        const inTarget = targets.some(
          (target) => target.buffer === chunk.buffer && target.byteOffset === chunk.byteOffset,
        )
        if (inTarget) {
          assert.ok(chunk.length <= 100)
          this.events.push('in target')
        }
        super.onData(chunk)
      }
    }
    const pair = await connectPair(harness, { server: new TargetRecorder() })
    const sent = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251))
    for (let at = 0; at < sent.length; at += 500) {
      pair.client.write(sent.subarray(at, at + 500))
      const wanted = at + 500
      await harness.drive(pair.serverSide.until(() => pair.serverSide.byteCount === wanted))
    }
    assert.ok(Buffer.concat(pair.serverSide.chunks).equals(sent))
    assert.ok(pair.serverSide.events.includes('in target'))
    await closePair(harness, pair)
  })

  test('a paused connection hears nothing, not even the end, until it is resumed', async () => {
    const harness = create()
    const paused = await connectPair(harness)
    const other = await connectPair(harness)
    paused.server.pause()
    paused.client.write(Buffer.from('held back'))
    paused.client.end()
    // A round trip elsewhere: time enough for anything to arrive.
    other.client.write(Buffer.from('ping'))
    await harness.drive(other.serverSide.until(() => other.serverSide.byteCount === 4))
    other.server.write(Buffer.from('pong'))
    await harness.drive(other.clientSide.until(() => other.clientSide.byteCount === 4))
    assert.equal(paused.serverSide.byteCount, 0)
    assert.deepEqual(paused.serverSide.events, [])
    paused.server.resume()
    await harness.drive(paused.serverSide.closed())
    assert.equal(paused.serverSide.text(), 'held back')
    await closePair(harness, other)
    await closePair(harness, paused)
  })

  test('a receiver may pause and resume during a chunk', async () => {
    const harness = create()
    class Stepper extends Recorder {
      connection: Connection | undefined
      override onData(chunk: Buffer): void {
        this.connection?.pause()
        super.onData(chunk)
        this.connection?.resume()
      }
    }
    const stepper = new Stepper()
    const pair = await connectPair(harness, { server: stepper })
    stepper.connection = pair.server
    pair.client.write(Buffer.alloc(200_000, 1))
    await harness.drive(stepper.until(() => stepper.byteCount === 200_000))
    await closePair(harness, pair)
  })
}

function sendContract(create: () => NetworkHarness): void {
  test('above the high-water mark write says so, and onDrain follows when all has left', async () => {
    const harness = create()
    const pair = await connectPair(harness)
    pair.server.pause()
    const chunk = Buffer.alloc(256 * 1024, 7)
    let written = 0
    let sent = 0
    let goesOn = true
    while (goesOn && written < 1000) {
      goesOn = pair.client.write(chunk, () => {
        sent += 1
      })
      written += 1
    }
    assert.ok(written > 1 && written < 1000)
    assert.ok(pair.client.pendingBytes > 0)
    assert.deepEqual(pair.clientSide.events, [])
    pair.server.resume()
    await harness.drive(
      Promise.all([
        pair.serverSide.until(() => pair.serverSide.byteCount === written * chunk.length),
        pair.clientSide.until(() => pair.clientSide.events.length > 0),
      ]),
    )
    assert.deepEqual(pair.clientSide.events, ['drain'])
    assert.equal(pair.client.pendingBytes, 0)
    assert.equal(sent, written)
    await closePair(harness, pair)
  })

  test('onSent runs once for each write, whether it was sent or the connection closed', async () => {
    const harness = create()
    const pair = await connectPair(harness)
    const sent: number[] = []
    pair.server.pause()
    for (let index = 0; index < 40; index += 1) {
      pair.client.write(Buffer.alloc(100_000), () => sent.push(index))
    }
    pair.client.destroy()
    pair.client.write(Buffer.from('too late'), () => sent.push(40))
    await harness.drive(pair.clientSide.closed())
    await harness.drive(pair.clientSide.until(() => sent.length === 41))
    assert.equal(new Set(sent).size, 41)
    pair.server.resume()
    await closePair(harness, pair)
  })
}

function endContract(create: () => NetworkHarness): void {
  test('end sends what is pending; both sides close without an error', async () => {
    const harness = create()
    const pair = await connectPair(harness)
    const last = Buffer.alloc(500_000, 'last words ')
    pair.client.write(last)
    pair.client.end()
    assert.equal(pair.client.write(Buffer.from('nothing more')), false)
    await harness.drive(Promise.all([pair.clientSide.closed(), pair.serverSide.closed()]))
    assert.ok(Buffer.concat(pair.serverSide.chunks).equals(last))
    assert.deepEqual(pair.clientSide.events, ['close'])
    assert.deepEqual(pair.serverSide.events, ['close'])
    await harness.drive(pair.listener.close())
  })

  test('a side that is told of the end may still answer, then ends itself', async () => {
    const harness = create()
    const server = new HalfOpenRecorder()
    const pair = await connectPair(harness, { server, client: new HalfOpenRecorder() })
    pair.client.write(Buffer.from('question'))
    pair.client.end()
    await harness.drive(server.until(() => server.events.includes('end')))
    assert.equal(server.text(), 'question')
    pair.server.write(Buffer.from('answer'))
    pair.server.end()
    await harness.drive(Promise.all([pair.clientSide.closed(), pair.serverSide.closed()]))
    assert.deepEqual(server.events, ['end', 'close'])
    await harness.drive(pair.listener.close())
  })

  test('a destroyed connection tells its owner, and its peer', async () => {
    const harness = create()
    const pair = await connectPair(harness)
    pair.server.destroy()
    assert.deepEqual(pair.serverSide.events, [])
    await harness.drive(Promise.all([pair.clientSide.closed(), pair.serverSide.closed()]))
    assert.deepEqual(pair.serverSide.events, ['close'])
    pair.server.destroy()
    pair.server.end()
    pair.server.pause()
    pair.server.resume()
    assert.equal(pair.server.write(Buffer.from('x')), false)
    await harness.drive(pair.listener.close())
  })
}

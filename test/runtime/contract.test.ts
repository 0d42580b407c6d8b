// The suites of src/runtime/contract, on the real ports and on those in memory.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { VirtualClock } from '../../src/memory/clock.ts'
import { MemoryDisk } from '../../src/memory/disk.ts'
import { MemoryNetwork } from '../../src/memory/network.ts'
import { SeededRandom } from '../../src/memory/random.ts'
import { systemClock } from '../../src/node/clock.ts'
import { nodeDisk } from '../../src/node/disk.ts'
import { createNodeNetwork } from '../../src/node/network.ts'
import { clockContract } from '../../src/runtime/contract/clock.ts'
import { diskContract } from '../../src/runtime/contract/disk.ts'
import { networkContract } from '../../src/runtime/contract/network.ts'

// The clock's timers do not keep a process alive, so a test that only waits for one must.
const alive = setInterval(() => {}, 60_000)
const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'millrace-contract-'))
after(() => {
  clearInterval(alive)
  fs.rmSync(temporary, { recursive: true })
})

const drive = <T>(promise: Promise<T>): Promise<T> => promise

clockContract('the system', () => ({ clock: systemClock, drive }))
clockContract('in memory', () => {
  const clock = new VirtualClock()
  return { clock, drive: (promise) => clock.until(promise) }
})

diskContract('the system', () => ({
  disk: nodeDisk,
  directory: fs.mkdtempSync(path.join(temporary, 'd')),
}))
diskContract('in memory', () => {
  const disk = new MemoryDisk()
  disk.makeDirectory('/data')
  return { disk, directory: '/data' }
})

for (const receive of ['shared', 'data'] as const) {
  const network = createNodeNetwork({ receive })
  networkContract(`the system, receiving by ${receive}`, () => ({ network, drive }))
}
for (const splitChunks of [false, true]) {
  networkContract(`in memory, ${splitChunks ? 'split' : 'whole'} chunks`, () => {
    const clock = new VirtualClock()
    const random = new SeededRandom(7)
    const network = new MemoryNetwork({ clock, random }, { splitChunks, latencyMs: 1 })
    return { network, drive: (promise) => clock.until(promise) }
  })
}

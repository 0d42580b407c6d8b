/**
 * The simulator's command.
 *
 *   --seed N           replays one seed exactly; the last line is `hash HEX`
 *   --trace            with --seed: prints every event
 *   --faults 0,2       with --seed: only these of its faults, counted from 0
 *   --without a,b      with --seed: without these clients
 *   --shrink           with --seed: leaves out brokers, clients and faults that the violation does not need
 *   --plan             with --seed: prints what the seed decides, and runs nothing
 *   --brokers N        at most so many; 1: the plans that are drawn for one
 *   --seconds N        runs fresh seeds for so long and says how many
 *   --start N          the first of them, the others follow; default: by chance
 *   --count N          ends after so many seeds
 *   --workers N        so many processes at once, default 2
 *   --mutant NAME      with a mistake made on purpose
 *
 * Exit code 1 where an invariant was violated.
 */
import { parseArgs } from 'node:util'
import { Child, ownScript } from '../node/child.ts'
import { realPorts } from '../node/ports.ts'
import { runMain } from '../node/process.ts'
import type { Main, ProcessContext } from '../runtime/process.ts'
import { type Ports, UserError } from '../runtime/service.ts'
import { type Mutant, mutants } from './mutants.ts'
import { type Outcome, planOf, run } from './run.ts'
import { type Cut, cutFlags, cutPlan, shrink } from './shrink.ts'

const seedBound = 2 ** 31

const options = {
  seed: { type: 'string' },
  trace: { type: 'boolean' },
  faults: { type: 'string' },
  without: { type: 'string' },
  brokers: { type: 'string' },
  shrink: { type: 'boolean' },
  plan: { type: 'boolean' },
  seconds: { type: 'string' },
  start: { type: 'string' },
  count: { type: 'string' },
  workers: { type: 'string' },
  mutant: { type: 'string' },
} as const

type Values = ReturnType<typeof parse>

function parse(context: ProcessContext) {
  try {
    return parseArgs({ args: [...context.arguments], options }).values
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error))
  }
}

type Numeric = 'seed' | 'seconds' | 'start' | 'count' | 'workers' | 'brokers'

function number(values: Values, name: Numeric) {
  const text = values[name]
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new UserError(`--${name} ${text}: no number`)
  return value
}

function mutantOf(values: Values): Mutant | undefined {
  if (values.mutant === undefined) return undefined
  const mutant = mutants.find(({ name }) => name === values.mutant)
  const names = mutants.map(({ name }) => name).join(', ')
  if (mutant === undefined) throw new UserError(`--mutant ${values.mutant}: there are ${names}`)
  return mutant
}

export const main: Main = async (context) => {
  const values = parse(context)
  const mutant = mutantOf(values)
  const ports = realPorts({ logStream: context.stderr })
  const seed = number(values, 'seed')
  if (seed !== undefined) return replay(seed, values, mutant, context)
  const seconds = number(values, 'seconds')
  if (seconds === undefined) throw new UserError('usage: simulate --seed N | --seconds N')
  const workers = number(values, 'workers') ?? 2
  const start = number(values, 'start') ?? ports.random.below(seedBound)
  if (workers > 1) return supervise({ workers, start }, context)
  const count = number(values, 'count') ?? Infinity
  const exploration = { start, seconds, count, brokers: brokersMax(values) }
  return explore(exploration, mutant, { context, ports })
}

async function replay(
  seed: number,
  values: Values,
  mutant: Mutant | undefined,
  { stdout }: ProcessContext,
): Promise<number> {
  const cut: Cut = {
    brokers: brokersMax(values),
    without: values.without?.split(',').filter(Boolean) ?? [],
    faults: values.faults?.split(',').filter(Boolean).map(Number),
  }
  const plan = cutPlan(seed, cut)
  if (values.plan === true) {
    stdout.write(`${JSON.stringify(plan, undefined, 2)}\n`)
    return 0
  }
  mutant?.apply()
  if (values.shrink === true) {
    const shrunk = await shrink(seed, cut, mutant?.options)
    const text =
      shrunk === undefined
        ? `seed ${seed} is clean`
        : `needed for ${shrunk.number}: --seed ${seed}${cutFlags(shrunk.cut)}${named(mutant)}`
    stdout.write(`${text}\n`)
  }
  const trace = values.trace === true ? (line: string) => void stdout.write(`${line}\n`) : undefined
  const outcome = await run(plan, { ...mutant?.options, ...(trace === undefined ? {} : { trace }) })
  stdout.write(report(seed, outcome))
  stdout.write(`hash ${outcome.hash}\n`)
  return outcome.violations.length > 0 ? 1 : 0
}

function brokersMax(values: Values): number {
  return number(values, 'brokers') ?? mutantOf(values)?.brokers ?? Infinity
}

function named(mutant: Mutant | undefined): string {
  return mutant === undefined ? '' : ` --mutant ${mutant.name}`
}

interface Exploration {
  readonly start: number
  readonly seconds: number
  readonly count: number
  readonly brokers: number
}

async function explore(
  { start, seconds, count, brokers }: Exploration,
  mutant: Mutant | undefined,
  { context, ports }: { readonly context: ProcessContext; readonly ports: Ports },
): Promise<number> {
  mutant?.apply()
  const endMs = ports.clock.monotonicMs() + seconds * 1000
  let seeds = 0
  let failed = 0
  for (let seed = start; seeds < count && ports.clock.monotonicMs() < endMs; seed += 1) {
    const outcome = await run(planOf(seed, brokers), mutant?.options)
    seeds += 1
    if (outcome.violations.length === 0) continue
    failed += 1
    context.stdout.write(report(seed, outcome))
    const flags = `${Number.isFinite(brokers) ? ` --brokers ${brokers}` : ''}${named(mutant)}`
    context.stdout.write(`again: npm run simulate -- --seed ${seed}${flags}\n`)
  }
  context.stdout.write(`seeds ${seeds} failed ${failed}\n`)
  return failed > 0 ? 1 : 0
}

/** Several processes with seeds far apart. */
async function supervise(
  { workers, start }: { readonly workers: number; readonly start: number },
  { arguments: given, stdout }: ProcessContext,
): Promise<number> {
  let seeds = 0
  let failed = 0
  const onLine = (line: string): void => {
    const match = /^seeds (\d+) failed (\d+)$/.exec(line)
    if (match === null) {
      stdout.write(`${line}\n`)
      return
    }
    seeds += Number(match[1])
    failed += Number(match[2])
  }
  const children = Array.from({ length: workers }, (_, index) => {
    const first = String(start + index * Math.floor(seedBound / workers))
    const own = ['--workers', '1', '--start', first]
    return new Child({ arguments: [ownScript(), ...given, ...own], onLine })
  })
  const exits = await Promise.all(children.map(({ exited }) => exited))
  stdout.write(`seeds ${seeds} failed ${failed}\n`)
  return failed > 0 || exits.some(({ code }) => code !== 0) ? 1 : 0
}

function report(seed: number, { violations, events, virtualMs }: Outcome): string {
  const lines = violations.map(
    ({ number: id, name, what, atMs }) => `seed ${seed} ${id} (${name}) at ${atMs} ms: ${what}\n`,
  )
  if (lines.length > 0) return lines.join('')
  return `seed ${seed} clean: ${events} events in ${Math.round(virtualMs)} ms of virtual time\n`
}

await runMain(main)

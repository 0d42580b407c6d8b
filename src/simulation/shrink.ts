/** Cutting a failing seed down to what its violation needs. */
import type { Plan } from './plan.ts'
import { planOf, run, type RunOptions } from './run.ts'
import { withBrokers, withoutClients } from './swarm-cluster.ts'

/** What of a seed's plan is left out. */
export interface Cut {
  /** At most so many. */
  readonly brokers: number
  /** Names of producers, groups, admins, coordination clients and recreated topics. */
  readonly without: readonly string[]
  /** Those that stay, counted from 0; undefined: all. */
  readonly faults: readonly number[] | undefined
}

export function cutPlan(seed: number, { brokers, without, faults }: Cut): Plan {
  const whole = planOf(seed, brokers === 1 ? 1 : Infinity)
  const isKept = (index: number): boolean => faults === undefined || faults.includes(index)
  const fewer = { ...whole, faults: whole.faults.filter((_, index) => isKept(index)) }
  return withoutClients(withBrokers(fewer, brokers), without)
}

/** The flags that bring the cut about. */
export function cutFlags({ brokers, without, faults }: Cut): string {
  const flags = [
    ...(Number.isFinite(brokers) ? [`--brokers ${brokers}`] : []),
    ...(without.length > 0 ? [`--without ${without.join(',')}`] : []),
    ...(faults === undefined ? [] : [`--faults '${faults.join(',')}'`]),
  ]
  return flags.map((flag) => ` ${flag}`).join('')
}

/**
 * Leaves out brokers, clients and faults as long as the same invariant is violated. Undefined where none
 * is.
 */
export async function shrink(
  seed: number,
  start: Cut,
  options: RunOptions = {},
): Promise<{ readonly number: string; readonly cut: Cut } | undefined> {
  const numberOf = async (cut: Cut): Promise<string | undefined> =>
    (await run(cutPlan(seed, cut), options)).violations[0]?.number
  const number = await numberOf(start)
  if (number === undefined) return undefined
  let cut = start
  const attempt = async (fewer: Cut): Promise<boolean> => {
    if ((await numberOf(fewer)) !== number) return false
    cut = fewer
    return true
  }
  const { brokerCount } = cutPlan(seed, start)
  for (let brokers = 1; brokers < brokerCount; brokers += 1)
    // The plan for one broker has other faults.
    if (await attempt({ ...cut, brokers, ...(brokers === 1 ? { faults: undefined } : {}) })) break
  for (const name of clientsOf(cutPlan(seed, cut)))
    await attempt({ ...cut, without: [...cut.without, name] })
  const all = planOf(seed, cut.brokers === 1 ? 1 : Infinity).faults.map((_, index) => index)
  for (const fault of cut.faults ?? all)
    await attempt({ ...cut, faults: (cut.faults ?? all).filter((other) => other !== fault) })
  return { number, cut }
}

function clientsOf(plan: Plan): string[] {
  const { producers, groups, coordinationClients, admins, recreated } = plan
  const named = [...producers, ...groups, ...coordinationClients, ...admins]
  return [...named.map(({ name }) => name), ...recreated]
}

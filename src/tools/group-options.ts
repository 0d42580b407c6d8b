// Pure.
// The command line of kafka-consumer-groups: which options there are and which go together. Texts are
// the original's.
import { clusterOptions, zookeeperOption } from './common-options.ts'
import { OptionError, type Options, type OptionTable } from './options.ts'

export const groupOptions = {
  ...clusterOptions,
  ...zookeeperOption,
  'new-consumer': { about: 'Accepted for older scripts; prints the columns of 0.10.1.' },
  list: { about: 'Prints the names of all groups.' },
  describe: { about: 'Prints where groups are: offsets, members or state.' },
  delete: { about: 'Deletes groups that have no members.' },
  'delete-offsets': { about: 'Forgets what a group committed for --topic.' },
  'reset-offsets': { about: 'Moves the offsets of groups that have no members.' },
  group: { takes: 'id', repeated: true, about: 'The group; may be given more than once.' },
  'all-groups': { about: 'All groups.' },
  topic: {
    takes: 'topic[:0,1]',
    repeated: true,
    about: 'A topic, or some partitions of it; may be given more than once.',
  },
  'all-topics': { about: 'All topics that the group has committed offsets for.' },
  offsets: { about: 'With --describe (the default): committed and end offsets.' },
  members: { about: 'With --describe: the members.' },
  state: {
    takes: 'states',
    valueOptional: true,
    about: 'With --describe: state and coordinator. With --list: shows states, or picks by them.',
  },
  type: {
    takes: 'types',
    valueOptional: true,
    about: 'With --list: shows types (classic, consumer), or picks by them.',
  },
  verbose: { about: 'With --describe --members: also what each is assigned.' },
  'dry-run': { about: 'With --reset-offsets (the default): only shows the new offsets.' },
  execute: { about: 'With --reset-offsets: sets the new offsets.' },
  export: { about: 'With --reset-offsets: prints the new offsets as CSV.' },
  'from-file': { takes: 'file', about: 'New offsets from such a CSV file.' },
  'to-current': { about: 'Keeps offsets; partitions without one go to the end.' },
  'to-earliest': { about: 'To the beginning.' },
  'to-latest': { about: 'To the end.' },
  'to-offset': { takes: 'offset', about: 'To this offset, within what the log holds.' },
  'to-datetime': {
    takes: 'time',
    about: 'To the first record at or after YYYY-MM-DDTHH:mm:SS.sss (UTC, or +hhmm behind it).',
  },
  'by-duration': { takes: 'PnDTnHnMnS', about: 'The same, this long ago.' },
  'shift-by': { takes: 'number', about: 'On, or back, by so many offsets.' },
  timeout: { takes: 'ms', about: 'Limit of each call. Default 5000.' },
} as const satisfies OptionTable

export type GroupOptions = Options<typeof groupOptions>

const actions = ['list', 'describe', 'delete', 'reset-offsets', 'delete-offsets'] as const
export type GroupAction = (typeof actions)[number]

type Name = keyof typeof groupOptions

/** Exactly one of them with --reset-offsets. */
export const scenarios = [
  'to-offset',
  'to-current',
  'to-datetime',
  'from-file',
  'by-duration',
  'to-earliest',
  'to-latest',
  'shift-by',
] as const satisfies readonly Name[]
export type Scenario = (typeof scenarios)[number]

/** Which actions an option goes with. */
const belongsTo: Readonly<Partial<Record<Name, readonly GroupAction[]>>> = {
  group: ['describe', 'delete', 'reset-offsets', 'delete-offsets'],
  'all-groups': ['describe', 'delete', 'reset-offsets'],
  topic: ['reset-offsets', 'delete-offsets'],
  'all-topics': ['reset-offsets'],
  offsets: ['describe'],
  members: ['describe'],
  state: ['describe', 'list'],
  type: ['list'],
  verbose: ['describe'],
  'dry-run': ['reset-offsets'],
  execute: ['reset-offsets'],
  export: ['reset-offsets'],
  ...Object.fromEntries(scenarios.map((name) => [name, ['reset-offsets'] as const])),
}

/** @throws OptionError */
export function checkGroupOptions(given: GroupOptions): GroupAction {
  const wanted = actions.filter((action) => given.has(action))
  const action = wanted[0]
  if (action === undefined || wanted.length > 1) {
    throw new OptionError(
      'Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets',
    )
  }
  for (const [name, allowed] of Object.entries(belongsTo)) {
    if (!isOption(name) || !given.has(name) || allowed.includes(action)) continue
    if (action === 'delete' && name === 'topic') {
      throw new OptionError(
        'The consumer does not support topic-specific offset deletion from a consumer group.',
      )
    }
    throw new OptionError(`Option "[${action}]" can't be used with option "[${name}]"`)
  }
  if (given.has('group') && given.has('all-groups')) {
    throw new OptionError('Option "[group]" can\'t be used with option "[all-groups]"')
  }
  if (action === 'delete-offsets') {
    if (given.texts('group').length !== 1 || !given.has('topic')) {
      throw new OptionError('Option [delete-offsets] takes the following options: [group], [topic]')
    }
  } else if (action !== 'list' && !given.has('group') && !given.has('all-groups')) {
    throw new OptionError(`Option [${action}] takes one of these options: [group], [all-groups]`)
  }
  if (action === 'describe') checkDescribe(given)
  if (action === 'reset-offsets') checkReset(given)
  return action
}

function checkDescribe(given: GroupOptions): void {
  const kinds = (['members', 'offsets', 'state'] as const).filter((name) => given.has(name))
  if (kinds.length > 1) {
    throw new OptionError(
      'Option [describe] takes at most one of these options: [members], [offsets], [state]',
    )
  }
  if (given.text('state') !== undefined) {
    throw new OptionError('Option [describe] does not take a value for [state]')
  }
}

function checkReset(given: GroupOptions): void {
  if (given.has('dry-run') && given.has('execute')) {
    throw new OptionError('Option [reset-offsets] only accepts one of [[dry-run], [execute]]')
  }
  const wanted = scenarios.filter((name) => given.has(name))
  const [one, other] = wanted
  if (one === undefined) {
    const list = scenarios.map((name) => `[${name}]`).join(', ')
    throw new OptionError(
      `Option '[reset-offsets]' requires one of the following scenarios: [${list}]`,
    )
  }
  if (other !== undefined) {
    throw new OptionError(`Option "[${one}]" can't be used with option "[${other}]"`)
  }
  if (given.has('topic') && given.has('all-topics')) {
    throw new OptionError('Option "[all-topics]" can\'t be used with option "[topic]"')
  }
  if (one !== 'from-file' && !given.has('topic') && !given.has('all-topics')) {
    throw new OptionError('One of the reset scopes should be defined: --all-topics, --topic.')
  }
}

/** @throws OptionError where none is given */
export function scenarioOf(given: GroupOptions): Scenario {
  const scenario = scenarios.find((name) => given.has(name))
  if (scenario === undefined) throw new OptionError('no reset scenario')
  return scenario
}

function isOption(name: string): name is Name {
  return Object.hasOwn(groupOptions, name)
}

const stateNames = [
  'PreparingRebalance',
  'CompletingRebalance',
  'Stable',
  'Dead',
  'Empty',
  'Assigning',
  'Reconciling',
]
const typeNames = ['Classic', 'Consumer']

/** States in any case, by their names. @throws OptionError */
export function statesFrom(text: string): string[] {
  return namesFrom(text, stateNames, 'state')
}

/** @throws OptionError */
export function typesFrom(text: string): string[] {
  return namesFrom(text, typeNames, 'type')
}

function namesFrom(text: string, known: readonly string[], what: string): string[] {
  return text.split(',').map((one) => {
    const found = known.find((name) => name.toLowerCase() === one.trim().toLowerCase())
    if (found !== undefined) return found
    const list = known.join(', ')
    throw new OptionError(`Invalid ${what} list '${text}'. Valid ${what}s are: ${list}`)
  })
}

// Pure.
/** Where a broker's setting may be given, and which of the places wins: as DescribeConfigs tells it. */
import { brokerDeclarations } from './broker-settings.ts'
import { configSources, type ConfigSynonym } from './described.ts'

export type Properties = Readonly<Record<string, string>>

/** What was changed while brokers run, as it is kept: for all of them, and for this one. */
export interface DynamicProperties {
  readonly forAll: Properties
  readonly own: Properties
}

/** Other spellings of one setting, the finest unit first; the factor leads to the finest. */
const spellings: readonly (readonly (readonly [name: string, factor: number])[])[] = [
  [
    ['log.retention.ms', 1],
    ['log.retention.minutes', 60000],
    ['log.retention.hours', 3600000],
  ],
  [
    ['log.roll.ms', 1],
    ['log.roll.hours', 3600000],
  ],
  [
    ['log.roll.jitter.ms', 1],
    ['log.roll.jitter.hours', 3600000],
  ],
  [
    ['log.flush.interval.ms', 1],
    ['log.flush.scheduler.interval.ms', 1],
  ],
]

const defaults: Properties = Object.fromEntries(
  Object.entries(brokerDeclarations.settings).flatMap(([name, { defaultText }]) =>
    defaultText === null ? [] : [[name, defaultText]],
  ),
)

/** The properties file, and what was changed since. */
export class ConfigLayers {
  readonly static: Properties
  readonly dynamic: DynamicProperties
  /** What counts. */
  readonly merged: Properties

  constructor(properties: Properties, dynamic: DynamicProperties = { forAll: {}, own: {} }) {
    this.static = properties
    this.dynamic = dynamic
    this.merged = { ...properties, ...dynamic.forAll, ...dynamic.own }
  }

  /** What was said of a setting, or of one that it stands for; undefined: nothing. */
  textOf(name: string): string | undefined {
    for (const [spelling, factor] of spellingsFrom(name)) {
      const text = this.merged[spelling]
      if (text === undefined) continue
      const value = Number(text)
      return factor === 1 ? text : value < 0 ? '-1' : String(value * factor)
    }
    return undefined
  }

  /**
   * Every place that says something of it, the one that counts first. As in the original, nothing is told
   * where the first is one of another name.
   */
  synonymsOf(name: string, isSensitive: boolean): ConfigSynonym[] {
    const names = spellingsOf(name).map(([spelling]) => spelling)
    const synonyms: ConfigSynonym[] = []
    for (const [source, properties] of [
      [configSources.dynamicBroker, this.dynamic.own],
      [configSources.dynamicDefaultBroker, this.dynamic.forAll],
      [configSources.staticBroker, this.static],
      [configSources.default, defaults],
    ] as const)
      for (const spelling of names) {
        const value = properties[spelling]
        if (value !== undefined)
          synonyms.push({ name: spelling, value: isSensitive ? null : value, source })
      }
    const own = synonyms.findIndex((one) => one.name === name)
    return own < 0 ? [] : synonyms.slice(own)
  }
}

/** All spellings of the setting, itself among them. */
function spellingsOf(name: string): readonly (readonly [string, number])[] {
  return spellings.find((family) => family.some(([other]) => other === name)) ?? [[name, 1]]
}

/** Coarser spellings stand in for the finest one alone. */
function spellingsFrom(name: string): readonly (readonly [string, number])[] {
  const family = spellingsOf(name)
  return family[0]?.[0] === name ? family : [[name, 1]]
}

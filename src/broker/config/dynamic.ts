// Pure.
/** Which settings of a broker may change while it runs (KIP-226), and what is refused in what words. */
import { brokerDeclarations } from './broker-settings.ts'
import type { BrokerSettings } from './broker.ts'
import type { Properties } from './layers.ts'

type Declared = (typeof brokerDeclarations.settings)[keyof typeof brokerDeclarations.settings]

/** May change while the original runs, but do not here: a listener that is not moved, a plain secret. */
function isUnsupported(declared: Declared): boolean {
  return declared.support === 'refused' || declared.mode === 'per-broker'
}

/** Secrets of TLS, which are given per listener. */
const securityName = /^ssl\.(keystore|truststore|key)\./
const listenerPrefix = /^listener\.name\.[^.]+\./

function declaredAs(name: string): Declared | undefined {
  return Object.hasOwn(brokerDeclarations.settings, name)
    ? brokerDeclarations.settings[name as keyof typeof brokerDeclarations.settings]
    : undefined
}

export interface DynamicChange {
  /** All that is kept afterwards. */
  readonly properties: Properties
  /** For this broker, or for all. */
  readonly isOwn: boolean
}

/** Why brokers cannot have these; undefined where they can. Unknown names are kept, as the original does. */
export function dynamicProblem(
  { properties, isOwn }: DynamicChange,
  settings: BrokerSettings,
): string | undefined {
  const names = Object.keys(properties)
  const fixed = names.filter((name) => declaredAs(name)?.mode === 'read-only')
  if (fixed.length > 0) return `Cannot update these configs dynamically: ${setOf(fixed)}`
  const secret = names.filter((name) => securityName.test(name))
  if (secret.length > 0)
    return `These security configs can be dynamically updated only per-listener using the listener prefix: Hash${setOf(secret)}`
  const typed = settings.dynamicProblem(dynamicOf({ properties, isOwn }, settings))
  if (typed !== undefined) return typed
  const perBroker = names.filter((name) => declaredAs(name)?.mode === 'per-broker')
  if (!isOwn && perBroker.length > 0)
    return `Cannot update these configs at default cluster level, broker id must be specified: ${setOf(perBroker)}`
  const unsupported = names.filter((name) => {
    const declared = declaredAs(name.replace(listenerPrefix, ''))
    return declared !== undefined && isUnsupported(declared)
  })
  if (unsupported.length > 0)
    return `Updating these configs dynamically is not supported yet: ${setOf(unsupported)}`
  return undefined
}

export function dynamicOf({ properties, isOwn }: DynamicChange, settings: BrokerSettings) {
  const { forAll, own } = settings.dynamic()
  return isOwn ? { forAll, own: properties } : { forAll: properties, own }
}

/** Of what is kept, whatever wrote it there: the part that the broker can have, and what is left out. */
export function usablePart(
  change: DynamicChange,
  settings: BrokerSettings,
): { readonly properties: Properties; readonly problems: readonly string[] } {
  const properties: Record<string, string> = {}
  const problems: string[] = []
  for (const [name, text] of Object.entries(change.properties)) {
    const candidate = { ...properties, [name]: text }
    const problem = dynamicProblem({ ...change, properties: candidate }, settings)
    if (problem === undefined) properties[name] = text
    else problems.push(problem)
  }
  return { properties, problems }
}

function setOf(names: readonly string[]): string {
  return `Set(${names.join(', ')})`
}

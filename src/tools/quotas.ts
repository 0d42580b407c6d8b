// Quotas of users, clients and addresses (KIP-546), for kafka-configs.
import type { KafkaClient } from '../client/client.ts'
import { brokerError } from '../client/errors.ts'
import { AlterClientQuotas } from '../kafka/messages/alter-client-quotas.ts'
import { DescribeClientQuotas } from '../kafka/messages/describe-client-quotas.ts'
import { atAnyBroker } from './ask-broker.ts'
import type { Entity, EntityType } from './config-options.ts'
import { javaDouble } from './java-numbers.ts'
import { OptionError } from './options.ts'
import type { Tool } from './tool.ts'

/** As requests name them. */
const wireTypes: Readonly<Partial<Record<EntityType, string>>> = {
  users: 'user',
  clients: 'client-id',
  ips: 'ip',
}

/** In this order, and under these names, a line names them. */
const shownNames = [
  ['user', 'user-principal'],
  ['client-id', 'client-id'],
  ['ip', 'ip'],
] as const

const matches = { name: 0, default: 1, any: 2 } as const

export function isQuotaEntity({ type }: Entity): boolean {
  return wireTypes[type] !== undefined
}

/** One line for each entity that has quotas. @throws KafkaError */
export async function quotaLines(
  tool: Tool,
  client: KafkaClient,
  entities: readonly Entity[],
): Promise<string[]> {
  const components = entities.map(({ type, name }) => ({
    entityType: wireTypes[type] ?? type,
    matchType: name === undefined ? matches.any : name === null ? matches.default : matches.name,
    match: name ?? null,
  }))
  const answer = await atAnyBroker(tool, client, (connection) => {
    const version = connection.version(DescribeClientQuotas)
    return connection.request(DescribeClientQuotas, version, { components, strict: true })
  })
  if (answer.errorCode !== 0) {
    throw brokerError(answer.errorCode, 'DescribeClientQuotas', answer.errorMessage)
  }
  return (answer.entries ?? []).map(({ entity, values }) => {
    const names = new Map(entity.map(({ entityType, entityName }) => [entityType, entityName]))
    const shown = shownNames.flatMap(([type, text]) => {
      const name = names.get(type)
      if (name === undefined) return []
      return name === null ? `the default ${text}` : `${text} '${name}'`
    })
    const quotas = values.map(({ key, value }) => `${key}=${javaDouble(value)}`)
    return `Quota configs for ${shown.join(', ')} are ${quotas.sort().join(', ')}`
  })
}

/** undefined takes a quota away. @throws KafkaError, OptionError for what is no number */
export async function alterQuotas(
  tool: Tool,
  client: KafkaClient,
  entities: readonly Entity[],
  changes: ReadonlyMap<string, string | undefined>,
): Promise<void> {
  const ops = [...changes].map(([key, text]) => {
    const value = Number(text ?? 0)
    if (!Number.isFinite(value) || text?.trim() === '') {
      throw new OptionError(`Cannot parse quota configuration value for ${key}: ${text}`)
    }
    return { key, value, remove: text === undefined }
  })
  const entity = entities.map(({ type, name }) => {
    return { entityType: wireTypes[type] ?? type, entityName: name ?? null }
  })
  const answer = await atAnyBroker(tool, client, (connection) => {
    const version = connection.version(AlterClientQuotas)
    const body = { entries: [{ entity, ops }], validateOnly: false }
    return connection.request(AlterClientQuotas, version, body)
  })
  for (const { errorCode, errorMessage } of answer.entries) {
    if (errorCode !== 0) throw brokerError(errorCode, 'AlterClientQuotas', errorMessage)
  }
}

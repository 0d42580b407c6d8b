import { isZooKeeperError } from '../zookeeper/client/client.ts'
import type { Properties } from './config/layers.ts'
import { readIfThere } from './controller/cluster-state.ts'
import type { Coordination } from './coordination.ts'
import { decodeConfig, encodeConfig, encodeConfigChange, paths } from './znodes.ts'

/** Whose settings they are: `topics` and a name, `brokers` and an id or `<default>`. */
export interface ConfigEntity {
  readonly type: 'topics' | 'brokers'
  readonly name: string
}

export const allBrokers = '<default>'

/** What is to be kept, or why nothing changes. */
export type ConfigDecision<Refusal> =
  | { readonly properties: Properties; readonly refusal: undefined }
  | { readonly properties: undefined; readonly refusal: Refusal }

const attemptsMax = 5

/** Settings as they are kept in ZooKeeper, with the notices that tell brokers of their changes. */
export class ConfigStore {
  readonly #coordination: Coordination

  constructor(coordination: Coordination) {
    this.#coordination = coordination
  }

  /** Of a thing without any: nothing. @throws ZooKeeperError */
  async read({ type, name }: ConfigEntity): Promise<Properties> {
    const path = paths.config(type, name)
    const node = await this.#coordination.insist((zookeeper) => readIfThere(zookeeper, path))
    return node === undefined ? {} : decodeConfig(node.data)
  }

  /**
   * Writes what `decide` makes of the settings as they are, and a notice of it. Somebody else's change
   * in between is not written over: it is decided anew. Resolves to the refusal. @throws ZooKeeperError
   */
  async change<Refusal>(
    entity: ConfigEntity,
    decide: (current: Properties) => ConfigDecision<Refusal>,
    validateOnly: boolean,
  ): Promise<Refusal | undefined> {
    const { session: zookeeper } = this.#coordination
    const path = paths.config(entity.type, entity.name)
    for (let attempt = 1; ; attempt += 1) {
      const node = await readIfThere(zookeeper, path)
      const decision = decide(node === undefined ? {} : decodeConfig(node.data))
      if (decision.properties === undefined) return decision.refusal
      if (validateOnly) return undefined
      const data = encodeConfig(decision.properties)
      try {
        if (node === undefined) await zookeeper.create(path, data, { stat: false })
        else await zookeeper.setData(path, data, node.version)
        break
      } catch (error) {
        const isOvertaken =
          isZooKeeperError(error, 'BADVERSION') ||
          isZooKeeperError(error, 'NODEEXISTS') ||
          (node !== undefined && isZooKeeperError(error, 'NONODE'))
        if (!isOvertaken || attempt === attemptsMax) throw error
      }
    }
    const notice = encodeConfigChange(`${entity.type}/${entity.name}`)
    await zookeeper.create(paths.configChangePrefix, notice, { sequential: true, stat: false })
    return undefined
  }
}

// Pure.
/** Which topics a request is about. Newer versions name them by ids, which Metadata answers explain. */
import { decodeResponse } from '../kafka/header.ts'
import { Metadata } from '../kafka/messages/metadata.ts'

const firstVersionWithIds = 10
const lists = ['topics', 'topicData', 'topicNames', 'v3AndBelowTopics', 'groups', 'transactions']

export class TopicNames {
  readonly #byId = new Map<string, string>()

  /** Learns from an answer on its way to a client: nobody can use an id without having seen one. */
  learn(frame: Buffer, version: number): void {
    if (version < firstVersionWithIds) return
    for (const { name, topicId } of decodeResponse(Metadata, version, frame).body.topics)
      if (name !== null) this.#byId.set(topicId, name)
  }

  /** Names in a request's body, each once. An id nobody was told stands for itself. */
  namedIn(body: Readonly<Record<string, unknown>>): string[] {
    const found = new Set<string>()
    for (const key of lists) {
      const list = body[key]
      if (!Array.isArray(list)) continue
      for (const element of list) {
        if (typeof element === 'string' && key !== 'groups') found.add(element)
        if (typeof element !== 'object' || element === null) continue
        const name = this.#nameOf(element)
        if (name !== undefined) found.add(name)
        for (const inner of this.namedIn(Object.fromEntries(Object.entries(element))))
          found.add(inner)
      }
    }
    return [...found]
  }

  #nameOf(topic: object): string | undefined {
    const name: unknown = Reflect.get(topic, 'name') ?? Reflect.get(topic, 'topic')
    if (typeof name === 'string' && name !== '') return name
    const id: unknown = Reflect.get(topic, 'topicId')
    return typeof id === 'string' ? (this.#byId.get(id) ?? id) : undefined
  }
}

import { Errors } from '../../kafka/errors.ts'
import { CreatePartitions } from '../../kafka/messages/create-partitions.ts'
import type { RequestOf } from '../../wire/schema.ts'
import { handler, type RequestContext } from '../handler.ts'

type Request = RequestOf<typeof CreatePartitions>
type Wanted = Request['topics'][number]

/**
 * CreatePartitions (key 37, KIP-195), on the controller: topics only grow (kafka.md F45). Waits until the
 * new partitions have leaders; when the time is up first, REQUEST_TIMED_OUT although they were made.
 */
export const createPartitions = handler(CreatePartitions, [0, 3], async (request, context) => {
  const { metadata, brokerId } = context.parts
  const counts = new Map<string, number>()
  for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1)
  const results = await Promise.all(
    [...counts].map(async ([name, count]) => {
      const row = (errorCode: number, errorMessage: string | null = null) => ({
        ...{ name, errorCode, errorMessage: errorMessage?.slice(0, messageLengthMax) ?? null },
      })
      const wanted = request.topics.find((topic) => topic.name === name)
      if (metadata.controllerId !== brokerId || wanted === undefined)
        return row(Errors.NOT_CONTROLLER)
      if (count > 1) return row(Errors.INVALID_REQUEST, 'Duplicate topic in request.')
      const { error, message } = await growOne(wanted, request, context)
      return row(error, message)
    }),
  )
  return { results }
})

/** Some messages repeat lists of the request. */
const messageLengthMax = 1000

async function growOne(
  { name, count, assignments }: Wanted,
  { validateOnly, timeoutMs }: Request,
  { parts }: RequestContext,
): Promise<{ error: number; message: string | null }> {
  const growth = {
    topic: name,
    partitionCount: count,
    assignments: assignments?.map(({ brokerIds }) => brokerIds),
  }
  const refusal = await parts.topics.grow(growth, validateOnly)
  if (refusal !== undefined) return refusal
  const done = { error: Errors.NONE, message: null }
  if (validateOnly || timeoutMs <= 0) return done
  const isLed = (): boolean => {
    const partitions = parts.metadata.topic(name)?.partitions ?? []
    return partitions.filter((one) => one !== undefined && one.leader >= 0).length >= count
  }
  const isSettled = await parts.topics.settled(name, isLed, timeoutMs)
  return isSettled ? done : { error: Errors.REQUEST_TIMED_OUT, message: null }
}

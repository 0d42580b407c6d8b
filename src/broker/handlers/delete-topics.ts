import { Errors } from '../../kafka/errors.ts'
import { DeleteTopics } from '../../kafka/messages/delete-topics.ts'
import { delay } from '../../runtime/clock.ts'
import { handler } from '../handler.ts'

const zeroId = 'AAAAAAAAAAAAAAAAAAAAAA'

/** DeleteTopics (key 20), on the controller: by name, from version 6 also by id. Waits until they are gone. */
export const deleteTopics = handler(DeleteTopics, [0, 6], async (request, context) => {
  const { apiVersion } = context
  const { metadata, topics, settings, controller, clock } = context.parts
  const wanted =
    apiVersion >= 6 ? request.topics : request.topicNames.map((name) => ({ name, topicId: zeroId }))
  const responses = await Promise.all(
    wanted.map(async ({ name: given, topicId }) => {
      const row = (errorCode: number, name = given) => ({ name, topicId, errorCode })
      if (metadata.controllerId !== context.parts.brokerId) return row(Errors.NOT_CONTROLLER)
      if (!settings.deleteTopicEnable)
        return row(apiVersion < 3 ? Errors.INVALID_REQUEST : Errors.TOPIC_DELETION_DISABLED)
      const name = given ?? metadata.nameOfId(topicId)
      if (name === undefined) return row(Errors.UNKNOWN_TOPIC_ID)
      const error = await topics.requestDeletion(name)
      if (error !== Errors.NONE) return row(error, name)
      const gone = await topics.settled(
        name,
        () => metadata.topic(name) === undefined,
        Math.max(request.timeoutMs, 0),
      )
      if (!gone) return row(Errors.REQUEST_TIMED_OUT, name)
      // Its nodes go when its data has; only then can it be made again.
      await Promise.race([controller.deletionSettled(name), delay(clock, request.timeoutMs)])
      return row(Errors.NONE, name)
    }),
  )
  return { responses }
})

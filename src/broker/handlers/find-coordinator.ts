import { Errors } from '../../kafka/errors.ts'
import { FindCoordinator } from '../../kafka/messages/find-coordinator.ts'
import { handler, type RequestContext } from '../handler.ts'

const groupType = 0

/** FindCoordinator (key 10): of groups; of transactions it is answered UNSUPPORTED_VERSION as yet. */
export const findCoordinator = handler(FindCoordinator, [0, 6], (request, context) => {
  if (context.apiVersion < 4) return find(request.key, request.keyType, context)
  const coordinators = request.coordinatorKeys.map((key) => ({
    key,
    ...find(key, request.keyType, context),
  }))
  return { coordinators }
})

function find(key: string, keyType: number, context: RequestContext) {
  const failed = (errorCode: number) => ({ errorCode, nodeId: -1, host: '', port: -1 })
  if (keyType !== groupType) return failed(Errors.UNSUPPORTED_VERSION)
  const { error, nodeId } = context.parts.groups.coordinatorOf(key)
  if (error !== Errors.NONE) return failed(error)
  const endpoint = context.parts.metadata.endpoint(nodeId, context.listener)
  if (endpoint === undefined) return failed(Errors.COORDINATOR_NOT_AVAILABLE)
  const { host, port } = endpoint
  return { errorCode: Errors.NONE, nodeId, host, port }
}

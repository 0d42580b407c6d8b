import { Errors } from '../../kafka/errors.ts'
import { DescribeCluster } from '../../kafka/messages/describe-cluster.ts'
import { handler } from '../handler.ts'

const brokerEndpoints = 1
const controllerEndpoints = 2

/** DescribeCluster (key 60): the live brokers, as clients of this listener reach them. */
export const describeCluster = handler(DescribeCluster, [0, 1], (request, context) => {
  const { metadata, clusterId } = context.parts
  const { endpointType } = request
  if (endpointType !== brokerEndpoints) {
    const isKnown = endpointType === controllerEndpoints
    const errorCode = isKnown ? Errors.MISMATCHED_ENDPOINT_TYPE : Errors.UNSUPPORTED_ENDPOINT_TYPE
    return { errorCode, endpointType, clusterId }
  }
  const brokers = []
  for (const { id, rack } of metadata.brokers.values()) {
    const endpoint = metadata.endpoint(id, context.listener)
    if (endpoint !== undefined)
      brokers.push({ brokerId: id, host: endpoint.host, port: endpoint.port, rack })
  }
  return {
    errorCode: Errors.NONE,
    endpointType,
    clusterId,
    controllerId: metadata.controllerId,
    brokers,
  }
})

import { Errors } from '../../kafka/errors.ts'
import { DescribeCluster } from '../../kafka/messages/describe-cluster.ts'
import { handler } from '../handler.ts'

/** DescribeCluster (key 60): the live brokers, as clients of this listener reach them. */
export const describeCluster = handler(DescribeCluster, [0, 1], (request, context) => {
  const { metadata, clusterId } = context.parts
  const brokers = []
  for (const { id, rack } of metadata.brokers.values()) {
    const endpoint = metadata.endpoint(id, context.listener)
    if (endpoint !== undefined)
      brokers.push({ brokerId: id, host: endpoint.host, port: endpoint.port, rack })
  }
  return {
    errorCode: Errors.NONE,
    endpointType: request.endpointType,
    clusterId,
    controllerId: metadata.controllerId,
    brokers,
  }
})

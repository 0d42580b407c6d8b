import type { LeaderAndIsr } from '../../kafka/messages/leader-and-isr.ts'
import type { StopReplica } from '../../kafka/messages/stop-replica.ts'
import type { UpdateMetadata } from '../../kafka/messages/update-metadata.ts'
import type { RequestOf, ResponseOf } from '../../wire/schema.ts'

/**
 * The controller's orders to one broker and what it says of them, as bodies in the form of the newest
 * versions (topicStates, liveBrokers with endpoints): a broker that obeys in process takes them as they
 * are, a remote one gets them in the newest version that it and the inter-broker level have. A broker
 * obeys in the order of the calls; a link has one request in flight.
 */
export interface BrokerLink {
  leaderAndIsr(request: RequestOf<typeof LeaderAndIsr>): Promise<ResponseOf<typeof LeaderAndIsr>>
  stopReplica(request: RequestOf<typeof StopReplica>): Promise<ResponseOf<typeof StopReplica>>
  updateMetadata(
    request: RequestOf<typeof UpdateMetadata>,
  ): Promise<ResponseOf<typeof UpdateMetadata>>
}

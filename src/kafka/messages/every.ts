// The APIs of the index, and after them those that only brokers in KRaft mode know.
import type { AnyApi } from '../../wire/schema.ts'
import { AddRaftVoter } from './add-raft-voter.ts'
import { AlterShareGroupOffsets } from './alter-share-group-offsets.ts'
import { AssignReplicasToDirs } from './assign-replicas-to-dirs.ts'
import { BeginQuorumEpoch } from './begin-quorum-epoch.ts'
import { BrokerHeartbeat } from './broker-heartbeat.ts'
import { BrokerRegistration } from './broker-registration.ts'
import { ControllerRegistration } from './controller-registration.ts'
import { DeleteShareGroupOffsets } from './delete-share-group-offsets.ts'
import { DeleteShareGroupState } from './delete-share-group-state.ts'
import { DescribeQuorum } from './describe-quorum.ts'
import { DescribeShareGroupOffsets } from './describe-share-group-offsets.ts'
import { DescribeTopicPartitions } from './describe-topic-partitions.ts'
import { EndQuorumEpoch } from './end-quorum-epoch.ts'
import { FetchSnapshot } from './fetch-snapshot.ts'
import { GetTelemetrySubscriptions } from './get-telemetry-subscriptions.ts'
import { InitializeShareGroupState } from './initialize-share-group-state.ts'
import { ListClientMetricsResources } from './list-client-metrics-resources.ts'
import { PushTelemetry } from './push-telemetry.ts'
import { ReadShareGroupState } from './read-share-group-state.ts'
import { ReadShareGroupStateSummary } from './read-share-group-state-summary.ts'
import { RemoveRaftVoter } from './remove-raft-voter.ts'
import { ShareAcknowledge } from './share-acknowledge.ts'
import { ShareFetch } from './share-fetch.ts'
import { ShareGroupDescribe } from './share-group-describe.ts'
import { ShareGroupHeartbeat } from './share-group-heartbeat.ts'
import { StreamsGroupDescribe } from './streams-group-describe.ts'
import { StreamsGroupHeartbeat } from './streams-group-heartbeat.ts'
import { UnregisterBroker } from './unregister-broker.ts'
import { UpdateRaftVoter } from './update-raft-voter.ts'
import { Vote } from './vote.ts'
import { WriteShareGroupState } from './write-share-group-state.ts'
import { apis } from './index.ts'

export const everyApi: readonly AnyApi[] = [
  ...apis,
  Vote,
  BeginQuorumEpoch,
  EndQuorumEpoch,
  DescribeQuorum,
  FetchSnapshot,
  BrokerRegistration,
  BrokerHeartbeat,
  UnregisterBroker,
  ControllerRegistration,
  GetTelemetrySubscriptions,
  PushTelemetry,
  AssignReplicasToDirs,
  ListClientMetricsResources,
  DescribeTopicPartitions,
  ShareGroupHeartbeat,
  ShareGroupDescribe,
  ShareFetch,
  ShareAcknowledge,
  AddRaftVoter,
  RemoveRaftVoter,
  UpdateRaftVoter,
  InitializeShareGroupState,
  ReadShareGroupState,
  WriteShareGroupState,
  DeleteShareGroupState,
  ReadShareGroupStateSummary,
  StreamsGroupHeartbeat,
  StreamsGroupDescribe,
  DescribeShareGroupOffsets,
  AlterShareGroupOffsets,
  DeleteShareGroupOffsets,
]

export const everyApiByKey: ReadonlyMap<number, AnyApi> = new Map(
  everyApi.map((api) => [api.key, api]),
)

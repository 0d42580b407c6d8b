// Every API of a broker in ZooKeeper mode, in the order of the keys.
import type { AnyApi } from '../../wire/schema.ts'
import { AddOffsetsToTxn } from './add-offsets-to-txn.ts'
import { AddPartitionsToTxn } from './add-partitions-to-txn.ts'
import { AllocateProducerIds } from './allocate-producer-ids.ts'
import { AlterClientQuotas } from './alter-client-quotas.ts'
import { AlterConfigs } from './alter-configs.ts'
import { AlterPartition } from './alter-partition.ts'
import { AlterPartitionReassignments } from './alter-partition-reassignments.ts'
import { AlterReplicaLogDirs } from './alter-replica-log-dirs.ts'
import { AlterUserScramCredentials } from './alter-user-scram-credentials.ts'
import { ApiVersions } from './api-versions.ts'
import { ConsumerGroupDescribe } from './consumer-group-describe.ts'
import { ConsumerGroupHeartbeat } from './consumer-group-heartbeat.ts'
import { ControlledShutdown } from './controlled-shutdown.ts'
import { CreateAcls } from './create-acls.ts'
import { CreateDelegationToken } from './create-delegation-token.ts'
import { CreatePartitions } from './create-partitions.ts'
import { CreateTopics } from './create-topics.ts'
import { DeleteAcls } from './delete-acls.ts'
import { DeleteGroups } from './delete-groups.ts'
import { DeleteRecords } from './delete-records.ts'
import { DeleteTopics } from './delete-topics.ts'
import { DescribeAcls } from './describe-acls.ts'
import { DescribeClientQuotas } from './describe-client-quotas.ts'
import { DescribeCluster } from './describe-cluster.ts'
import { DescribeConfigs } from './describe-configs.ts'
import { DescribeDelegationToken } from './describe-delegation-token.ts'
import { DescribeGroups } from './describe-groups.ts'
import { DescribeLogDirs } from './describe-log-dirs.ts'
import { DescribeProducers } from './describe-producers.ts'
import { DescribeTransactions } from './describe-transactions.ts'
import { DescribeUserScramCredentials } from './describe-user-scram-credentials.ts'
import { ElectLeaders } from './elect-leaders.ts'
import { EndTxn } from './end-txn.ts'
import { Envelope } from './envelope.ts'
import { ExpireDelegationToken } from './expire-delegation-token.ts'
import { Fetch } from './fetch.ts'
import { FindCoordinator } from './find-coordinator.ts'
import { Heartbeat } from './heartbeat.ts'
import { IncrementalAlterConfigs } from './incremental-alter-configs.ts'
import { InitProducerId } from './init-producer-id.ts'
import { JoinGroup } from './join-group.ts'
import { LeaderAndIsr } from './leader-and-isr.ts'
import { LeaveGroup } from './leave-group.ts'
import { ListGroups } from './list-groups.ts'
import { ListOffsets } from './list-offsets.ts'
import { ListPartitionReassignments } from './list-partition-reassignments.ts'
import { ListTransactions } from './list-transactions.ts'
import { Metadata } from './metadata.ts'
import { OffsetCommit } from './offset-commit.ts'
import { OffsetDelete } from './offset-delete.ts'
import { OffsetFetch } from './offset-fetch.ts'
import { OffsetForLeaderEpoch } from './offset-for-leader-epoch.ts'
import { Produce } from './produce.ts'
import { RenewDelegationToken } from './renew-delegation-token.ts'
import { SaslAuthenticate } from './sasl-authenticate.ts'
import { SaslHandshake } from './sasl-handshake.ts'
import { StopReplica } from './stop-replica.ts'
import { SyncGroup } from './sync-group.ts'
import { TxnOffsetCommit } from './txn-offset-commit.ts'
import { UpdateFeatures } from './update-features.ts'
import { UpdateMetadata } from './update-metadata.ts'
import { WriteTxnMarkers } from './write-txn-markers.ts'

export const apis: readonly AnyApi[] = [
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
  LeaderAndIsr,
  StopReplica,
  UpdateMetadata,
  ControlledShutdown,
  OffsetCommit,
  OffsetFetch,
  FindCoordinator,
  JoinGroup,
  Heartbeat,
  LeaveGroup,
  SyncGroup,
  DescribeGroups,
  ListGroups,
  SaslHandshake,
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  DeleteRecords,
  InitProducerId,
  OffsetForLeaderEpoch,
  AddPartitionsToTxn,
  AddOffsetsToTxn,
  EndTxn,
  WriteTxnMarkers,
  TxnOffsetCommit,
  DescribeAcls,
  CreateAcls,
  DeleteAcls,
  DescribeConfigs,
  AlterConfigs,
  AlterReplicaLogDirs,
  DescribeLogDirs,
  SaslAuthenticate,
  CreatePartitions,
  CreateDelegationToken,
  RenewDelegationToken,
  ExpireDelegationToken,
  DescribeDelegationToken,
  DeleteGroups,
  ElectLeaders,
  IncrementalAlterConfigs,
  AlterPartitionReassignments,
  ListPartitionReassignments,
  OffsetDelete,
  DescribeClientQuotas,
  AlterClientQuotas,
  DescribeUserScramCredentials,
  AlterUserScramCredentials,
  AlterPartition,
  UpdateFeatures,
  Envelope,
  DescribeCluster,
  DescribeProducers,
  DescribeTransactions,
  ListTransactions,
  AllocateProducerIds,
  ConsumerGroupHeartbeat,
  ConsumerGroupDescribe,
]

export const apiByKey: ReadonlyMap<number, AnyApi> = new Map(apis.map((api) => [api.key, api]))

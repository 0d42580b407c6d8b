// ZooKeeper's own records (zookeeper.jute), declared once: requests and replies on the wire, and what
// stands in transaction logs and snapshots. A ustring, buffer or vector may always be null there.
import { compile } from '../../wire/compile.ts'
import { Reader } from '../../wire/reader.ts'
import {
  array,
  bigint64,
  bool,
  bytes,
  type Fields,
  type InputOf,
  int32,
  jute,
  type Schema,
  string,
  struct,
  type TypeOf,
} from '../../wire/schema.ts'
import { Writer } from '../../wire/writer.ts'

const text = () => string({ nullable: true, default: null })
const buffer = () => bytes({ nullable: true, default: null })
const vector = <const F extends Fields>(fields: F) => array(fields, { nullable: true })
const texts = () => array(text(), { nullable: true })

// data

const idFields = { scheme: text(), id: text() }
const aclFields = { perms: int32(), id: struct(idFields) }
const statFields = {
  czxid: bigint64(),
  mzxid: bigint64(),
  ctime: bigint64(),
  mtime: bigint64(),
  version: int32(),
  cversion: int32(),
  aversion: int32(),
  ephemeralOwner: bigint64(),
  dataLength: int32(),
  numChildren: int32(),
  pzxid: bigint64(),
}
const acls = () => vector(aclFields)
const stat = () => struct(statFields)

export const Id = jute('Id', idFields)
export const AclRecord = jute('ACL', aclFields)
export const ClientInfo = jute('ClientInfo', { authScheme: text(), user: text() })
export const StatRecord = jute('Stat', statFields)
export const StatPersisted = jute('StatPersisted', {
  czxid: bigint64(),
  mzxid: bigint64(),
  ctime: bigint64(),
  mtime: bigint64(),
  version: int32(),
  cversion: int32(),
  aversion: int32(),
  ephemeralOwner: bigint64(),
  pzxid: bigint64(),
})

// requests and replies

export const ConnectRequest = jute('ConnectRequest', {
  protocolVersion: int32(),
  lastZxidSeen: bigint64(),
  timeOut: int32(),
  sessionId: bigint64(),
  passwd: buffer(),
})
export const ConnectResponse = jute('ConnectResponse', {
  protocolVersion: int32(),
  timeOut: int32(),
  sessionId: bigint64(),
  passwd: buffer(),
})
export const RequestHeader = jute('RequestHeader', { xid: int32(), type: int32() })
export const ReplyHeader = jute('ReplyHeader', { xid: int32(), zxid: bigint64(), err: int32() })
export const MultiHeader = jute('MultiHeader', { type: int32(), done: bool(), err: int32() })
export const ErrorResponse = jute('ErrorResponse', { err: int32() })
export const WatcherEvent = jute('WatcherEvent', { type: int32(), state: int32(), path: text() })

export const AuthPacket = jute('AuthPacket', { type: int32(), scheme: text(), auth: buffer() })
export const GetSaslRequest = jute('GetSASLRequest', { token: buffer() })
export const SetSaslRequest = jute('SetSASLRequest', { token: buffer() })
export const SetSaslResponse = jute('SetSASLResponse', { token: buffer() })
export const WhoAmIResponse = jute('WhoAmIResponse', {
  clientInfo: vector({ authScheme: text(), user: text() }),
})

export const CreateRequest = jute('CreateRequest', {
  path: text(),
  data: buffer(),
  acl: acls(),
  flags: int32(),
})
export const CreateTtlRequest = jute('CreateTTLRequest', {
  path: text(),
  data: buffer(),
  acl: acls(),
  flags: int32(),
  ttl: bigint64(),
})
export const CreateResponse = jute('CreateResponse', { path: text() })
export const Create2Response = jute('Create2Response', { path: text(), stat: stat() })
export const DeleteRequest = jute('DeleteRequest', { path: text(), version: int32() })
export const ExistsRequest = jute('ExistsRequest', { path: text(), watch: bool() })
export const ExistsResponse = jute('ExistsResponse', { stat: stat() })
export const GetDataRequest = jute('GetDataRequest', { path: text(), watch: bool() })
export const GetDataResponse = jute('GetDataResponse', { data: buffer(), stat: stat() })
export const SetDataRequest = jute('SetDataRequest', {
  path: text(),
  data: buffer(),
  version: int32(),
})
export const SetDataResponse = jute('SetDataResponse', { stat: stat() })
export const GetAclRequest = jute('GetACLRequest', { path: text() })
export const GetAclResponse = jute('GetACLResponse', { acl: acls(), stat: stat() })
export const SetAclRequest = jute('SetACLRequest', {
  path: text(),
  acl: acls(),
  version: int32(),
})
export const SetAclResponse = jute('SetACLResponse', { stat: stat() })
export const GetChildrenRequest = jute('GetChildrenRequest', { path: text(), watch: bool() })
export const GetChildrenResponse = jute('GetChildrenResponse', { children: texts() })
export const GetChildren2Request = jute('GetChildren2Request', { path: text(), watch: bool() })
export const GetChildren2Response = jute('GetChildren2Response', {
  children: texts(),
  stat: stat(),
})
export const CheckVersionRequest = jute('CheckVersionRequest', { path: text(), version: int32() })
export const SyncRequest = jute('SyncRequest', { path: text() })
export const SyncResponse = jute('SyncResponse', { path: text() })
export const SetWatches = jute('SetWatches', {
  relativeZxid: bigint64(),
  dataWatches: texts(),
  existWatches: texts(),
  childWatches: texts(),
})
export const SetWatches2 = jute('SetWatches2', {
  relativeZxid: bigint64(),
  dataWatches: texts(),
  existWatches: texts(),
  childWatches: texts(),
  persistentWatches: texts(),
  persistentRecursiveWatches: texts(),
})
export const AddWatchRequest = jute('AddWatchRequest', { path: text(), mode: int32() })
export const CheckWatchesRequest = jute('CheckWatchesRequest', { path: text(), type: int32() })
export const RemoveWatchesRequest = jute('RemoveWatchesRequest', { path: text(), type: int32() })
export const GetEphemeralsRequest = jute('GetEphemeralsRequest', { prefixPath: text() })
export const GetEphemeralsResponse = jute('GetEphemeralsResponse', { ephemerals: texts() })
export const GetAllChildrenNumberRequest = jute('GetAllChildrenNumberRequest', { path: text() })
export const GetAllChildrenNumberResponse = jute('GetAllChildrenNumberResponse', {
  totalNumber: int32(),
})
export const GetMaxChildrenRequest = jute('GetMaxChildrenRequest', { path: text() })
export const GetMaxChildrenResponse = jute('GetMaxChildrenResponse', { max: int32() })
export const SetMaxChildrenRequest = jute('SetMaxChildrenRequest', { path: text(), max: int32() })
export const ReconfigRequest = jute('ReconfigRequest', {
  joiningServers: text(),
  leavingServers: text(),
  newMembers: text(),
  curConfigId: bigint64(),
})

// on disk

export const FileHeader = jute('FileHeader', {
  magic: int32(),
  version: int32(),
  dbid: bigint64(),
})
export const TxnHeader = jute('TxnHeader', {
  clientId: bigint64(),
  cxid: int32(),
  zxid: bigint64(),
  time: bigint64({ about: 'Milliseconds since 1970.' }),
  type: int32(),
})
export const TxnDigest = jute('TxnDigest', { version: int32(), treeDigest: bigint64() })
export const CreateTxnV0 = jute('CreateTxnV0', {
  path: text(),
  data: buffer(),
  acl: acls(),
  ephemeral: bool(),
})
export const CreateTxn = jute('CreateTxn', {
  path: text(),
  data: buffer(),
  acl: acls(),
  ephemeral: bool(),
  parentCVersion: int32({ about: "The parent's count of children ever created, with this one." }),
})
export const CreateTtlTxn = jute('CreateTTLTxn', {
  path: text(),
  data: buffer(),
  acl: acls(),
  parentCVersion: int32(),
  ttl: bigint64(),
})
export const CreateContainerTxn = jute('CreateContainerTxn', {
  path: text(),
  data: buffer(),
  acl: acls(),
  parentCVersion: int32(),
})
export const DeleteTxn = jute('DeleteTxn', { path: text() })
export const SetDataTxn = jute('SetDataTxn', {
  path: text(),
  data: buffer(),
  version: int32({ about: 'The new one.' }),
})
export const CheckVersionTxn = jute('CheckVersionTxn', { path: text(), version: int32() })
export const SetAclTxn = jute('SetACLTxn', {
  path: text(),
  acl: acls(),
  version: int32({ about: 'The new one.' }),
})
export const SetMaxChildrenTxn = jute('SetMaxChildrenTxn', { path: text(), max: int32() })
export const CreateSessionTxn = jute('CreateSessionTxn', { timeOut: int32() })
export const CloseSessionTxn = jute('CloseSessionTxn', { paths2Delete: texts() })
export const ErrorTxn = jute('ErrorTxn', { err: int32() })
export const Txn = jute('Txn', { type: int32(), data: buffer() })
export const MultiTxn = jute('MultiTxn', { txns: vector({ type: int32(), data: buffer() }) })

// of ensembles, for completeness

export const LearnerInfo = jute('LearnerInfo', {
  serverid: bigint64(),
  protocolVersion: int32(),
  configVersion: bigint64(),
})
export const QuorumAuthPacket = jute('QuorumAuthPacket', {
  magic: bigint64(),
  status: int32(),
  token: buffer(),
})
export const QuorumPacket = jute('QuorumPacket', {
  type: int32(),
  zxid: bigint64(),
  data: buffer(),
  authinfo: vector(idFields),
})

/** Appends a record. @throws WireError */
export function put<S extends Schema>(writer: Writer, schema: S, value: InputOf<S>): void {
  compile(schema, 0).encode(value, writer)
}

/** Reads a record; its byte strings are views. @throws WireError */
export function take<S extends Schema>(reader: Reader, schema: S): TypeOf<S> {
  return compile(schema, 0).decode(reader)
}

/** A record's bytes, in a buffer of their own. */
export function bytesOf<S extends Schema>(schema: S, value: InputOf<S>): Buffer {
  const writer = new Writer(64)
  put(writer, schema, value)
  return writer.bytes()
}

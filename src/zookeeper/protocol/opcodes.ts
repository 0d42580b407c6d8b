/** What a request asks for, in its header; in the transaction log, what a transaction does. */
export const opcodes = {
  notification: 0,
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getAcl: 6,
  setAcl: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  deleteContainer: 20,
  createTtl: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  sasl: 102,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  createSession: -10,
  closeSession: -11,
  error: -1,
} as const

/** Request numbers that are not answers to a request in the queue. */
export const reservedXids = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const

export const permissions = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const

/** `flags` of a create request. */
export const createFlags = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
  container: 4,
  ttl: 5,
  ttlSequential: 6,
} as const

/** `type` of a watch event. */
export const eventTypes = { created: 1, deleted: 2, dataChanged: 3, childrenChanged: 4 } as const

/** `mode` of addWatch. */
export const watchModes = { persistent: 0, recursive: 1 } as const

/** `type` of checkWatches and removeWatches; the last two since 3.9. */
export const watcherTypes = { children: 1, data: 2, any: 3, persistent: 4, recursive: 5 } as const

/** `state` of a watch event that tells of a node. */
export const SYNC_CONNECTED = 3

/** Short names of requests, as ZooKeeper's statistics show them. */
export const operationNames: ReadonlyMap<number, string> = new Map([
  [opcodes.create, 'CREA'],
  [opcodes.create2, 'CREA'],
  [opcodes.createContainer, 'CREA'],
  [opcodes.createTtl, 'CREA'],
  [opcodes.delete, 'DELE'],
  [opcodes.exists, 'EXIS'],
  [opcodes.getData, 'GETD'],
  [opcodes.setData, 'SETD'],
  [opcodes.getAcl, 'GETA'],
  [opcodes.setAcl, 'SETA'],
  [opcodes.getChildren, 'GETC'],
  [opcodes.getChildren2, 'GETC'],
  [opcodes.getAllChildrenNumber, 'GETACN'],
  [opcodes.getEphemerals, 'GETE'],
  [opcodes.sync, 'SYNC'],
  [opcodes.ping, 'PING'],
  [opcodes.check, 'CHEC'],
  [opcodes.multi, 'MULT'],
  [opcodes.multiRead, 'MLTR'],
  [opcodes.reconfig, 'RECO'],
  [opcodes.checkWatches, 'CHKW'],
  [opcodes.removeWatches, 'REMW'],
  [opcodes.setWatches, 'SETW'],
  [opcodes.setWatches2, 'STW2'],
  [opcodes.addWatch, 'ADDW'],
  [opcodes.whoAmI, 'HOMI'],
  [opcodes.closeSession, 'CLOS'],
])

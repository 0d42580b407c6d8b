/** ZooKeeper's operations on a session. */
import type { Reader } from '../../wire/reader.ts'
import type { Writer } from '../../wire/writer.ts'
import { errorCodes } from '../protocol/errors.ts'
import { putMultiRequest } from '../protocol/multi.ts'
import { opcodes, watcherTypes, watchModes } from '../protocol/opcodes.ts'
import { recordBody } from '../protocol/packets.ts'
import * as records from '../protocol/records.ts'
import { take } from '../protocol/records.ts'
import {
  type Acl,
  connectionLoss,
  type CreateOptions,
  type CreateResult,
  isZooKeeperError,
  MultiError,
  type Operation,
  type OperationResult,
  type Stat,
  type Watcher,
  type WatcherKind,
  type WatchMode,
  type ZooKeeperClient,
  ZooKeeperError,
} from './client.ts'
import { SessionLife } from './life.ts'
import * as operations from './operations.ts'

export class ZooKeeperSession extends SessionLife implements ZooKeeperClient {
  private request<T>(
    type: number,
    path: string | null,
    body: (writer: Writer) => void,
    parse: (reader: Reader) => T,
    onRefused?: (code: number) => void,
  ): Promise<T> {
    if (this.isOver()) return Promise.reject(this.overError(path))
    if (this.state !== 'connected' || this.link === undefined) {
      return Promise.reject(connectionLoss(path, 'not connected'))
    }
    return this.link.request(type, { path, body }, parse, onRefused)
  }

  async create(
    path: string,
    data: Uint8Array | null,
    options: CreateOptions = {},
  ): Promise<CreateResult> {
    const type = operations.createType(options)
    const hasStat = type !== opcodes.create
    const request = operations.createRequest(this.inside(path), data, options)
    const ttl = BigInt(options.ttlMs ?? 0)
    return this.request(
      type,
      path,
      type === opcodes.createTtl
        ? recordBody(records.CreateTtlRequest, { ...request, ttl })
        : recordBody(records.CreateRequest, request),
      (reader) => {
        const result = operations.takeCreateResult(reader, hasStat)
        return { ...result, path: this.outside(result.path) }
      },
    )
  }

  delete(path: string, version = -1): Promise<void> {
    const body = recordBody(records.DeleteRequest, { path: this.inside(path), version })
    return this.request(opcodes.delete, path, body, () => {})
  }

  async exists(path: string, watcher?: Watcher): Promise<Stat | null> {
    const inside = this.inside(path)
    const body = recordBody(records.ExistsRequest, { path: inside, watch: watcher !== undefined })
    const parse = (reader: Reader): Stat => {
      if (watcher !== undefined) this.watches.add('data', inside, watcher)
      return take(reader, records.ExistsResponse).stat
    }
    // Set before the promise turns, since the event may be in the same packet.
    const onRefused = (code: number): void => {
      if (code !== errorCodes.NONODE || watcher === undefined) return
      this.watches.add('exist', inside, watcher)
    }
    try {
      return await this.request(opcodes.exists, path, body, parse, onRefused)
    } catch (error) {
      if (isZooKeeperError(error, 'NONODE')) return null
      throw error
    }
  }

  getData(path: string, watcher?: Watcher): Promise<{ data: Buffer; stat: Stat }> {
    const inside = this.inside(path)
    const body = recordBody(records.GetDataRequest, { path: inside, watch: watcher !== undefined })
    return this.request(opcodes.getData, path, body, (reader) => {
      if (watcher !== undefined) this.watches.add('data', inside, watcher)
      return operations.takeData(reader)
    })
  }

  getChildren(path: string, watcher?: Watcher): Promise<{ children: string[]; stat: Stat }> {
    const inside = this.inside(path)
    const request = { path: inside, watch: watcher !== undefined }
    const body = recordBody(records.GetChildren2Request, request)
    return this.request(opcodes.getChildren2, path, body, (reader) => {
      if (watcher !== undefined) this.watches.add('child', inside, watcher)
      return operations.takeChildren(reader)
    })
  }

  setData(path: string, data: Uint8Array, version = -1): Promise<Stat> {
    const body = recordBody(records.SetDataRequest, { path: this.inside(path), data, version })
    return this.request(opcodes.setData, path, body, takeStat)
  }

  async multi(asked: readonly Operation[]): Promise<OperationResult[]> {
    const inside = asked.map((one) => operations.multiOperation(one, this.inside(one.path)))
    const body = (writer: Writer): void => putMultiRequest(writer, inside)
    const results = await this.request(opcodes.multi, null, body, (reader) =>
      operations.takeMultiResults(reader, asked),
    )
    if (results instanceof MultiError) throw results
    return results.map((one) =>
      one.type === 'create' ? { ...one, path: this.outside(one.path) } : one,
    )
  }

  addWatch(path: string, mode: WatchMode, watcher: Watcher): Promise<void> {
    const inside = this.inside(path)
    const body = recordBody(records.AddWatchRequest, { path: inside, mode: watchModes[mode] })
    return this.request(opcodes.addWatch, path, body, () => this.watches.add(mode, inside, watcher))
  }

  async removeWatches(path: string, kind: WatcherKind, watcher?: Watcher): Promise<void> {
    const inside = this.inside(path)
    if (!this.watches.has(kind, inside, watcher)) {
      throw new ZooKeeperError(errorCodes.NOWATCHER, path)
    }
    // The server knows one watch for all of our watchers.
    if (this.watches.isNeeded(kind, inside, watcher)) {
      this.watches.remove(kind, inside, watcher)
      return
    }
    const body = recordBody(records.RemoveWatchesRequest, {
      path: inside,
      type: watcherTypes[kind],
    })
    try {
      await this.request(opcodes.removeWatches, path, body, () => {})
    } catch (error) {
      // Its event is on the way, which nobody waits for any more.
      if (!isZooKeeperError(error, 'NOWATCHER')) throw error
    }
    this.watches.remove(kind, inside, watcher)
  }

  reconfig(
    joining: string | null,
    leaving: string | null,
    members: string | null,
    version = -1n,
  ): Promise<{ data: Buffer; stat: Stat }> {
    const body = recordBody(records.ReconfigRequest, {
      joiningServers: joining,
      leavingServers: leaving,
      newMembers: members,
      curConfigId: version,
    })
    return this.request(opcodes.reconfig, null, body, operations.takeData)
  }

  whoAmI(): Promise<{ scheme: string; user: string }[]> {
    return this.request(
      opcodes.whoAmI,
      null,
      () => {},
      (reader) => {
        const { clientInfo } = take(reader, records.WhoAmIResponse)
        return (clientInfo ?? []).map(({ authScheme, user }) => ({
          scheme: authScheme ?? '',
          user: user ?? '',
        }))
      },
    )
  }

  getEphemerals(prefix = '/'): Promise<string[]> {
    const body = recordBody(records.GetEphemeralsRequest, { prefixPath: this.inside(prefix) })
    return this.request(opcodes.getEphemerals, prefix, body, (reader) => {
      const { ephemerals } = take(reader, records.GetEphemeralsResponse)
      return (ephemerals ?? []).map((path) => this.outside(path ?? ''))
    })
  }

  getAllChildrenNumber(path: string): Promise<number> {
    const body = recordBody(records.GetAllChildrenNumberRequest, { path: this.inside(path) })
    return this.request(
      opcodes.getAllChildrenNumber,
      path,
      body,
      (reader) => take(reader, records.GetAllChildrenNumberResponse).totalNumber,
    )
  }

  sync(path: string): Promise<void> {
    const body = recordBody(records.SyncRequest, { path: this.inside(path) })
    return this.request(opcodes.sync, path, body, () => {})
  }

  getAcl(path: string): Promise<{ acl: Acl[]; stat: Stat }> {
    const body = recordBody(records.GetAclRequest, { path: this.inside(path) })
    return this.request(opcodes.getAcl, path, body, operations.takeAcl)
  }

  setAcl(path: string, acl: readonly Acl[], version = -1): Promise<Stat> {
    const body = recordBody(records.SetAclRequest, { path: this.inside(path), acl, version })
    return this.request(opcodes.setAcl, path, body, takeStat)
  }

  async makePath(path: string, data: Uint8Array = Buffer.alloc(0)): Promise<void> {
    const parts = path.split('/').filter((part) => part !== '')
    // The chroot itself may be missing too, and is made from the outside.
    const rooted = [...this.connectString.chroot.split('/').filter((part) => part !== ''), ...parts]
    const paths = rooted.map((_, index) => `/${rooted.slice(0, index + 1).join('/')}`)
    for (const one of paths) {
      const content = one === paths.at(-1) ? data : Buffer.alloc(0)
      const request = operations.createRequest(one, content, {})
      const body = recordBody(records.CreateRequest, request)
      try {
        await this.request(opcodes.create, path, body, () => {})
      } catch (error) {
        // Who may not create at the top may still find it there.
        if (!isZooKeeperError(error, 'NODEEXISTS') && !isZooKeeperError(error, 'NOAUTH'))
          throw error
        if (isZooKeeperError(error, 'NOAUTH') && one === paths.at(-1)) throw error
      }
    }
  }

  async addAuth(scheme: string, auth: Uint8Array): Promise<void> {
    const credential = { scheme, auth: Buffer.from(auth) }
    this.credentials.push(credential)
    if (this.state !== 'connected') return
    this.sendAuth(credential)
    // Answers come in order: once this one is here, the server has seen the credentials.
    await this.sync('/')
  }
}

function takeStat(reader: Reader): Stat {
  return take(reader, records.SetDataResponse).stat
}

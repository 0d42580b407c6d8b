// Pure. Ids of documents that came without one: derived from the index and the row, so none is stored.

/** 20 characters of base64url: 9 bytes of the index's identity, 6 of the row's number. */
export class AutoIds {
  readonly #prefix: string

  constructor(uuid: string) {
    this.#prefix = uuid.slice(0, 12).padEnd(12, 'A')
  }

  encode(seq: number): string {
    const bytes = Buffer.allocUnsafe(6)
    bytes.writeUIntBE(seq, 0, 6)
    return this.#prefix + bytes.toString('base64url')
  }

  /** The row's seq where the id is one of this index's. */
  decode(id: string): number | undefined {
    if (id.length !== 20 || !id.startsWith(this.#prefix)) return undefined
    const tail = id.slice(12)
    if (!/^[A-Za-z0-9_-]{8}$/.test(tail)) return undefined
    return Buffer.from(tail, 'base64url').readUIntBE(0, 6)
  }
}

// A server that answers as Elasticsearch does, as far as a bulk sender can see, and misbehaves to order.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface BulkAction {
  readonly action: string
  readonly meta: Readonly<Record<string, unknown>>
  readonly document: unknown
}

/** What to do with the next bulk request: a status for the whole, or a status for each item. */
export type Misbehaviour =
  | { readonly status: number }
  | { readonly items: (action: BulkAction, index: number) => number }
  | 'hang up'

export class SearchServer {
  /** Bulk requests in order. */
  readonly requests: BulkAction[][] = []
  /** Documents by id, as acknowledged. */
  readonly documents = new Map<string, unknown>()
  readonly headers: Record<string, string | string[] | undefined>[] = []
  /** Taken one by one; an empty list means good behaviour. */
  readonly next: Misbehaviour[] = []
  version = '7.17.0'
  #server: Server | undefined

  async start(): Promise<string> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        this.headers.push(request.headers)
        const answer = this.#answer(request.url ?? '', Buffer.concat(chunks).toString())
        if (answer === undefined) {
          request.socket.destroy()
          return
        }
        response.writeHead(answer.status, { 'content-type': 'application/json' })
        response.end(JSON.stringify(answer.body))
      })
    })
    this.#server = server
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections()
    await new Promise((resolve) => this.#server?.close(resolve))
  }

  #answer(url: string, body: string): { status: number; body: unknown } | undefined {
    if (url === '/') return { status: 200, body: { version: { number: this.version } } }
    const actions = parseBulk(body)
    this.requests.push(actions)
    const behaviour = this.next.shift()
    if (behaviour === 'hang up') return undefined
    if (behaviour !== undefined && 'status' in behaviour) {
      return { status: behaviour.status, body: { error: 'to order' } }
    }
    const statuses = actions.map((action, index) => behaviour?.items(action, index) ?? 201)
    for (const [index, { meta, document }] of actions.entries()) {
      if (statuses[index] === 201) this.documents.set(String(meta['_id']), document)
    }
    const items = actions.map(({ action }, index) => ({ [action]: { status: statuses[index] } }))
    return { status: 200, body: { errors: statuses.some((status) => status !== 201), items } }
  }
}

function parseBulk(body: string): BulkAction[] {
  const lines = body.split('\n').filter((line) => line !== '')
  const actions: BulkAction[] = []
  while (lines.length > 0) {
    const head = JSON.parse(lines.shift() ?? '') as Record<string, Record<string, unknown>>
    const [action = '', meta = {}] = Object.entries(head)[0] ?? []
    const document: unknown = action === 'delete' ? undefined : JSON.parse(lines.shift() ?? '')
    actions.push({ action, meta, document })
  }
  return actions
}

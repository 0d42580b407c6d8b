/** HTTP as a port, for clients of other stages (console, pipeline). Servers are handed in by the mains. */
export interface HttpClient {
  /** Sends one request and reads the whole answer. @throws HttpError when there is no answer. */
  send(request: HttpRequest): Promise<HttpAnswer>
}

export interface HttpRequest {
  readonly method: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly timeoutMs?: number
  /** The answer is cut off with an error above this. */
  readonly maxAnswerBytes?: number
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** No answer: refused, timed out, broken off, too large. `code` is the system's or the client's. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

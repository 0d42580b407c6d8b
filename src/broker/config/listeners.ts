// Pure.
/** `listeners` and `advertised.listeners`, and the settings that 0.10.1 still had in their place. */
import { UserError } from '../../runtime/service.ts'
import type { Endpoint } from '../znodes.ts'

export interface ListenerTexts {
  readonly listeners: string | null
  readonly advertised: string | null
  /** listener.security.protocol.map, as NAME:PROTOCOL,… */
  readonly protocolMap: string
  readonly hostName: string | null
  readonly port: number
  readonly advertisedHostName: string | null
  readonly advertisedPort: number | null
}

const wildcard = /^(?:|0\.0\.0\.0|::|\[::\])$/

/** @throws UserError that names the setting and the text. */
export function parseListeners(texts: ListenerTexts): {
  listeners: readonly Endpoint[]
  advertisedListeners: readonly Endpoint[]
} {
  const protocols = parseMap(texts.protocolMap)
  const usual = `PLAINTEXT://${texts.hostName ?? ''}:${texts.port}`
  const listeners = parseList('listeners', texts.listeners ?? usual, protocols)
  const advertised = advertisedText(texts)
  if (advertised === undefined) return { listeners, advertisedListeners: listeners }
  const advertisedListeners = parseList('advertised.listeners', advertised, protocols)
  for (const { host } of advertisedListeners)
    if (wildcard.test(host) && host !== '')
      throw new UserError(
        `advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.`,
      )
  return { listeners, advertisedListeners }
}

function advertisedText(texts: ListenerTexts): string | undefined {
  if (texts.advertised !== null) return texts.advertised
  if (texts.advertisedHostName === null && texts.advertisedPort === null) return undefined
  const host = texts.advertisedHostName ?? texts.hostName ?? ''
  return `PLAINTEXT://${host}:${texts.advertisedPort ?? texts.port}`
}

function parseMap(text: string): ReadonlyMap<string, string> {
  const entries = text.split(',').map((pair) => pair.trim().split(':'))
  return new Map(entries.map(([name = '', protocol = '']) => [name.toUpperCase(), protocol]))
}

function parseList(
  setting: string,
  text: string,
  protocols: ReadonlyMap<string, string>,
): Endpoint[] {
  const endpoints: Endpoint[] = []
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part === '') continue
    const match = /^([^:]+):\/\/(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(part)
    if (match === null) throw new UserError(`${setting}: unable to parse ${part} to an endpoint`)
    const listener = (match[1] ?? '').toUpperCase()
    const securityProtocol = protocols.get(listener)
    if (securityProtocol === undefined)
      throw new UserError(
        `${setting}: no security protocol is defined for listener ${listener} in listener.security.protocol.map`,
      )
    const host = match[2] ?? match[3] ?? ''
    const port = Number(match[4])
    if (port > 65535) throw new UserError(`${setting}: ${part} has no valid port`)
    if (endpoints.some((one) => one.listener === listener))
      throw new UserError(`${setting}: each listener must have a different name: ${text}`)
    endpoints.push({ listener, securityProtocol, host, port })
  }
  if (endpoints.length === 0) throw new UserError(`${setting}: no listener is given`)
  return endpoints
}

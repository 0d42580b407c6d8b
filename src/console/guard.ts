// Pure. Who may ask: browsers that came by a name of ours, from a page of ours.

export interface GuardSettings {
  readonly allowedHosts: readonly string[]
}

export interface GuardedRequest {
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
  /** A page may be reached by a link on any site; data may not. */
  readonly isApi: boolean
}

/**
 * Undefined where the request may pass, else the sentence that goes with status 403.
 *
 * DNS rebinding needs a host name that an attacker controls, so address literals and localhost always
 * pass and other names must be configured. A foreign page's request carries that page's Origin or a
 * Sec-Fetch-Site that says so; only following a link to one of our pages is harmless.
 */
export function refuseRequest(
  request: GuardedRequest,
  settings: GuardSettings,
): string | undefined {
  const name = hostNameOf(request.host)
  if (name === undefined) return 'The Host header is missing or malformed.'
  if (!isOwnName(name, settings.allowedHosts)) {
    return (
      `This console does not answer to the host name ${name}. ` +
      `If it is yours, start the console with --allowed-host ${name} ` +
      'or set server.publicBaseUrl.'
    )
  }
  if (request.origin !== undefined && !isSameOrigin(request.origin, request.host)) {
    return 'Requests from pages of another origin are refused.'
  }
  const site = request.fetchSite
  if (request.isApi && site !== undefined && site !== 'same-origin' && site !== 'none') {
    return 'Requests from pages of another site are refused.'
  }
  return undefined
}

function hostNameOf(host: string | undefined): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(host ?? '')
  return match?.[1]?.toLowerCase().replace(/\.$/, '')
}

const ipv4 = /^\d{1,3}(\.\d{1,3}){3}$/

function isOwnName(name: string, allowedHosts: readonly string[]): boolean {
  if (name === 'localhost' || name.endsWith('.localhost')) return true
  return name.startsWith('[') || ipv4.test(name) || allowedHosts.includes(name)
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  const match = /^https?:\/\/(.+)$/i.exec(origin)
  return match?.[1]?.toLowerCase() === host?.toLowerCase()
}

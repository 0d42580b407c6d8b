// Pure. Finds the route of a request: fixed path parts go before variable ones.

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD'

export interface Route<Handler> {
  readonly methods: readonly Method[]
  /** `/{index}/_doc/{id}`: a part in braces takes any text. */
  readonly path: string
  readonly handler: Handler
  /** Parameters of the URL beside the common ones. Undefined: all are let through. */
  readonly parameters?: readonly string[]
  /** The first major version that has it. Default: all. */
  readonly since?: number
  readonly until?: number
}

export type RouteMatch<Handler> =
  | {
      readonly kind: 'found'
      readonly route: Route<Handler>
      readonly variables: Readonly<Record<string, string>>
    }
  | { readonly kind: 'wrongMethod'; readonly allowed: readonly Method[] }
  | { readonly kind: 'unknown' }

interface Node<Handler> {
  readonly fixed: Map<string, Node<Handler>>
  variable: Node<Handler> | undefined
  readonly routes: Map<Method, { route: Route<Handler>; names: readonly string[] }>
}

export class Router<Handler> {
  readonly #root: Node<Handler> = newNode()

  constructor(routes: readonly Route<Handler>[], major: number) {
    for (const route of routes) {
      if ((route.since ?? 0) <= major && (route.until ?? major) >= major) this.#add(route)
    }
  }

  find(method: Method, parts: readonly string[]): RouteMatch<Handler> {
    const candidates: { node: Node<Handler>; values: string[] }[] = []
    collect(this.#root, parts, 0, [], candidates)
    const methods = method === 'HEAD' ? (['HEAD', 'GET'] as const) : [method]
    for (const wanted of methods) {
      for (const { node, values } of candidates) {
        const found = node.routes.get(wanted)
        if (found === undefined) continue
        const pairs = found.names.map((name, at) => [name, values[at] ?? ''] as const)
        return { kind: 'found', route: found.route, variables: Object.fromEntries(pairs) }
      }
    }
    const allowed = [...(candidates[0]?.node.routes.keys() ?? [])]
    return allowed.length > 0 ? { kind: 'wrongMethod', allowed } : { kind: 'unknown' }
  }

  #add(route: Route<Handler>): void {
    let node = this.#root
    const names: string[] = []
    for (const part of route.path.split('/').filter((one) => one !== '')) {
      if (part.startsWith('{')) {
        names.push(part.slice(1, -1))
        node.variable ??= newNode()
        node = node.variable
      } else {
        const next = node.fixed.get(part) ?? newNode<Handler>()
        node.fixed.set(part, next)
        node = next
      }
    }
    for (const method of route.methods) node.routes.set(method, { route, names })
  }
}

function newNode<Handler>(): Node<Handler> {
  return { fixed: new Map(), variable: undefined, routes: new Map() }
}

function collect<Handler>(
  node: Node<Handler>,
  parts: readonly string[],
  at: number,
  values: readonly string[],
  found: { node: Node<Handler>; values: string[] }[],
): void {
  const part = parts[at]
  if (part === undefined) {
    if (node.routes.size > 0) found.push({ node, values: [...values] })
    return
  }
  const fixed = node.fixed.get(part)
  if (fixed !== undefined) collect(fixed, parts, at + 1, values, found)
  if (node.variable !== undefined) collect(node.variable, parts, at + 1, [...values, part], found)
}

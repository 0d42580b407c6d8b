// Pure.
// Paths of nodes, as ZooKeeper's PathUtils allows them.

/** What is wrong with a path, or undefined. */
export function pathError(path: string): string | undefined {
  if (path === '') return 'the path is empty'
  if (path[0] !== '/') return 'the path does not begin with /'
  if (path.length === 1) return undefined
  if (path.endsWith('/')) return 'the path ends with /'
  if (hasForbidden(path)) return 'the path has a forbidden character'
  for (const name of path.slice(1).split('/')) {
    if (name === '') return 'the path has an empty name'
    if (name === '.' || name === '..') return 'the path is relative'
  }
  return undefined
}

/** Control characters, surrogates, the private use area and specials, as in the original. */
function hasForbidden(path: string): boolean {
  for (let index = 1; index < path.length; index++) {
    const unit = path.charCodeAt(index)
    if (unit < 0x20 || (unit >= 0x7f && unit <= 0x9f)) return true
    if ((unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0) return true
  }
  return false
}

/** '/' for a node of the top level. The path must not be '/'. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1))
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function childPath(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`
}

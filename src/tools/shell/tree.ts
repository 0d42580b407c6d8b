// All nodes below one.
import { isZooKeeperError, type ZooKeeperClient } from '../../zookeeper/client/client.ts'

/**
 * The path itself first; then all children of a node, sorted, before those of the first of them, as the
 * original goes. A parent always stands before what is below it. @throws ZooKeeperError
 */
export async function subtree(
  session: Pick<ZooKeeperClient, 'getChildren'>,
  path: string,
): Promise<string[]> {
  const found = [path]
  const visit = async (parent: string): Promise<void> => {
    const children = await childrenOf(session, parent, parent === path)
    found.push(...children)
    for (const child of children) await visit(child)
  }
  await visit(path)
  return found
}

async function childrenOf(
  session: Pick<ZooKeeperClient, 'getChildren'>,
  parent: string,
  isAsked: boolean,
): Promise<string[]> {
  try {
    const { children } = await session.getChildren(parent)
    return children.sort().map((name) => (parent === '/' ? `/${name}` : `${parent}/${name}`))
  } catch (error) {
    // A node that went meanwhile has no children.
    if (isAsked || !isZooKeeperError(error, 'NONODE')) throw error
    return []
  }
}

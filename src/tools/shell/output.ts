// Where commands of the shell write to.
import type { Watcher } from '../../zookeeper/client/client.ts'

export interface ShellOutput {
  /** A line of results. */
  readonly line: (text: string) => void
  /** A line of standard error. */
  readonly note: (text: string) => void
  /** Shows what a watch tells. */
  readonly watcher: Watcher
}

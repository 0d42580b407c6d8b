// What the inputs of one shipper share: ports, registry, agent, the queue of files to read, counts.

import type { Ports } from '../../runtime/service.ts'
import type { Agent } from '../event.ts'
import type { Registry } from '../registry/registry.ts'
import type { InputSettings } from '../settings.ts'
import type { TrackedFile } from './tracked-file.ts'

export interface HarvestCounts {
  /** Lines read, whatever became of them. */
  lines: number
  bytes: number
  /** Events made. */
  added: number
  /** Lines left out by include_lines, exclude_lines or because they are empty. */
  filtered: number
  /** Events acknowledged or given up. */
  settled: number
  opened: number
  closed: number
  truncated: number
  renamed: number
}

export function noHarvest(): HarvestCounts {
  return {
    lines: 0,
    bytes: 0,
    added: 0,
    filtered: 0,
    settled: 0,
    opened: 0,
    closed: 0,
    truncated: 0,
    renamed: 0,
  }
}

export interface InputContext {
  readonly ports: Pick<Ports, 'clock' | 'disk' | 'logger'>
  readonly registry: Registry
  readonly agent: Agent
  readonly prettyJson: boolean
  readonly counts: HarvestCounts
  /** The file may have something to read. */
  readonly enqueue: (file: TrackedFile, settings: InputSettings) => void
  /** Writes the file's state into the registry. */
  readonly record: (file: TrackedFile, settings: InputSettings) => void
  /** Registry keys that an input of this shipper reads; its value names the input. */
  readonly owners: Map<string, object>
}

// Pure. A step of the filter mutate.

import type { PipelineEvent } from '../../events/event.ts'

/** Applies to one event, or (regular expressions, which need a guard) to a batch at once. */
export type Operation =
  | { readonly one: (event: PipelineEvent) => void }
  | { readonly all: (events: readonly PipelineEvent[], fail: Fail) => void }

export type Fail = (event: PipelineEvent, error: unknown) => void

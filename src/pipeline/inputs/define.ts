// Pure. What inputs do to every event: type, tags and added fields.

import type { PipelineEvent } from '../../events/event.ts'
import { type Template } from '../../events/sprintf.ts'
import { compileDecorations } from '../decorate.ts'
import type { InputCommon } from '../plugin.ts'

/** `type` is set unless the event brings one; tags are added to its own. */
export function inputDecoration(
  options: InputCommon,
  template: (text: string) => Template,
): (event: PipelineEvent) => void {
  const { type, tags, add_field } = options
  const decorate = compileDecorations(
    { add_field, add_tag: tags ?? [], remove_field: [], remove_tag: [] },
    template,
  )
  return (event) => {
    if (type !== undefined) event.data['type'] ??= type
    decorate(event)
  }
}

import { Errors } from '../../kafka/errors.ts'
import { AlterConfigs } from '../../kafka/messages/alter-configs.ts'
import { alterAll } from '../config-alteration.ts'
import { handler } from '../handler.ts'

/** AlterConfigs (key 33): what is named replaces all that was set before. */
export const alterConfigs = handler(AlterConfigs, [0, 2], async (request, context) => ({
  responses: await alterAll(request.resources, context, request.validateOnly, ({ configs }) => {
    const missing = configs.filter(({ value }) => value === null).map(({ name }) => name)
    if (missing.length > 0)
      return {
        error: Errors.INVALID_REQUEST,
        message: `Null value not supported for : ${missing.join(',')}`,
      }
    const properties = Object.fromEntries(configs.map(({ name, value }) => [name, value ?? '']))
    return () => ({ properties, problem: undefined })
  }),
}))

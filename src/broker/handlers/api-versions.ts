import { Errors } from '../../kafka/errors.ts'
import { ApiVersions } from '../../kafka/messages/api-versions.ts'
import { handler, type Handler } from '../handler.ts'

const legalSoftwareText = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/**
 * ApiVersions (key 18): lists exactly what is built. The list is handed in, since it is made of all
 * handlers, this one included. An unknown version is answered by the dispatcher in version 0's form.
 */
export function apiVersions(list: () => readonly Handler[]): Handler {
  return handler(ApiVersions, [0, 4], (request, context) => {
    if (context.apiVersion >= 3) {
      const texts = [request.clientSoftwareName, request.clientSoftwareVersion]
      if (!texts.every((text) => legalSoftwareText.test(text)))
        return { errorCode: Errors.INVALID_REQUEST }
    }
    return { errorCode: Errors.NONE, apiKeys: listed(list()) }
  })
}

/** The handlers' version ranges, as ApiVersions shows them. */
export function listed(handlers: readonly Handler[]) {
  return handlers.map(({ api, versions: [minVersion, maxVersion] }) => ({
    apiKey: api.key,
    minVersion,
    maxVersion,
  }))
}

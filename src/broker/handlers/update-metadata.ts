import { UpdateMetadata } from '../../kafka/messages/update-metadata.ts'
import { handler } from '../handler.ts'
import { newestUpdateMetadata } from '../order-forms.ts'

/** UpdateMetadata (key 6): a controller on another broker describes the cluster. */
export const updateMetadata = handler(UpdateMetadata, [0, 8], (request, context) =>
  context.parts.subordinate.updateMetadata(newestUpdateMetadata(request, context.apiVersion)),
)

/** Every route of the API. */
import { analyzeRoutes } from './analyze.ts'
import { bulkRoutes } from './bulk.ts'
import { byQueryRoutes } from './by-query.ts'
import { catRoutes } from './cat.ts'
import { clusterRoutes } from './cluster.ts'
import type { RestRoute } from './context.ts'
import { documentRoutes } from './documents.ts'
import { fieldCapsRoutes } from './field-caps.ts'
import { indexRoutes } from './indices.ts'
import { searchRoutes } from './search.ts'
import { templateRoutes } from './templates.ts'

export const routes: readonly RestRoute[] = [
  ...clusterRoutes,
  ...catRoutes,
  ...templateRoutes,
  ...bulkRoutes,
  ...searchRoutes,
  ...byQueryRoutes,
  ...analyzeRoutes,
  ...fieldCapsRoutes,
  ...indexRoutes,
  ...documentRoutes,
]

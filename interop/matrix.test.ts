/** Clients of others read each other's records and resume each other's groups; the quick part. */
import { quickClients } from './matrix/clients.ts'
import { declareMatrix } from './matrix/tests.ts'

declareMatrix(quickClients)

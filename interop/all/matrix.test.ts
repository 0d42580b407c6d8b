/** Clients of others read each other's records and resume each other's groups; all of them. */
import { allClients } from '../matrix/clients.ts'
import { declareMatrix } from '../matrix/tests.ts'
import { writeTable } from '../matrix/table.ts'

const bootstrap = process.env['MATRIX_BOOTSTRAP']
const only = process.env['MATRIX_CLIENTS']?.split(',')
const clients = allClients.filter(({ name }) => only === undefined || only.includes(name))
const whole = bootstrap === undefined && only === undefined

declareMatrix(clients, {
  ...(bootstrap === undefined ? {} : { bootstrap }),
  ...(whole ? { onEnd: (counts) => writeTable(clients, counts) } : {}),
})

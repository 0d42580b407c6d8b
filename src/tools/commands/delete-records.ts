// kafka-delete-records: removes what lies before offsets that a JSON file names.
import { KafkaError } from '../../client/errors.ts'
import type { TopicPartitionOffset } from '../../client/types.ts'
import { UserError } from '../../runtime/service.ts'
import { withCluster } from '../cluster-tool.ts'
import { clusterOptions } from '../common-options.ts'
import { exceptionText } from '../java-names.ts'
import { jsonObjectOf } from '../json-file.ts'
import { integerAt, type JsonObject, objectsAt, textAt } from '../json-shape.ts'
import type { Options, OptionTable } from '../options.ts'
import { write } from '../output.ts'
import type { Command, Tool } from '../tool.ts'

const options = {
  ...clusterOptions,
  'offset-json-file': {
    takes: 'file',
    about:
      '{"partitions":[{"topic":"t","partition":0,"offset":5}],"version":1}; offset -1: the end.',
  },
} as const satisfies OptionTable

export const deleteRecordsCommand: Command<typeof options> = {
  name: 'kafka-delete-records',
  className: 'org.apache.kafka.tools.DeleteRecordsCommand',
  about: 'Deletes the records of partitions that lie before given offsets.',
  options,
  run,
}

function run(given: Options<typeof options>, tool: Tool): Promise<number> {
  given.required('bootstrap-server')
  const path = given.required('offset-json-file')
  const offsets = offsetsToDelete(jsonObjectOf(tool, path), path)
  const whereabouts = {
    brokers: given.text('bootstrap-server'),
    config: given.text('command-config'),
    clientId: 'adminclient-1',
  }
  const { stdout, stderr } = tool.context
  return withCluster(tool, whereabouts, async (client) => {
    await write(stdout, 'Executing records delete operation\n')
    try {
      const outcomes = await client.admin().deleteRecords(offsets)
      await write(stdout, 'Records delete operation completed:\n')
      for (const { topic, partition, offset, error } of outcomes) {
        const what =
          error === undefined ? `low_watermark: ${offset}` : `error: ${exceptionText(error)}`
        await write(stdout, `partition: ${topic}-${partition}\t${what}\n`)
      }
      return 0
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      stderr.write(`${exceptionText(error)}\n`)
      return 1
    }
  })
}

/** @throws UserError for files of another shape */
export function offsetsToDelete(file: JsonObject, path: string): TopicPartitionOffset[] {
  if (file['version'] !== undefined && file['version'] !== 1) {
    throw new UserError(`Not supported version field value ${JSON.stringify(file['version'])}`)
  }
  if (file['partitions'] === undefined) throw new UserError('Missing partitions field')
  const offsets = objectsAt(file['partitions'], `${path}: partitions`).map((one, index) => {
    const place = `${path}: partitions[${index}]`
    const partition = integerAt(one, 'partition', place)
    return {
      topic: textAt(one, 'topic', place),
      partition,
      offset: integerAt(one, 'offset', place),
    }
  })
  const names = offsets.map(({ topic, partition }) => `${topic}-${partition}`)
  const twice = new Set(names.filter((name, index) => names.indexOf(name) < index))
  if (twice.size === 0) return offsets
  throw new UserError(
    `Offset json file contains duplicate topic partitions: ${[...twice].join(',')}`,
  )
}

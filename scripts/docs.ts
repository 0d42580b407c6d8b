/**
 * Writes the documents that are derived from declarations: docs/protocol.md, settings.md, metrics.md. With
 * --check nothing is written, and a stale document is an error.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brokerDeclarations } from '../src/broker/config/broker-settings.ts'
import { topicDeclarations } from '../src/broker/config/topic.ts'
import { handlers } from '../src/broker/handlers/index.ts'
import { brokerMetrics } from '../src/broker/metrics/catalogue.ts'
import { describeSettings } from '../src/runtime/settings.ts'
import { describeApi } from '../src/wire/describe.ts'

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'docs')
const note = '<!-- Made by scripts/docs.ts from the declarations; do not edit. -->\n\n'

/** The generated documents, by their names in docs/. */
export function generatedDocuments(): ReadonlyMap<string, string> {
  const rows = handlers.map(
    ({ api, versions: [min, max] }) => `| ${api.key} | ${api.name} | ${min}-${max} |\n`,
  )
  const served = `| key | API | versions served |\n|---|---|---|\n${rows.join('')}`
  const protocol = [
    '# The Kafka protocol, as served\n\n',
    'What a client is told by ApiVersions, then every served message as it is declared in src/kafka/messages.\n\n',
    served,
    ...handlers.map(({ api }) => `\n${describeApi(api)}`),
  ]
  const settings = [
    '# Settings of the broker\n\n',
    'The names, defaults and bounds of Kafka 3.9.1 and of 0.10.1. "Not acted on yet" means a warning at start; "Refused" means that the broker does not start with it, since its neglect would weaken access control.\n\n',
    `## server.properties\n\n${describeSettings(brokerDeclarations)}\n`,
    `## Topics\n\n${describeSettings(topicDeclarations)}`,
  ]
  const metrics = brokerMetrics.map(
    ({ name, kind, labels, about }) => `| ${name} | ${kind} | ${labels.join(', ')} | ${about} |\n`,
  )
  const measured = [
    '# Metrics of the broker\n\n',
    "Prometheus text at /metrics of `millrace.http.address` (server.properties), or where KAFKA_OPTS has the JMX exporter listen: `-javaagent:jmx_prometheus_javaagent.jar=PORT:FILE`. Names are those that the usual rules of that exporter make of Kafka's MBeans. Beside them stand what Node tells about the process (`nodejs_eventloop_lag_seconds`, heap, garbage collection). /healthz answers 200 while the process serves, /readyz while requests are served as they should be, else 503 with the reason.\n\n",
    `| name | kind | labels | what |\n|---|---|---|---|\n${metrics.join('')}`,
  ]
  return new Map([
    ['metrics.md', note + measured.join('')],
    ['protocol.md', note + protocol.join('')],
    ['settings.md', note + settings.join('')],
  ])
}

/** The names of documents that are not what would be written now. */
export function staleDocuments(): string[] {
  const stale: string[] = []
  for (const [name, text] of generatedDocuments()) {
    let found = ''
    try {
      found = readFileSync(join(folder, name), 'utf8')
    } catch {
      // A missing document is a stale one.
    }
    if (found !== text) stale.push(name)
  }
  return stale
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    const stale = staleDocuments()
    for (const name of stale) console.error(`docs/${name} is stale: run "npm run docs"`)
    process.exitCode = stale.length === 0 ? 0 : 1
  } else {
    for (const [name, text] of generatedDocuments()) writeFileSync(join(folder, name), text)
  }
}

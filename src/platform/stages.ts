// Pure.
/**
 * The configuration of every stage, in the original's own files: what `millrace up` starts can be
 * started alone, or with the original, on the same files and data.
 */
import { isMap, parseDocument, stringify } from 'yaml'
import type { StageName, UpSettings } from './arguments.ts'

export interface ConfigFile {
  readonly name: string
  readonly text: string
}

export interface Stage {
  readonly name: StageName
  /** The command of this stage and its arguments. */
  readonly arguments: readonly string[]
  /** It is ready when this address answers the question. */
  readonly host: string
  readonly port: number
  readonly question: Buffer
}

/** ApiVersions 0 with correlation id 1 and no client id. */
const kafkaQuestion = Buffer.from('0000000a00120000' + '00000001ffff', 'hex')
const httpQuestion = Buffer.from('GET / HTTP/1.0\r\nHost: localhost\r\n\r\n')

const note =
  'Made by "millrace up". To change it, copy it elsewhere and give that folder with --config.'

/** The files that are made where the user gives none. */
export function configFiles(up: UpSettings): ConfigFile[] {
  const { host, ports, dataDirectory: data } = up
  const bootstrap = bootstrapOf(up)
  const server = [
    `# ${note}`,
    'broker.id=0',
    `listeners=PLAINTEXT://${host}:${ports.broker}`,
    `log.dirs=${data}/kafka`,
    `zookeeper.connect=${hostOf(up, 'coordination')}:${ports.coordination}`,
    'offsets.topic.replication.factor=1',
    'group.initial.rebalance.delay.ms=0',
  ]
  const zookeeper = [
    `# ${note}`,
    `dataDir=${data}/zookeeper`,
    `clientPort=${ports.coordination}`,
    `clientPortAddress=${host}`,
    'maxClientCnxns=0',
    'admin.enableServer=false',
  ]
  const filebeat = {
    filebeat: {
      inputs: [
        {
          type: 'filestream',
          id: 'files',
          paths: [...up.files],
          // New files, and those that were long silent, within a second: they are few.
          'prospector.scanner.check_interval': '1s',
        },
      ],
    },
    http: { enabled: true, host, port: ports.shipper },
    output: { kafka: { hosts: [bootstrap], topic: up.topic, required_acks: 1 } },
  }
  const consoleYaml = {
    server: { host, port: ports.console },
    elasticsearch: { hosts: [`http://${host}:${ports.search}`] },
    kafka: { bootstrap: { servers: [bootstrap] } },
  }
  return [
    { name: 'server.properties', text: `${server.join('\n')}\n` },
    { name: 'zookeeper.properties', text: `${zookeeper.join('\n')}\n` },
    { name: 'filebeat.yml', text: `# ${note}\n${stringify(filebeat)}` },
    { name: 'logstash.conf', text: pipelineText(up, bootstrap) },
    { name: 'console.yml', text: `# ${note}\n${stringify(consoleYaml)}` },
  ]
}

/** The address under which the other stages reach a stage. */
export function hostOf(up: UpSettings, stage: string): string {
  const own = new Map(Object.entries(up.hosts)).get(stage)
  return own ?? up.host
}

/** `host:port` of the broker. */
function bootstrapOf(up: UpSettings): string {
  const host = hostOf(up, 'broker')
  return `${host.includes(':') ? `[${host}]` : host}:${up.ports.broker}`
}

/**
 * The addresses that the user's own files name, in place of those of the options: every other stage is
 * told of them. What is malformed there was reported before.
 */
export function addressesOf(
  up: UpSettings,
  own: readonly ConfigFile[],
): Pick<UpSettings, 'ports' | 'hosts'> {
  const textOf = (name: string): string => own.find((file) => file.name === name)?.text ?? ''
  const listener =
    /^\s*listeners\s*[=:]\s*[^\n,:]+:\/\/(?:\[([^\]\n]*)\]|([^:\n,]*)):(\d+)\s*(?:,|$)/m.exec(
      textOf('server.properties'),
    )
  const zooCfg = textOf('zookeeper.properties')
  const client = /^\s*clientPort\s*[=:]\s*(\d+)\s*$/m.exec(zooCfg)
  const clientHost = /^\s*clientPortAddress\s*[=:]\s*(\S+)\s*$/m.exec(zooCfg)
  const { ports, hosts } = up
  return {
    ports: {
      ...ports,
      broker: listener === null ? ports.broker : Number(listener[3]),
      coordination: client === null ? ports.coordination : Number(client[1]),
      console: yamlPort(textOf('console.yml'), 'server.port') ?? ports.console,
      shipper: yamlPort(textOf('filebeat.yml'), 'http.port') ?? ports.shipper,
    },
    hosts: {
      ...hosts,
      ...reachable('broker', listener?.[1] ?? listener?.[2]),
      ...reachable('coordination', clientHost?.[1]),
    },
  }
}

/** A listener on all addresses is reached on the common one. */
function reachable(
  stage: StageName | 'coordination',
  host: string | undefined,
): UpSettings['hosts'] {
  if (host === undefined || /^(?:|0\.0\.0\.0|::)$/.test(host)) return {}
  return { [stage]: host }
}

/** A number under a key. */
function yamlPort(text: string, key: string): number | undefined {
  const port = yamlValue(text, key)
  return typeof port === 'number' ? port : undefined
}

/** What stands under a key, nested or dotted; undefined in a malformed file, too. */
function yamlValue(text: string, key: string): unknown {
  const document = parseDocument(text)
  if (document.errors.length > 0 || !isMap(document.contents)) return undefined
  const steps = key.split('.')
  // Every way to write it: a.b.c, a: b.c, a: b: c.
  for (let nested = 0; nested < steps.length; nested += 1) {
    const path = [...steps.slice(0, nested), steps.slice(nested).join('.')]
    const found: unknown = document.getIn(path)
    if (found !== undefined) return found
  }
  return undefined
}

function pipelineText(up: UpSettings, bootstrap: string): string {
  return `# ${note}
input {
  kafka {
    bootstrap_servers => "${bootstrap}"
    topics => ["${up.topic}"]
    group_id => "logstash"
    auto_offset_reset => "earliest"
    codec => json
  }
}
filter {
  # Lines of web servers get their fields; all others stay as they are.
  if [message] =~ /" \\d{3} / {
    grok {
      match => { "message" => '^%{COMMONAPACHELOG}(?: "%{DATA:referrer}" "%{DATA:[user_agent][original]}")?' }
      tag_on_failure => []
    }
  }
}
output {
  elasticsearch {
    hosts => ["http://${up.host}:${up.ports.search}"]
    index => "logs-%{+YYYY.MM.dd}"
  }
}
`
}

/** What of the chain depends on the user's own files. */
export interface Shape {
  readonly shipsFiles: boolean
  readonly consoleFlags: readonly string[]
}

/** What a console.yml leaves open: where the search and the broker of this chain are. */
export function flagsOfConsole(up: UpSettings, files: readonly ConfigFile[]): string[] {
  const { host, ports } = up
  const text = files.find(({ name }) => name === 'console.yml')?.text ?? ''
  const asks = (key: string): boolean => yamlValue(text, key) !== undefined
  return [
    ...(asks('elasticsearch.hosts') || asks('elasticsearch.url')
      ? []
      : ['--elasticsearch', `http://${host}:${ports.search}`]),
    ...(asks('kafka.bootstrap.servers') ? [] : ['--bootstrap-server', bootstrapOf(up)]),
  ]
}

/** How the stages are started; `fileOf` tells where a configuration file is. */
export function stages(
  up: UpSettings,
  { fileOf, shipsFiles, consoleFlags }: { fileOf: (name: string) => string } & Shape,
): Stage[] {
  const { host, ports, dataDirectory: data } = up
  return [
    {
      name: 'broker',
      arguments: [
        'broker-with-coordination',
        'kafka.Kafka',
        fileOf('server.properties'),
        fileOf('zookeeper.properties'),
      ],
      host: hostOf(up, 'broker'),
      port: ports.broker,
      question: kafkaQuestion,
    },
    {
      name: 'search',
      arguments: [
        'search',
        '-E',
        `network.host=${host}`,
        '-E',
        `http.port=${ports.search}`,
        '--path.data',
        `${data}/elasticsearch`,
      ],
      host,
      port: ports.search,
      question: httpQuestion,
    },
    {
      name: 'console',
      arguments: ['console', '--config', fileOf('console.yml'), ...consoleFlags],
      host,
      port: ports.console,
      question: httpQuestion,
    },
    {
      name: 'pipeline',
      arguments: [
        'pipeline',
        '-f',
        fileOf('logstash.conf'),
        '--path.data',
        `${data}/logstash`,
        '--api.http.port',
        String(ports.pipeline),
      ],
      host,
      port: ports.pipeline,
      question: httpQuestion,
    },
    ...(!shipsFiles
      ? []
      : [
          {
            name: 'shipper' as const,
            arguments: [
              'shipper',
              '-c',
              fileOf('filebeat.yml'),
              '-e',
              '--path.data',
              `${data}/filebeat`,
              // Its port answers the supervisor, whatever the file says.
              '-E',
              'http.enabled=true',
              '-E',
              `http.host=${host}`,
              '-E',
              `http.port=${ports.shipper}`,
            ],
            host,
            port: ports.shipper,
            question: httpQuestion,
          },
        ]),
  ]
}

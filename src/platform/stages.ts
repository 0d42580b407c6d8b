// Pure.
/**
 * The configuration of every stage, in the original's own files: what `millrace up` starts can be
 * started alone, or with the original, on the same files and data.
 */
import { stringify } from 'yaml'
import type { StageName, UpSettings } from './arguments.ts'

export interface ConfigFile {
  readonly name: string
  readonly text: string
}

export interface Stage {
  readonly name: StageName
  /** The command of this stage and its arguments. */
  readonly arguments: readonly string[]
  /** It is ready when this port answers the question. */
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
  const bootstrap = `${host}:${ports.broker}`
  const server = [
    `# ${note}`,
    'broker.id=0',
    `listeners=PLAINTEXT://${host}:${ports.broker}`,
    `log.dirs=${data}/kafka`,
    `zookeeper.connect=${host}:${ports.coordination}`,
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
    filebeat: { inputs: [{ type: 'filestream', id: 'files', paths: [...up.files] }] },
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
      match => { "message" => "^%{COMBINEDAPACHELOG}" }
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

/** How the stages are started; `fileOf` tells where a configuration file is. */
export function stages(up: UpSettings, fileOf: (name: string) => string): Stage[] {
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
      port: ports.search,
      question: httpQuestion,
    },
    {
      name: 'console',
      arguments: ['console', '--config', fileOf('console.yml')],
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
      port: ports.pipeline,
      question: httpQuestion,
    },
    ...(up.files.length === 0 && up.configDirectory === undefined
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
            ],
            port: ports.shipper,
            question: httpQuestion,
          },
        ]),
  ]
}

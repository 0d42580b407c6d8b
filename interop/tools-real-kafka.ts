// Our tools beside the original's: node interop/tools-real-kafka.ts --bootstrap HOST:PORT --real 'COMMAND'
// COMMAND runs a tool of a Kafka distribution: it is followed by the tool's name and arguments, such as
// 'path/to/peers.sh tool 3.9.1'. Both run the same command lines, each on topics of its own; standard
// output and exit codes must be alike but for names, ids and times. Prints the differences; exits 1.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    bootstrap: { type: 'string', default: '127.0.0.1:9092' },
    real: { type: 'string' },
  },
})
if (values.real === undefined) throw new Error('--real COMMAND is missing')
const realCommand = values.real.split(' ')
const run = Date.now()

interface Step {
  readonly tool: string
  /** T stands for a topic of the side that runs it. */
  readonly line: string
  readonly stdin?: string
}

const topics = (line: string): Step => ({ tool: 'kafka-topics', line })
const tool = (name: string, line: string): Step => ({ tool: name, line })
const consumer = (line: string): Step => ({ tool: 'kafka-console-consumer', line })
const producer = (line: string, stdin: string): Step => {
  return { tool: 'kafka-console-producer', line, stdin }
}
const everything =
  '--property print.key=true --property print.headers=true --property print.offset=true' +
  ' --property print.partition=true'

const steps: readonly Step[] = [
  topics('--create --topic T --partitions 1 --replication-factor 1 --config retention.ms=1000000'),
  topics('--create --topic T'),
  topics('--create --topic T --if-not-exists'),
  topics('--create --topic T-9 --replication-factor 9'),
  topics('--create --topic T-0 --partitions 0'),
  topics('--create --topic T-x --config nonsense=1'),
  topics('--create --topic T-a --replica-assignment 0,0 --partitions 2'),
  topics('--create'),
  topics('--list --topic T'),
  topics('--list --create --topic T'),
  topics('--describe --topic T'),
  topics('--describe --topic T-nope --if-exists'),
  topics('--delete --topic T-nope --if-exists'),
  producer('--topic T', 'a\nb\r\nc\rd\n\ne'),
  producer('--topic T --property parse.key=true --property key.separator=:', 'k1:v1\nnokey\n'),
  producer('--topic T --property parse.key=true --property parse.headers=true', 'h:x,i:y\tk\tv\n'),
  producer('--topic T --property parse.key=true --property null.marker=N', 'N\tN\n'),
  producer('--topic T --compression-codec', 'zipped\n'),
  producer('--topic T --compression-codec nope', 'x\n'),
  consumer(`--topic T --from-beginning --timeout-ms 5000 ${everything}`),
  consumer('--topic T --partition 0 --offset 3 --max-messages 2'),
  consumer('--topic T --group T --from-beginning --max-messages 2'),
  consumer('--topic T --group T --from-beginning --max-messages 2'),
  consumer('--topic T --offset 3'),
  consumer('--topic T --partition 0 --offset -5'),
  consumer('--include T --from-beginning --max-messages 1'),
  tool('kafka-configs', '--describe --entity-type topics --entity-name T'),
  tool('kafka-configs', '--alter --topic T --add-config retention.ms=77,cleanup.policy=[delete]'),
  tool('kafka-configs', '--describe --topic T'),
  tool('kafka-configs', '--alter --topic T --delete-config retention.ms'),
  tool('kafka-configs', '--alter --topic T --delete-config retention.ms'),
  tool('kafka-get-offsets', '--topic T'),
  tool('kafka-consumer-groups', '--describe --group T-nope'),
  tool('kafka-consumer-groups', '--list --state foo'),
  tool('kafka-broker-api-versions', ''),
  tool('kafka-log-dirs', '--describe --broker-list 9'),
  tool('kafka-leader-election', '--election-type preferred --topic T --partition 0'),
  topics('--delete --topic T'),
]

function outcome(command: readonly string[], { tool, line, stdin }: Step, topic: string): string {
  const [program = '', ...first] = command
  const given = line.split(' ').filter((word) => word !== '')
  const words = given.map((word) => word.replace(/^T(?=$|-)/, topic))
  const all = [...first, '--bootstrap-server', values.bootstrap, ...words]
  const made = spawnSync(program, all, { input: stdin ?? '', encoding: 'utf8', timeout: 60_000 })
  const shown = made.stdout.replaceAll(topic, 'T').replace(/TopicId: \S+/g, 'TopicId: …')
  // Log lines and what belongs to them, stacks, are not compared.
  const firstError = made.stderr.split('\n').find((text) => !/^(?:\[|\s|$)/.test(text))
  return `${tool} exits ${made.status}, says ${firstError?.trim() ?? 'nothing'}\n${shown}`
}

let differences = 0
for (const step of steps) {
  const script = fileURLToPath(new URL(`../bin/${step.tool}.sh`, import.meta.url))
  const ours = outcome([script], step, `ours-${run}`)
  const theirs = outcome([...realCommand, step.tool], step, `real-${run}`)
  if (ours === theirs) {
    console.log(`same: ${step.tool} ${step.line}`)
    continue
  }
  differences += 1
  console.log(`DIFFERENT: ${step.tool} ${step.line}\n--- original\n${theirs}\n--- ours\n${ours}`)
}
process.exitCode = differences === 0 ? 0 : 1

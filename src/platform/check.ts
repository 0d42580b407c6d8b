/** The user's own configuration files, checked before anything is started. */
import { brokerSettings } from '../broker/config/broker.ts'
import { buildSettings } from '../console/settings.ts'
import { Child, ownScript } from '../node/child.ts'
import { parseProperties } from '../runtime/properties.ts'
import { inFile, UserError } from '../runtime/service.ts'
import { parseZooCfg } from '../zookeeper/server/settings.ts'
import type { UpSettings } from './arguments.ts'
import { complaintIn } from './supervisor.ts'
import type { ConfigFile } from './stages.ts'

/** @throws UserError that begins with the file's name */
export async function checkOwnFiles(up: UpSettings, own: readonly ConfigFile[]): Promise<void> {
  const folder = up.configDirectory ?? ''
  await Promise.all(own.map((file) => checkFile(file, `${folder}/${file.name}`)))
}

async function checkFile({ name, text }: ConfigFile, path: string): Promise<void> {
  switch (name) {
    case 'server.properties':
      inFile(path, () => brokerSettings(parseProperties(text)))
      return
    case 'zookeeper.properties':
      inFile(path, () => parseZooCfg(text))
      return
    case 'console.yml':
      inFile(path, () => buildSettings(new Map(), text))
      return
    // These two look at more than their file: the stages check themselves, and name file and line.
    case 'filebeat.yml':
      return await ask(['shipper', 'test', 'config', '-c', path])
    case 'logstash.conf':
      return await ask(['pipeline', '-t', '-f', path])
  }
}

async function ask(words: readonly string[]): Promise<void> {
  const lines: string[] = []
  const child = new Child({
    arguments: [ownScript(), ...words],
    onLine: (line) => lines.push(line),
  })
  const { code } = await child.exited
  if (code === 0) return
  const why = complaintIn(lines) ?? `millrace ${words.join(' ')} ended with ${code}`
  throw new UserError(why.replace(/^millrace: /, ''))
}

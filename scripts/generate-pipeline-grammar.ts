// Writes src/pipeline/grammar/generated/parser.ts from logstash.peggy. Generating at start would cost
// 60 ms; a test holds that the file is fresh.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import peggy from 'peggy'

const folder = new URL('../src/pipeline/grammar/', import.meta.url)

export function generatePipelineParser(): string {
  const grammar = readFileSync(new URL('logstash.peggy', folder), 'utf8')
  const source = peggy.generate(grammar, { output: 'source', format: 'es' })
  return `// @ts-nocheck\n// Made by scripts/generate-pipeline-grammar.ts from ../logstash.peggy.\n${source}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('generated/parser.ts', folder), generatePipelineParser())
}

// Goal: grok patterns find their fields, as Ruby's expressions would. Method: lines of real programs
// and what the patterns must take from them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileGrok, parsePatternFile } from '../../src/text/grok/compile.ts'
import { legacyPatterns } from '../../src/text/grok/patterns.ts'
import { GuardTimeout, mapGuarded, runGuarded } from '../../src/text/guard.ts'
import { PatternError, compileRubyPattern } from '../../src/text/regexp.ts'

function fieldsOf(source: string, text: string): Record<string, string> | undefined {
  const grok = compileGrok(source, { patterns: legacyPatterns, namedCapturesOnly: true })
  const values = grok.match(text)
  if (values === undefined) return undefined
  const fields: Record<string, string> = {}
  for (const [index, { field }] of grok.captures.entries()) {
    const value = values[index]
    if (value !== undefined) fields[field] = value
  }
  return fields
}

test('every pattern of the table compiles, for ASCII and for all of Unicode', () => {
  for (const name of legacyPatterns.keys()) {
    const grok = compileGrok(`%{${name}}`, { patterns: legacyPatterns, namedCapturesOnly: true })
    grok.match('a')
    grok.match('ä')
  }
})

test('a combined access log line gives its twelve fields', () => {
  const line =
    '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 "http://e.com/" "Mozilla/4.08 [en]"'
  assert.deepEqual(fieldsOf('%{COMBINEDAPACHELOG}', line), {
    clientip: '127.0.0.1',
    ident: '-',
    auth: 'frank',
    timestamp: '10/Oct/2000:13:55:36 -0700',
    verb: 'GET',
    request: '/a.gif',
    httpversion: '1.0',
    response: '200',
    bytes: '2326',
    referrer: '"http://e.com/"',
    agent: '"Mozilla/4.08 [en]"',
  })
})

test('syslog, Java and IPv6 lines give their fields', () => {
  assert.deepEqual(
    fieldsOf('%{SYSLOGLINE}', 'Mar 16 00:01:25 evita postfix/smtpd[1713]: connect'),
    {
      timestamp: 'Mar 16 00:01:25',
      logsource: 'evita',
      program: 'postfix/smtpd',
      pid: '1713',
      message: 'connect',
    },
  )
  assert.deepEqual(fieldsOf('%{JAVASTACKTRACEPART}', '  at com.a.B.run(B.java:12)'), {
    class: 'com.a.B',
    method: 'run',
    file: 'B.java',
    line: '12',
  })
  for (const address of ['::1', 'fe80::1', '2001:db8::8a2e:370:7334', '::ffff:192.0.2.1', '1::']) {
    assert.deepEqual(fieldsOf('^%{IPV6:ip}$', address), { ip: address })
  }
  assert.equal(fieldsOf('^%{IPV6:ip}$', '1:2:3'), undefined)
})

test('words are ASCII and word boundaries are not, as in Ruby', () => {
  assert.deepEqual(fieldsOf('%{WORD:w}', 'äb cd'), { w: 'cd' })
  assert.deepEqual(fieldsOf('(?<w>\\w+)', 'äb'), { w: 'b' })
  assert.equal(fieldsOf('^%{INT:i}$', '٣'), undefined)
})

test('unknown names, endless recursion and bad expressions are refused', () => {
  const patterns = new Map([['LOOP', 'a%{LOOP}']])
  const compile = (source: string) => compileGrok(source, { patterns, namedCapturesOnly: true })
  assert.throws(() => compile('%{NOPE:x}'), /pattern %\{NOPE:x\} not defined/)
  assert.throws(() => compile('%{LOOP}'), PatternError)
  assert.throws(() => compile('(a'), PatternError)
})

test('pattern files hold a name and a pattern a line', () => {
  assert.deepEqual(parsePatternFile('# c\nA a b\r\n\n  B  %{A}x \n'), [
    ['A', 'a b'],
    ['B', '%{A}x'],
  ])
})

test('groups keep their places behind atomic groups and beside numbered ones', () => {
  const { regexp, groups } = compileRubyPattern('(?>a+)(b)(c)')
  const match = regexp.exec('aabc')
  assert.deepEqual(
    groups.map(({ index }) => match?.[index]),
    ['b', 'c'],
  )
})

test('a hostile text is broken off and costs only itself', () => {
  const { regexp } = compileRubyPattern('^(a+)+$')
  const texts = ['aa', `${'a'.repeat(60)}b`, 'b']
  const results = mapGuarded<string, boolean | 'late'>(texts, 50, {
    run: (text) => regexp.test(text),
    late: () => 'late',
  })
  assert.deepEqual(results, [true, 'late', false])
  assert.throws(() => runGuarded(20, () => regexp.test(texts[1] ?? '')), GuardTimeout)
  assert.equal(
    runGuarded(1000, () => runGuarded(1, () => 7)),
    7,
  )
  assert.throws(() => {
    runGuarded(1000, () => {
      throw new TypeError('mine')
    })
  }, TypeError)
})

import { parseForwardPath, parseReversePath } from '@postern/core/address'
import type { Logger } from '@postern/core/host'
import { describe, expect, it } from 'vitest'
import { cleanFields, cleanText } from '../../src/host/log-fields.ts'
import { createLogger, guardLogger } from '../../src/host/log.ts'

const utf8 = { utf8: true }

describe('text of strangers', () => {
  it.each([
    ['line ends', 'a\r\nb', 'a\\u{d}\\u{a}b'],
    ['terminal sequences', '\u001b[2Ja\u009b1m', '\\u{1b}[2Ja\\u{9b}1m'],
    ['NUL and DEL', '\0\u007f', '\\u{0}\\u{7f}'],
    ['other line ends', 'a\u2028b\u2029c\u0085', 'a\\u{2028}b\\u{2029}c\\u{85}'],
    ['turned writing', 'a\u202egnp.exe\u2066', 'a\\u{202e}gnp.exe\\u{2066}'],
    ['half a character', 'a\ud800b', 'a\\u{d800}b'],
    ['and lets the rest be', 'Grüße, 日本 👋', 'Grüße, 日本 👋'],
  ])('shows %s', (_, given, shown) => {
    expect(cleanText(given)).toBe(shown)
    expect(cleanFields({ [given]: [given] })).toEqual({ [shown]: [shown] })
  })

  it('is cut', () => {
    const { long, list, ...more } = cleanFields({
      long: 'x'.repeat(1_000_000),
      list: Array.from({ length: 100_000 }, () => 'y'.repeat(1_000)),
      deep: JSON.parse(`${'['.repeat(1_000)}${']'.repeat(1_000)}`) as unknown,
      wide: Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`n${at}`, at])),
      lists: Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => 'z'.repeat(900))),
    })
    expect(long).toBe(`${'x'.repeat(1_000)}… (1000000 characters)`)
    expect(list).toHaveLength(101)
    expect(JSON.stringify(more).length).toBeLessThan(1_000_000)
  })

  it('takes time by its length alone', () => {
    const began = performance.now()
    for (const hostile of ['AUTH '.repeat(100_000), `${'a'.repeat(500_000)} LOGIN`, '//'.repeat(300_000), 'a:'.repeat(300_000), '\n'.repeat(500_000)]) cleanText(hostile)
    expect(performance.now() - began).toBeLessThan(1_000)
  })
})

describe('secrets', () => {
  it.each(['password', 'newPassword', 'pass', 'secret', 'token', 'authToken', 'Authorization', 'cookie', 'credentials', 'privateKey', 'api_key', 'initialResponse'])('are not told by the name %s', (name) => {
    expect(cleanFields({ a: { [name]: { of: 's3cret' } } })).toEqual({ a: { [name]: '[hidden]' } })
  })

  it.each([
    ['AUTH PLAIN AGFkYQBzM2NyZXQ=', 'AUTH PLAIN [hidden]'],
    ['auth login s3cret', 'auth login [hidden]'],
    ['a1 AUTHENTICATE PLAIN s3cret', 'a1 AUTHENTICATE PLAIN [hidden]'],
    ['a1 LOGIN ada "s3cret word"', 'a1 LOGIN [hidden]'],
    ['smtp://ada:s3cret@example.org/x', 'smtp://[hidden]@example.org/x'],
    ['Expected octet in https://s3cret@example.org', 'Expected octet in https://[hidden]@example.org'],
  ])('are not told by %j', (given, shown) => {
    expect(cleanText(given)).toBe(shown)
    expect(JSON.stringify(cleanFields({ err: new Error(given, { cause: new Error(given) }) }))).not.toContain('s3cret')
  })

  it('are not told as octets', () => {
    expect(cleanFields({ octets: Buffer.from('s3cret'), view: new Uint8Array(3) })).toEqual({ octets: '6 octets', view: '3 octets' })
  })

  it('and what looks like one is told', () => {
    const fields = { key: '192.0.2.1', mechanism: 'LOGIN', reason: 'subjectpass', text: 'Use AUTH first' }
    expect(cleanFields(fields)).toEqual(fields)
  })
})

describe('addresses', () => {
  it.each([
    ['<>', '<>'],
    ['<ada@example.org>', 'ada@example.org'],
    ['<ada@ärger.example>', 'ada@ärger.example (ada@xn--rger-koa.example)'],
    ['<ada@xn--rger-koa.example>', 'ada@ärger.example (ada@xn--rger-koa.example)'],
    ['<grüße@example.org>', 'grüße@example.org'],
    ['<"a b"@example.org>', '"a b"@example.org'],
    ['<ada@[192.0.2.1]>', 'ada@[192.0.2.1]'],
  ])('stand there in both forms where those differ: %s', (given, shown) => {
    expect(cleanFields({ from: parseReversePath(given, utf8) })).toEqual({ from: shown })
  })

  it('of recipients and domains too', () => {
    const path = parseForwardPath('<ada@ärger.example>', utf8)
    const domain = path.kind === 'address' ? path.address.domain : undefined
    expect(cleanFields({ to: [parseForwardPath('<postmaster>', utf8), path], domain })).toEqual({
      to: ['postmaster', 'ada@ärger.example (ada@xn--rger-koa.example)'],
      domain: 'ärger.example (xn--rger-koa.example)',
    })
  })
})

describe('other values', () => {
  it('are told as what they are', () => {
    const thrown = Object.assign(new RangeError('Too\nlate', { cause: 'no\ntime' }), { code: 'LATE' })
    const fields = cleanFields({ n: 1, big: 12n, odd: Number.NaN, at: new Date(0), no: null, yes: true, gone: undefined, run() {}, map: new Map([['a', 1]]), set: new Set(['b']), err: thrown })
    expect(fields).toMatchObject({ n: 1, big: '12', odd: 'NaN', at: '1970-01-01T00:00:00.000Z', no: null, yes: true, map: { a: 1 }, set: ['b'] })
    expect(Object.keys(fields)).not.toContain('gone')
    expect(Object.keys(fields)).not.toContain('run')
    expect(fields['err']).toMatchObject({ type: 'RangeError', message: 'Too\\u{a}late', code: 'LATE', cause: 'no\\u{a}time' })
    expect((fields['err'] as { stack: string }).stack).toMatch(/^ {4}at .*log-fields\.test/)
  })

  it('that go round in circles, or throw, cost no line', () => {
    const round: Record<string, unknown> = {}
    round['self'] = round
    expect(JSON.stringify(cleanFields(round))).toContain('…')
    const broken = { get a(): never { throw new Error('broken') } }
    expect(cleanFields(broken)).toEqual({ unloggable: 'broken' })
  })
})

describe('the logger', () => {
  it('writes one object a line, whatever comes', () => {
    const lines: string[] = []
    const logger = createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } })
    logger.child({ helo: 'a\nb' }).info({ password: 's3cret', err: new Error('x\ny') }, 'Said\nso')
    logger.debug({}, 'not kept')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^[^\n]*\n$/)
    expect(JSON.parse(lines[0] as string)).toMatchObject({ helo: 'a\\u{a}b', password: '[hidden]', err: { type: 'Error', message: 'x\\u{a}y' }, msg: 'Said\\u{a}so' })
  })

  it('guards that of a host application once, and asks it first', () => {
    const told: unknown[] = []
    let asked = 0
    const own: Logger = { debug: () => told.push('debug'), info: (fields, text) => told.push([fields, text]), warn() {}, error() {}, child: () => own, isLevelEnabled: (level) => level === 'info' }
    const guard = guardLogger(own)
    expect(guardLogger(guard)).toBe(guard)
    const counting = { get field() { return (asked += 1) } }
    guard.debug(counting)
    expect(asked, 'a line that is dropped costs nothing').toBe(0)
    guard.info({ a: '\n' }, 'b')
    expect(told).toEqual([[{ a: '\\u{a}' }, 'b']])
  })
})

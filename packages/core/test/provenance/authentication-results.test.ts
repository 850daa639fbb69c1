// Authentication-Results: RFC 8601's examples, what is written and read again, and fields that claim to be ours.
import { readFields } from '@postern/core/message'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findForgedResults, formatAuthenticationResults, parseAuthenticationResults, type AuthenticationResults, type MethodResult } from '../../src/provenance/authentication-results.ts'

const result = (method: string, value: string, properties: MethodResult['properties'] = [], more: Partial<MethodResult> = {}): MethodResult => ({ method, result: value, properties, ...more })

describe('reading', () => {
  test.each<readonly [string, string, AuthenticationResults | undefined]>([
    // RFC 8601 appendix B.
    ['B.2', 'example.org 1; none', { authservId: 'example.org', version: 1, results: [] }],
    ['B.3', 'example.com;\r\n          spf=pass smtp.mailfrom=example.net', { authservId: 'example.com', version: 1, results: [result('spf', 'pass', [['smtp.mailfrom', 'example.net']])] }],
    [
      'B.4',
      'example.com;\r\n auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n spf=pass smtp.mailfrom=example.net',
      { authservId: 'example.com', version: 1, results: [result('auth', 'pass', [['smtp.auth', 'sender@example.net']], { comment: 'cram-md5' }), result('spf', 'pass', [['smtp.mailfrom', 'example.net']])] },
    ],
    ['B.4, the second', 'example.com; iprev=pass\r\n policy.iprev=192.0.2.200', { authservId: 'example.com', version: 1, results: [result('iprev', 'pass', [['policy.iprev', '192.0.2.200']])] }],
    ['B.5', 'example.com;\r\n dkim=pass (good signature) header.d=example.com', { authservId: 'example.com', version: 1, results: [result('dkim', 'pass', [['header.d', 'example.com']], { comment: 'good signature' })] }],
    [
      'B.6',
      'example.com;\r\n dkim=pass reason="good signature"\r\n header.i=@mail-router.example.net;\r\n dkim=fail reason="bad signature"\r\n header.i=@newyork.example.com',
      {
        authservId: 'example.com',
        version: 1,
        results: [result('dkim', 'pass', [['header.i', '@mail-router.example.net']], { reason: 'good signature' }), result('dkim', 'fail', [['header.i', '@newyork.example.com']], { reason: 'bad signature' })],
      },
    ],
    [
      'B.7',
      "foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n policy (A dot can go here) . (like that) expired\r\n (this surprised me) = (as I wasn't expecting it) 1362471462",
      { authservId: 'foo.example.net', version: 1, results: [result('dkim', 'fail', [['policy.expired', '1362471462']])] },
    ],
    ['a quoted server', '"mail example"; none', { authservId: 'mail example', version: 1, results: [] }],
    ['nothing but the server', 'example.org', { authservId: 'example.org', version: 1, results: [] }],
    ['a semicolon at the end', 'example.org; spf=none;', { authservId: 'example.org', version: 1, results: [result('spf', 'none')] }],
    ['case', 'Example.org; SPF=Pass SMTP.MailFrom=A@B.example', { authservId: 'Example.org', version: 1, results: [result('spf', 'pass', [['smtp.mailfrom', 'A@B.example']])] }],
    ['a quoted local-part', 'x; auth=pass smtp.auth="a b\\"c"@example.net', { authservId: 'x', version: 1, results: [result('auth', 'pass', [['smtp.auth', '"a b\\"c"@example.net']])] }],
    ['a quoted value', 'x; iprev=pass policy.iprev="2001:db8::1"', { authservId: 'x', version: 1, results: [result('iprev', 'pass', [['policy.iprev', '2001:db8::1']])] }],
    ['a value with signs', 'x; dkim=pass header.b=ab/cd+e=', { authservId: 'x', version: 1, results: [result('dkim', 'pass', [['header.b', 'ab/cd+e=']])] }],
    ['nested comments', 'x; spf=pass (a (b \\) c) d) smtp.helo=y', { authservId: 'x', version: 1, results: [result('spf', 'pass', [['smtp.helo', 'y']], { comment: 'a (b ) c) d' })] }],
    ['an empty value', '', undefined],
    ['only a comment', '(nobody)', undefined],
    ['a version that is none', 'x y; none', undefined],
    ['no result', 'x; spf', undefined],
    ['an empty result', 'x; spf=', undefined],
    ['no value', 'x; spf=pass smtp.mailfrom', undefined],
    ['a quote without an end', 'x; spf=pass smtp.mailfrom="a', undefined],
    ['something behind', 'x; spf=pass @', undefined],
  ])('%s', (_, value, wanted) => {
    expect(parseAuthenticationResults(value)).toEqual(wanted)
  })

  test('limits', () => {
    expect(parseAuthenticationResults(`x${'; spf=pass'.repeat(200)}`)?.results).toHaveLength(200)
    expect(parseAuthenticationResults(`x${'; spf=pass'.repeat(201)}`)).toBeUndefined()
    expect(parseAuthenticationResults(`x; spf=pass (${'a'.repeat(65_536)})`)).toBeUndefined()
  })
})

describe('writing', () => {
  test('one method a line, folded before column 78', () => {
    const value = formatAuthenticationResults({
      authservId: 'mail.example.org',
      results: [result('iprev', 'pass', [['policy.iprev', '2001:db8::1']], { comment: 'host.example.net' }), result('dkim', 'fail', [['header.d', 'example.net'], ['header.s', 'a'.repeat(40)]], { reason: 'body was changed', comment: '2048 bit (RSA) key' })],
    })
    expect(value).toBe('mail.example.org; iprev=pass (host.example.net)\r\n\tpolicy.iprev="2001:db8::1";\r\n\tdkim=fail (2048 bit \\(RSA\\) key) reason="body was changed"\r\n\theader.d=example.net header.s=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')
    for (const line of `Authentication-Results: ${value}`.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78)
  })

  test('nothing done is said', () => {
    expect(formatAuthenticationResults({ authservId: 'mail.example.org', results: [] })).toBe('mail.example.org; none')
  })

  test.each([
    ['a method', [result('spf\r\nX: y', 'pass')]],
    ['a result', [result('spf', 'pass; dkim=pass')]],
    ['a property', [result('spf', 'pass', [['smtp.mailfrom=a x', 'y']])]],
  ])('no line comes in by %s', (_, results) => {
    expect(() => formatAuthenticationResults({ authservId: 'x', results })).toThrow(TypeError)
  })

  test('nor by any value, comment or reason', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
        const value = formatAuthenticationResults({ authservId: text, results: [result('spf', 'pass', [['smtp.mailfrom', text]], { comment: text, reason: text })] })
        expect(value.replaceAll('\r\n\t', ' ')).toMatch(/^[ -~]*$/)
      }),
    )
  })

  test('what is written is read again', () => {
    const keyword = fc.stringMatching(/^[a-z0-9_-]{1,12}$/)
    const text = fc.string({ unit: 'grapheme-ascii', minLength: 0, maxLength: 120 })
    const address = fc.tuple(keyword, keyword).map(([localpart, domain]) => `${localpart}@${domain}.example`)
    const method = fc.record({
      method: keyword.filter((name) => name !== 'none'),
      result: keyword,
      comment: fc.option(text, { nil: undefined }),
      reason: fc.option(text, { nil: undefined }),
      properties: fc.array(fc.tuple(fc.tuple(keyword, keyword).map((names) => names.join('.')), fc.oneof(text, address, keyword)), { maxLength: 4 }),
    })
    fc.assert(
      fc.property(fc.array(method, { maxLength: 5 }), fc.oneof(keyword, text), (results, authservId) => {
        const given = results.map(({ comment, reason, ...rest }) => ({ ...rest, ...(comment === undefined ? {} : { comment }), ...(reason === undefined ? {} : { reason }) }))
        expect(parseAuthenticationResults(formatAuthenticationResults({ authservId, results: given }))).toEqual({ authservId, version: 1, results: given })
      }),
    )
  })
})

describe('fields that claim to be ours', () => {
  const ours = 'mail.example.org'
  const isForged = (field: string, name = ours): boolean => findForgedResults(Buffer.from(`From: a@example.org\r\n${field}\r\nSubject: x\r\n`), name).length === 1

  test.each([
    ['Authentication-Results: mail.example.org; spf=pass', true],
    ['AUTHENTICATION-RESULTS:mail.example.org;spf=pass', true],
    ['Authentication-Results : mail.example.org; spf=pass', true],
    ['Authentication-Results: MAIL.Example.ORG; spf=pass', true],
    ['Authentication-Results: mail.example.org.; spf=pass', true],
    ['Authentication-Results: mail.example.org', true],
    ['Authentication-Results: mail.example.org 1; spf=pass', true],
    ['Authentication-Results: mail.example.org/1; spf=pass', true],
    ['Authentication-Results: mail.example.org (x) 1; spf=pass', true],
    ['Authentication-Results: (other.example) mail.example.org; spf=pass', true],
    ['Authentication-Results: ((a)(b\\)c)) mail.example.org; spf=pass', true],
    ['Authentication-Results: mail.example.org(x); spf=pass', true],
    ['Authentication-Results: mail . example (x) .\r\n org; spf=pass', true],
    ['Authentication-Results:\r\n mail.example.org; spf=pass', true],
    ['Authentication-Results:\r\n\t(a)\r\n\tmail.example.org;\r\n\tspf=pass', true],
    ['Authentication-Results: "mail.example.org"; spf=pass', true],
    ['Authentication-Results: "mail\\.example.org"; spf=pass', true],
    ['Authentication-Results: mail.example.org:25; spf=pass', true],
    ['Authentication-Results: mail.example.org, other.example; spf=pass', true],
    // What can not be read might be read by others.
    ['Authentication-Results: ; spf=pass', true],
    ['Authentication-Results: "mail.example.org', true],
    ['Authentication-Results: (mail.example.org; spf=pass', true],
    ['Authentication-Results:', true],
    ['Authentication-Results: other.example; spf=pass', false],
    ['Authentication-Results: other.example (mail.example.org); spf=pass', false],
    ['Authentication-Results: xmail.example.org; spf=pass', false],
    ['Authentication-Results: mail.example.org.evil.example; spf=pass', false],
    ['Authentication-Results: example.org; spf=pass', false],
    ['ARC-Authentication-Results: i=1; mail.example.org; spf=pass', false],
    ['X-Authentication-Results: mail.example.org; spf=pass', false],
  ])('%j: %s', (field, is) => {
    expect(isForged(field)).toBe(is)
  })

  test.each([
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['XN--BCHER-KVA.EXAMPLE', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'bücher.example'],
    ['bu\u0308cher.example', 'xn--bcher-kva.example'],
    ['ｍail．example．org', ours],
  ])('%s is %s', (written, name) => {
    expect(isForged(`Authentication-Results: ${written}; spf=pass`, name)).toBe(true)
  })

  test('all of them are found, whole', () => {
    const header = Buffer.from('Authentication-Results: mail.example.org;\r\n\tspf=pass\r\nA: b\r\nAuthentication-Results: other; none\r\nauthentication-results: mail.example.org; dkim=pass\r\n')
    const found = findForgedResults(header, ours).map(({ from, to }) => header.subarray(from, to).toString())
    expect(found).toEqual(['Authentication-Results: mail.example.org;\r\n\tspf=pass\r\n', 'authentication-results: mail.example.org; dkim=pass\r\n'])
  })

  test('what we write is ours', () => {
    const value = formatAuthenticationResults({ authservId: ours, results: [result('spf', 'pass')] })
    expect(isForged(`Authentication-Results: ${value}`)).toBe(true)
  })
})

describe('whatever comes', () => {
  test('is read or is not', () => {
    const piece = fc.constantFrom('(', ')', '\\', '"', ';', '=', '.', '/', ' ', '\r\n\t', 'spf', 'pass', 'a', '1', '@', 'ü', '\0')
    const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')))
    fc.assert(
      fc.property(texts, (text) => {
        void parseAuthenticationResults(text)
        void parseAuthenticationResults(`x; ${text}`)
        const header = Buffer.from(`Authentication-Results: ${text}\r\n`)
        for (const { from, to } of findForgedResults(header, 'x')) expect([...readFields(header)].some(({ start, end }) => start === from && end === to)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  // Time counts here only as a sign of work that grows faster than the text: a hundred times of it would show.
  test.each([
    ['open parentheses', '('],
    ['pairs of parentheses', '()'],
    ['closing parentheses', ')'],
    ['backslashes', '\\'],
    ['backslashes in a comment', '(\\'],
    ['quotes', '"'],
    ['quotes left open', '"\\'],
    ['quoted and not', 'a"b"'],
    ['dots', 'a . '],
    ['dots and comments', 'a.()'],
    ['spaces', ' '],
    ['methods', ';a=b'],
    ['methods with comments', ';a=b()'],
    ['properties', ' a.b=c'],
    ['spaces before a dot', 'a   '],
  ])('%s take time in proportion to the text', (_, piece) => {
    const timeOf = (octets: number): number => {
      const value = `${'x; a=b '.slice(0, piece.startsWith(';') ? 1 : 7)}${piece.repeat(Math.ceil(octets / piece.length))}`.slice(0, octets)
      const header = Buffer.from(Array.from({ length: 16 }, () => `Authentication-Results: ${piece.repeat(Math.ceil(octets / piece.length))}\r\n`).join(''))
      let best = Number.POSITIVE_INFINITY
      for (let round = 0; round < 5; round += 1) {
        const start = process.cpuUsage()
        for (let again = 0; again < 4; again += 1) void parseAuthenticationResults(value)
        void findForgedResults(header, 'mail.example.org')
        const { user, system } = process.cpuUsage(start)
        best = Math.min(best, user + system)
      }
      return best
    }
    timeOf(4_096)
    // 16 times as much: linear work takes some 16 times as long, quadratic 256 times.
    expect(timeOf(65_536)).toBeLessThan(80 * Math.max(timeOf(4_096), 200))
  })
})

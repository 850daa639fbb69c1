import { describe, expect, it } from 'vitest'
import { parseForwardPath, parseReversePath } from '@postern/core/address'
import type { SmtpBackend, SmtpPeer } from '@postern/smtp/server'
import { failureOf, withSpecialLocalparts } from '../../src/setup/special-localparts.ts'
import { createTestClock } from '../../src/testing/test-clock.ts'

describe('failureOf', () => {
  it.each([
    ['temperror', 451],
    ['x-TempError', 451],
    ['permerror', 550],
    ['code421', 421],
    ['x-599', 599],
    ['timeout', 'timeout'],
    ['ada', undefined],
    ['x-399', undefined],
    ['x-600', undefined],
    ['year2450', undefined],
    ['temperror-not', undefined],
  ])('%s fails with %s', (localpart, expected) => {
    const failure = failureOf(localpart)
    expect(failure?.kind === 'code' ? failure.code : failure?.kind).toBe(expected)
  })
})

const peer: SmtpPeer = { id: 'x', mode: 'mx', connection: {}, helo: 'a.example', extended: true, account: undefined, login: undefined }

function mailFrom(path: string): { readonly reversePath: ReturnType<typeof parseReversePath>; readonly sizeOctets: undefined; readonly body: '7BIT'; readonly smtputf8: false } {
  return { reversePath: parseReversePath(path, { utf8: false }), sizeOctets: undefined, body: '7BIT', smtputf8: false }
}

describe('withSpecialLocalparts', () => {
  const stored: string[] = []
  const inner: SmtpBackend = {
    rcptTo: () => ({ kind: 'accept' }),
    message: () => ({ kind: 'sink', sink: { write() {}, abort() {}, end: async () => ({ code: 250, lines: [stored.push('one').toString()] }) } }),
  }
  const clock = createTestClock({ frozen: true })
  const backend = withSpecialLocalparts(inner, clock)
  const to = (path: string): ReturnType<typeof parseForwardPath> => parseForwardPath(path, { utf8: false })

  it('fails at the command the prefix names', async () => {
    expect(await backend.mailFrom?.(peer, mailFrom('<mailfrom-450@a.example>'))).toMatchObject({ kind: 'refuse', reply: { code: 450, enhanced: '4.0.0' } })
    expect(await backend.mailFrom?.(peer, mailFrom('<x-450@a.example>'))).toEqual({ kind: 'accept' })
    expect(await backend.rcptTo(peer, mailFrom('<>'), to('<rcptto-permerror@a.example>'))).toMatchObject({ kind: 'refuse', reply: { code: 550 } })
    expect(await backend.rcptTo(peer, mailFrom('<>'), to('<x-permerror@a.example>'))).toEqual({ kind: 'accept' })
  })

  it('fails after the data for other recipients, and stores nothing', async () => {
    const target = await backend.message(peer, { ...mailFrom('<>'), recipients: [to('<a@b.example>'), to('<x-temperror@b.example>')] })
    if (target.kind !== 'sink') throw new Error('refused before the data')
    expect(await target.sink.end()).toMatchObject({ code: 451, enhanced: '4.0.0' })
    expect(stored).toEqual([])
  })

  it('hangs for an hour, then fails', async () => {
    const answer = Promise.resolve(backend.rcptTo(peer, mailFrom('<>'), to('<rcptto-timeout@a.example>')))
    let answered = false
    void answer.then(() => {
      answered = true
    })
    await clock.advance(3_599_000)
    expect(answered).toBe(false)
    await clock.advance(2_000)
    expect(await answer).toMatchObject({ reply: { code: 451 } })
  })
})

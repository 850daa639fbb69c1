import { describe, expect, it } from 'vitest'
import { parseReversePath } from '@postern/core/address'
import { createDirectory, parseDirectoryConfig } from '@postern/core/directory'
import { createReceivingHost, mail, told, type DirectoryInput } from './receiving-host.ts'

const config: DirectoryInput = {
  domains: { 'example.org': {} },
  accounts: { ada: { addresses: ['ada@example.org', { address: 'lovelace@example.org', mailbox: 'Lovelace' }] }, bob: { addresses: ['bob@example.org'] } },
}

describe('receive', () => {
  it('stores a copy for each mailbox, with the trace fields before it', async () => {
    const host = await createReceivingHost(config)
    const text = mail('hi')
    const outcome = await host.receive(text, ['ada@example.org', 'bob@example.org', 'lovelace@example.org'])
    expect(told(outcome)).toEqual(['ada INBOX no-bad-signals', 'ada Lovelace no-bad-signals', 'bob INBOX no-bad-signals'])
    expect(await host.texts('ada')).toEqual([
      'X-Postern-Reason: no-bad-signals\r\n' +
        'Return-Path: <sender@example.com>\r\n' +
        'Authentication-Results: mail.example.org; iprev=pass (mx.example.com)\r\n' +
        '\tpolicy.iprev=192.0.2.7;\r\n' +
        '\tdkim=none (no signatures);\r\n' +
        '\tspf=pass smtp.mailfrom=sender@example.com;\r\n' +
        '\tdmarc=pass (p=reject example.com) header.from=example.com\r\n' +
        'Received-SPF: pass (mail.example.org: example.com lets it send)\r\n' +
        '\tclient-ip=192.0.2.7;\r\n' +
        '\tenvelope-from="sender@example.com";\r\n' +
        '\thelo=mx.example.com;\r\n' +
        '\tmechanism="ip4:192.0.2.0/24";\r\n' +
        '\treceiver=mail.example.org;\r\n' +
        '\tidentity=mailfrom\r\n' +
        'Received: from mx.example.com ([192.0.2.7])\r\n' +
        '\tby mail.example.org ([IPv6:2001:db8::1]) via tcp\r\n' +
        '\twith ESMTPS (TLS1.3 TLS_AES_128_GCM_SHA256) id abc123\r\n' +
        '\tfor <ada@example.org>; 3 Feb 2026 04:05:06 +0000\r\n' +
        text,
    ])
  })

  it('gives one copy to a mailbox that several recipients lead to, and names none of them', async () => {
    const host = await createReceivingHost({ ...config, accounts: { ada: { addresses: ['ada@example.org', 'lovelace@example.org'] } } })
    expect(told(await host.receive(mail('hi'), ['ada@example.org', 'lovelace@example.org']))).toEqual(['ada INBOX no-bad-signals'])
    // With both addresses in it each would learn of the other.
    expect((await host.texts('ada'))[0]).not.toContain('for <')
  })

  it.each([
    [{ extended: false, connection: { remoteAddress: '192.0.2.7' } }, 'with SMTP id'],
    [{ connection: { remoteAddress: '192.0.2.7' } }, 'with ESMTP id'],
    [{ smtputf8: true }, 'with UTF8SMTPS ('],
  ])('names the protocol of %j', async (over, words) => {
    const host = await createReceivingHost(config)
    await host.receive(mail('x'), ['bob@example.org'], over)
    expect((await host.texts('bob'))[0]?.replace(/\r\n\t/g, ' ')).toContain(words)
  })

  it('stores for nobody when one recipient refuses, and tells the strictest refusal', async () => {
    const host = await createReceivingHost(config, { host: { deliverHook: ({ account }) => Promise.resolve(account === 'ada' ? { action: 'tempfail' } : account === 'bob' ? { action: 'reject' } : { action: 'continue' }) } })
    expect(told(await host.receive(mail('x'), ['ada@example.org', 'bob@example.org']))).toEqual(['550 5.7.1 hook'])
    expect(await host.texts('ada')).toEqual([])
    expect(await host.texts('bob')).toEqual([])
  })

  it('refuses for an account that went while the message came', async () => {
    const host = await createReceivingHost(config)
    await host.store.removeAccount('ada')
    expect(told(await host.receive(mail('x'), ['ada@example.org', 'bob@example.org']))).toEqual(['550 5.1.1 unknown-recipient'])
    expect(await host.texts('bob')).toEqual([])
  })

  it.each([['bob@example.org'], ['ada@example.org', 'bob@example.org']])('refuses for an address that was taken out of the configuration while the message came: %s', async (...to) => {
    const directory = createDirectory(parseDirectoryConfig({ domains: { 'example.org': {} }, accounts: { ada: { addresses: ['ada@example.org'] } } }))
    const host = await createReceivingHost(config, { host: { directory } })
    expect(told(await host.receive(mail('x'), to))).toEqual(['550 5.1.1 unknown-recipient'])
    expect(await host.texts('ada')).toEqual([])
  })

  it('refuses what has been received too often', async () => {
    const host = await createReceivingHost(config)
    const hop = (count: number): string => `${'Received: from a by b; 3 Feb 2026 04:05:06 +0000\r\n'.repeat(count)}${mail('x')}`
    expect(told(await host.receive(hop(100), ['bob@example.org']))).toEqual(['bob INBOX no-bad-signals'])
    expect(told(await host.receive(hop(101), ['bob@example.org']))).toEqual(['550 5.4.6 loop'])
  })

  it('takes out results that claim to be ours, and leaves those of others', async () => {
    const host = await createReceivingHost(config)
    const forged = 'Authentication-Results: MAIL.example.org.; spf=pass\r\nAuthentication-Results: other.example.net; spf=pass\r\n'
    await host.receive(`${forged}${mail('x')}`, ['bob@example.org'])
    const [text = ''] = await host.texts('bob')
    expect(text.match(/^Authentication-Results: [^;]*/gm)).toEqual(['Authentication-Results: mail.example.org', 'Authentication-Results: other.example.net'])
    expect(text).toContain(`id abc123\r\n\tfor <bob@example.org>; 3 Feb 2026 04:05:06 +0000\r\nAuthentication-Results: other.example.net; spf=pass\r\n${mail('x')}`)
  })

  it('judges a null reverse-path by the name in EHLO', async () => {
    const host = await createReceivingHost(config)
    host.dns.zone({ 'mx.example.com': ['A 192.0.2.7', 'TXT v=spf1 a -all'] })
    await host.receive(mail('x', { from: 'postmaster@mx.example.com' }), ['bob@example.org'], { reversePath: parseReversePath('<>', { utf8: false }) })
    expect((await host.texts('bob'))[0]).toContain('\tspf=pass smtp.helo=mx.example.com;\r\n')
  })

  it.each([
    ['a filter that throws', { classifier: { classify: () => Promise.reject(new Error('broken')) } }],
    ['block lists that throw', { blockLists: () => Promise.reject(new Error('broken')) }],
    ['look-ups that throw', { gather: () => Promise.reject(new TypeError('broken')) }],
    ['a filter that throws at once', { classifier: { classify: () => { throw new Error('broken') } } }],
  ] as const)('%s: the sender comes back, nothing is kept', async (_, broken) => {
    const host = await createReceivingHost(config, { host: broken })
    const outcome = await host.receive(mail('x'), ['bob@example.org'])
    expect(outcome).toMatchObject({ kind: 'refused', refusal: { code: 451, enhanced: '4.3.0', text: 'Processing failed, try again later', reason: 'analysis-error' } })
    expect([...(await host.texts('bob')), ...(await host.texts('bob', 'Rejects'))]).toEqual([])
  })

  it('a filter that never answers is not waited for longer than a minute', async () => {
    const timers: { readonly ms: number; readonly fire: () => void }[] = []
    const clock = { now: () => 0, monotonic: () => 0, timer: (ms: number, fire: () => void) => (timers.push({ ms, fire }), { cancel() {} }) }
    const host = await createReceivingHost(config, { host: { clock, classifier: { classify: () => new Promise(() => {}) } } })
    const receiving = host.receive(mail('x'), ['bob@example.org'])
    for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(timers.map(({ ms }) => ms)).toEqual([60_000, 60_000])
    timers.at(-1)?.fire()
    expect(told(await receiving)).toEqual(['451 4.3.0 analysis-error'])
  })
})

/** Whom a message reaches by which form of his address, and whose destination it goes through. */
import { describe, expect, it } from 'vitest'
import { parseReversePath } from '@postern/core/address'
import { createReceivingHost, mail, told, type DirectoryInput } from './receiving-host.ts'

const config: DirectoryInput = {
  domains: { 'example.org': { catchallSeparator: '+' }, 'catch.example': {} },
  accounts: {
    ada: { addresses: ['ada@example.org', { address: 'lists@example.org', mailbox: 'Lists' }] },
    eve: { addresses: [{ address: '@catch.example', mailbox: 'Caught' }, '""@catch.example'] },
  },
  postmaster: { account: 'ada', mailbox: 'Postmaster' },
}

describe('recipients', () => {
  it.each([
    ['ada@example.org', 'ada INBOX', 'for <ada@example.org>;'],
    ['ADA+Shop@Example.ORG', 'ada INBOX', 'for <ADA+Shop@example.org>;'],
    ['ada+@example.org', 'ada INBOX', 'for <ada+@example.org>;'],
    ['lists+weekly@example.org', 'ada Lists', 'for <lists+weekly@example.org>;'],
    ['anybody@catch.example', 'eve Caught', 'for <anybody@catch.example>;'],
    ['""@catch.example', 'eve INBOX', 'for <""@catch.example>;'],
    ['postmaster', 'ada Postmaster', 'for <postmaster>;'],
    ['Postmaster@mail.example.org', 'ada Postmaster', 'for <Postmaster@mail.example.org>;'],
    ['postmaster@example.org', 'ada Postmaster', 'for <postmaster@example.org>;'],
  ])('%s: %s', async (to, expected, words) => {
    const host = await createReceivingHost(config)
    expect(told(await host.receive(mail('hi', { to }), [to]))).toEqual([`${expected} no-bad-signals`])
    const [account = '', mailbox = ''] = expected.split(' ')
    expect((await host.texts(account, mailbox))[0]?.replaceAll('\r\n\t', ' ')).toContain(words)
  })

  it('who is named by several forms of one address gets one copy', async () => {
    const host = await createReceivingHost(config)
    expect(told(await host.receive(mail('hi'), ['ada@example.org', 'ada+x@example.org', 'ADA@example.org']))).toEqual(['ada INBOX no-bad-signals'])
  })

  it('each destination has a subject pass of its own, its forms share it', async () => {
    const host = await createReceivingHost(config, { host: { blockLists: () => Promise.resolve(['bl.example']), random: (octets) => crypto.getRandomValues(new Uint8Array(octets)) } })
    const token = async (to: string): Promise<string> => {
      const outcome = await host.receive(mail('hi', { to }), [to])
      return outcome.kind === 'refused' ? (/\(pass:[\w-]+\)$/.exec(outcome.refusal.text)?.[0] ?? '') : ''
    }
    const ada = await token('ada@example.org')
    const at = async (to: string): Promise<readonly string[]> => told(await host.receive(mail(`hi ${ada}`, { to }), [to]))
    expect(ada).not.toBe('')
    expect(await at('ada+shop@example.org')).toEqual(['ada INBOX subjectpass'])
    expect(await at('lists@example.org')).toEqual(['550 5.7.1 give-subjectpass'])
    expect(await at('postmaster')).toEqual(['550 5.7.1 give-subjectpass'])
  })

  it('the null reverse-path is written as it is', async () => {
    const host = await createReceivingHost(config)
    await host.receive(mail('hi', { from: 'x@nospf.example' }), ['ada@example.org'], { reversePath: parseReversePath('<>', { utf8: false }) })
    expect((await host.texts('ada'))[0]).toContain('\r\nReturn-Path: <>\r\n')
  })
})

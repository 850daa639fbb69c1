/** What decisions of hooks come to in the flow itself. */
import { refusalByHook, type HookDecision } from '@postern/core/delivery'
import { Flag } from '@postern/core/store'
import { describe, expect, it } from 'vitest'
import { createReceivingHost, mail, rowsOf, told, type DirectoryInput } from './receiving-host.ts'

const config: DirectoryInput = { domains: { 'example.org': {} }, accounts: { ada: { addresses: ['ada@example.org', { address: 'lists@example.org', mailbox: 'Lists' }] } } }

describe('refusalByHook', () => {
  it.each<readonly [HookDecision, string | undefined]>([
    [{ action: 'continue' }, undefined],
    [{ action: 'accept' }, undefined],
    [{ action: 'discard' }, undefined],
    [{ action: 'reject' }, '550 5.7.1'],
    [{ action: 'reject', code: 554, enhanced: '5.6.0' }, '554 5.6.0'],
    [{ action: 'tempfail' }, '451 4.7.1'],
    [{ action: 'disconnect' }, '421 4.7.0'],
    [{ action: 'disconnect', code: 554 }, '554 5.7.0'],
  ])('%j: %s', (decision, expected) => {
    const refusal = refusalByHook(decision)
    expect(refusal === undefined ? undefined : `${refusal.code} ${refusal.enhanced}`).toBe(expected)
  })
})

describe('a deliver hook', () => {
  it('that files two shares into one mailbox makes one message of them, with the flags of both', async () => {
    const host = await createReceivingHost(config, {
      host: { deliverHook: ({ mailbox }) => Promise.resolve({ action: 'file', mailbox: 'Sorted', flags: mailbox === 'Lists' ? ['\\Flagged'] : ['\\seen', 'todo'] }) },
    })
    expect(told(await host.receive(mail('hi'), ['ada@example.org', 'lists@example.org']))).toEqual(['ada Sorted no-bad-signals'])
    const rows = await rowsOf(await host.account('ada'), 'Sorted')
    // Mailboxes of that kind of name mean that what is put there is not junk.
    expect(rows.map(({ flags }) => flags)).toEqual([Flag.seen | Flag.flagged | Flag.notJunk])
  })

  it('that ends the conversation has it end', async () => {
    const host = await createReceivingHost(config, { host: { deliverHook: () => Promise.resolve({ action: 'disconnect' }) } })
    expect(await host.receive(mail('hi'), ['ada@example.org'])).toMatchObject({ kind: 'refused', close: true, refusal: { code: 421, reason: 'hook' } })
  })

  it('sees why a message is wanted, and is not asked about what is refused', async () => {
    const asked: string[] = []
    const host = await createReceivingHost(config, {
      host: {
        deliverHook: ({ account, mailbox, reason, signals }) => {
          asked.push(`${account} ${mailbox} ${reason} ${signals.at(-1)?.name ?? ''}`)
          return Promise.resolve({ action: 'continue' })
        },
      },
    })
    await host.receive(mail('hi'), ['ada@example.org'])
    await host.receive(mail('forged'), ['ada@example.org'], { connection: { remoteAddress: '203.0.113.1' } })
    expect(asked).toEqual(['ada INBOX no-bad-signals dnsbl'])
  })
})

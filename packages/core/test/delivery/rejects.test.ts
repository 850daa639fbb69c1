/** The mailbox of rejects: what is kept there, once, and until when. */
import { parseReversePath } from '@postern/core/address'
import { Flag } from '@postern/core/store'
import { describe, expect, it } from 'vitest'
import { createReceivingHost, mail, rowsOf, setFlags, told, type DirectoryInput, type ReceivingHost } from './receiving-host.ts'

const directory = (over: object = {}): DirectoryInput => ({ domains: { 'example.org': {} }, accounts: { ada: { addresses: ['ada@example.org'], ...over } } })

/** A host whose ada had two messages of the sender, and called them junk. */
async function createSpammedHost(over: object = {}): Promise<ReceivingHost> {
  const host = await createReceivingHost(directory(over))
  for (const subject of ['one', 'two']) await host.receive(mail(subject), ['ada@example.org'])
  await setFlags(await host.account('ada'), 'INBOX', Flag.junk)
  return host
}

const send = (host: ReceivingHost, text: string) => host.receive(text, ['ada@example.org'])

describe('rejects', () => {
  it('a message is refused as if something were broken, kept once though sent twice, taken once its sender is cleared, and then kept no more', async () => {
    const host = await createSpammedHost()
    const outcome = await send(host, mail('three'))
    expect(outcome).toMatchObject({ kind: 'refused', refusal: { code: 451, enhanced: '4.3.0', text: 'Processing failed, try again later', reason: 'msgfromfull', slow: true } })
    expect(told(await send(host, mail('three')))).toEqual(['451 4.3.0 msgfromfull'])
    const ada = await host.account('ada')
    expect(await host.texts('ada', 'Rejects')).toHaveLength(1)
    expect((await rowsOf(ada, 'Rejects'))[0]?.flags).toBe(Flag.seen)
    expect((await host.texts('ada', 'Rejects'))[0]).toMatch(/^X-Postern-Reason: msgfromfull\r\nReturn-Path: <sender@example\.com>\r\n/)
    expect(await ada.subscriptions()).toContain('Rejects')

    await setFlags(ada, 'INBOX', Flag.notJunk, 'replace')
    expect(told(await send(host, mail('three')))).toEqual(['ada INBOX msgfromfull'])
    expect(await host.texts('ada', 'Rejects')).toEqual([])
    expect(await host.texts('ada')).toHaveLength(3)
  })

  it('a reject without a Message-ID is known by its octets', async () => {
    const host = await createSpammedHost()
    const text = mail('three').replace(/^Message-ID:.*\r\n/m, '')
    for (let n = 0; n < 2; n += 1) await send(host, text)
    expect(await host.texts('ada', 'Rejects')).toHaveLength(1)
    await send(host, text.replace('Hello', 'Hallo'))
    expect(await host.texts('ada', 'Rejects')).toHaveLength(2)
  })

  it('a reject moved where junk is not speaks for its sender', async () => {
    const host = await createSpammedHost()
    await send(host, mail('three'))
    const ada = await host.account('ada')
    await ada.create('Archive')
    const rejects = await ada.open('Rejects', 'read-write')
    await rejects?.move([{ first: 1, last: 1 } as never], 'Archive')
    rejects?.close()
    expect(told(await send(host, mail('four')))).toEqual(['ada INBOX msgfromfull'])
  })

  it('what DMARC refuses is kept too', async () => {
    const host = await createReceivingHost(directory())
    const outcome = await host.receive(mail('forged'), ['ada@example.org'], { reversePath: parseReversePath('<x@nospf.example>', { utf8: false }) })
    expect(told(outcome)).toEqual(['550 5.7.26 dmarc-policy'])
    expect(await host.texts('ada', 'Rejects')).toHaveLength(1)
  })

  it('nothing is kept where the owner wants none', async () => {
    const host = await createSpammedHost({ rejectsMailbox: '' })
    expect(told(await send(host, mail('three')))).toEqual(['451 4.3.0 msgfromfull'])
    expect(await host.texts('ada', 'Rejects')).toEqual([])
  })

  it('nothing is kept of what goes round in circles, came too often or was stopped by a hook', async () => {
    const host = await createReceivingHost(directory(), { limits: { messagesPerMinute: [1, 9, 9] }, host: { deliverHook: ({ message }) => Promise.resolve({ action: message.sizeOctets > 1_000 ? 'reject' : 'continue' }) } })
    expect(told(await send(host, mail('long', { text: 'x'.repeat(1_000) })))).toEqual(['550 5.7.1 hook'])
    expect(told(await send(host, mail('one')))).toEqual(['ada INBOX no-bad-signals'])
    expect(told(await send(host, mail('two')))).toEqual(['452 4.2.2 rate'])
    expect(told(await send(host, `${'Delivered-To: ada@example.org\r\n'.repeat(101)}${mail('loop')}`))).toEqual(['550 5.4.6 loop'])
    expect(await host.texts('ada', 'Rejects')).toEqual([])
  })

  it('that it can not be kept does not change what the sender hears', async () => {
    const host = await createSpammedHost()
    const ada = await host.account('ada')
    Object.defineProperty(ada, 'keepReject', { value: () => Promise.reject(new Error('The disk is gone')) })
    expect(told(await send(host, mail('three')))).toEqual(['451 4.3.0 msgfromfull'])
  })
})

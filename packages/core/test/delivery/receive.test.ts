import { describe, expect, it } from 'vitest'
import { parseForwardPath, parseReversePath } from '@postern/core/address'
import { createMemoryStore } from '@postern/core/conformance'
import { receive, type Reception } from '@postern/core/delivery'
import { createDirectory } from '@postern/core/directory'
import type { MailStore, SpooledMessage } from '@postern/core/store'

const directory = createDirectory({
  domains: { 'example.org': {} },
  accounts: { ada: { addresses: ['ada@example.org', 'lovelace@example.org'] }, bob: { addresses: ['bob@example.org'] } },
})

function reception(to: readonly string[], over: Partial<Reception> = {}): Reception {
  return {
    reversePath: parseReversePath('<sender@example.com>', { utf8: true }),
    recipients: to.map((path) => parseForwardPath(`<${path}>`, { utf8: true })),
    smtputf8: false,
    helo: 'client.example.com',
    extended: true,
    connection: { remoteAddress: '192.0.2.7', localAddress: '2001:db8::1', tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' } },
    id: 'abc123',
    receivedAt: Date.parse('2026-02-03T04:05:06Z'),
    ...over,
  }
}

async function spooled(store: MailStore, text: string): Promise<SpooledMessage> {
  const spool = store.spool()
  await spool.write(Buffer.from(text))
  return spool.end()
}

async function inboxOf(store: MailStore, account: string): Promise<readonly string[]> {
  const mailbox = await (await store.account(account))?.open('INBOX', 'read-only')
  const texts: string[] = []
  if (mailbox === undefined) return texts
  for (const uid of mailbox.snapshot.uids) {
    for await (const rows of mailbox.fetch([{ first: uid, last: uid }], { bodyOctets: 65_536 })) {
      for (const { body } of rows) texts.push(Buffer.from(body ?? []).toString())
    }
  }
  mailbox.close()
  return texts
}

async function storeWith(...accounts: readonly string[]): Promise<MailStore> {
  const store = createMemoryStore()
  for (const name of accounts) await store.createAccount(name)
  return store
}

describe('receive', () => {
  it('stores one copy for each account, with trace fields before the message', async () => {
    const store = await storeWith('ada', 'bob')
    const message = await spooled(store, 'Subject: hi\r\n\r\nhello\r\n')
    const deliveries = await receive(message, reception(['ada@example.org', 'bob@example.org', 'lovelace@example.org']), { store, directory, hostname: 'mail.example.org' })
    expect(deliveries.map(({ kind, account }) => `${account} ${kind}`)).toEqual(['ada stored', 'bob stored'])
    const [ada, bob] = [await inboxOf(store, 'ada'), await inboxOf(store, 'bob')]
    expect(ada).toHaveLength(1)
    // Ada was named twice: with both addresses in it each would learn of the other.
    expect(ada[0]).toBe(
      'Return-Path: <sender@example.com>\r\n' +
        'Received: from client.example.com ([192.0.2.7])\r\n' +
        '\tby mail.example.org ([IPv6:2001:db8::1]) via tcp\r\n' +
        '\twith ESMTPS (TLS1.3 TLS_AES_128_GCM_SHA256) id abc123;\r\n' +
        '\t3 Feb 2026 04:05:06 +0000\r\n' +
        'Subject: hi\r\n\r\nhello\r\n',
    )
    expect(bob[0]).toContain('\tfor <bob@example.org>; 3 Feb 2026 04:05:06 +0000\r\n')
  })

  it.each([
    [{ extended: false, connection: {} }, 'with SMTP id'],
    [{ connection: {} }, 'with ESMTP id'],
    [{ smtputf8: true }, 'with UTF8SMTPS ('],
  ])('names the protocol of %j', async (over, words) => {
    const store = await storeWith('bob')
    const message = await spooled(store, 'Subject: x\r\n\r\n')
    await receive(message, reception(['bob@example.org'], over), { store, directory, hostname: 'mail.example.org' })
    expect((await inboxOf(store, 'bob'))[0]?.replace(/\r\n\t/g, ' ')).toContain(words)
  })

  it('tells of an account that is gone, and still serves the others', async () => {
    const store = await storeWith('bob')
    const message = await spooled(store, 'Subject: x\r\n\r\n')
    const deliveries = await receive(message, reception(['ada@example.org', 'bob@example.org']), { store, directory, hostname: 'mail.example.org' })
    expect(deliveries.map(({ kind, account }) => `${account} ${kind}`)).toEqual(['ada no-such-account', 'bob stored'])
  })
})

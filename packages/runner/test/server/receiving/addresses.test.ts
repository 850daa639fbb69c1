/** Whose mail is taken: every form of an address that has ever led a server to relay, and the forms that are ours. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CONFIG, createReceivingServer, letter, SENDER_IP, type ReceivingServer } from './receiving-server.ts'
import { SmtpClient } from './smtp-client.ts'

let running: ReceivingServer
beforeAll(async () => {
  running = await createReceivingServer({
    domains: { 'example.org': { catchallSeparator: '+' }, 'catch.example': {}, 'bücher.example': {}, 'case.example': { caseSensitive: true } },
    accounts: {
      ada: { addresses: ['ada@example.org', { address: 'lists@example.org', mailbox: 'Lists' }, '""@catch.example', 'Ada@case.example'] },
      bob: { addresses: ['bob@example.org', 'info@bücher.example'] },
      eve: { addresses: ['@catch.example'] },
    },
    listeners: { ...CONFIG.listeners, second: { addresses: ['127.0.0.1'], hostname: 'mx2.example.org', smtp: { port: 0 } } },
  })
})
afterAll(() => running[Symbol.asyncDispose]())

/** Sends to a path as it stands in RCPT TO. @returns where it was put, or the reply */
async function sendTo(path: string): Promise<string | undefined> {
  const client = await SmtpClient.over(running.server, SENDER_IP).greet()
  const received: string[] = []
  const stop = running.server.on('received', ({ account, mailbox }) => received.push(`${account} ${mailbox}`))
  await client.command('MAIL FROM:<sender@example.com> SMTPUTF8')
  const reply = await client.command(`RCPT TO:${Buffer.from(path).toString('latin1')}`)
  if (reply?.startsWith('250') === true) {
    await client.command('DATA')
    expect(await client.command(`${letter('hi')}.`)).toMatch(/^250 2\.0\.0 /)
  }
  await client.quit()
  stop()
  return received.length === 0 ? reply?.slice(0, 9) : received.join()
}

describe('addresses', () => {
  it.each([
    ['<ada@example.org>', 'ada INBOX'],
    ['<ADA@Example.Org>', 'ada INBOX'],
    ['<ada+@example.org>', 'ada INBOX'],
    ['<ada+shop@example.org>', 'ada INBOX'],
    ['<Ada+Shop+2@example.org>', 'ada INBOX'],
    ['<"ada"@example.org>', 'ada INBOX'],
    ['<lists+x@example.org>', 'ada Lists'],
    ['<+x@example.org>', '550 5.1.1'],
    ['<nobody@example.org>', '550 5.1.1'],
    ['<nobody@catch.example>', 'eve INBOX'],
    ['<""@catch.example>', 'ada INBOX'],
    ['<""@example.org>', '550 5.1.1'],
    ['<Ada@case.example>', 'ada INBOX'],
    ['<ada@case.example>', '550 5.1.1'],
    ['<info@xn--bcher-kva.example>', 'bob INBOX'],
    ['<info@BÜCHER.example>', 'bob INBOX'],
    ['<postmaster>', 'bob Postmaster'],
    ['<PostMaster>', 'bob Postmaster'],
    ['<postmaster@mail.example.org>', 'bob Postmaster'],
    ['<postmaster@MX2.example.org>', 'bob Postmaster'],
    ['<Postmaster@example.org>', 'bob Postmaster'],
    ['<postmaster@catch.example>', 'eve INBOX'],
    ['<ada@mail.example.org>', '550 5.7.1'],
    ['<ada@nowhere.example>', '550 5.7.1'],
  ])('%s: %s', async (path, expected) => {
    expect(await sendTo(path)).toBe(expected)
  })
})

describe('a configuration', () => {
  it.each([
    ['the same address twice', { ada: ['x@example.org'], bob: ['x@example.org'] }, ['accounts', 'bob', 'addresses', 0]],
    ['two that differ by case', { ada: ['x@example.org', 'X@Example.org'] }, ['accounts', 'ada', 'addresses', 1]],
    ['two spellings of one', { ada: ['x@example.org', '"x"@example.org'] }, ['accounts', 'ada', 'addresses', 1]],
    ['one behind the separator', { ada: ['x+y@example.org'] }, ['accounts', 'ada', 'addresses', 0]],
    ['two catch-alls of a domain', { ada: ['@example.org'], bob: ['@EXAMPLE.org'] }, ['accounts', 'bob', 'addresses', 0]],
    ['one of a domain that is not ours', { ada: ['x@other.example'] }, ['accounts', 'ada', 'addresses', 0]],
  ])('with %s is refused', async (_, accounts, path) => {
    const listed = Object.fromEntries(Object.entries(accounts).map(([name, addresses]) => [name, { addresses }]))
    await expect(createReceivingServer({ accounts: { carol: { addresses: ['carol@example.org'] }, ...listed }, postmaster: 'carol' })).rejects.toMatchObject({ code: 'CONFIG_INVALID', issues: [{ path }] })
  })
})

describe('nothing is relayed', () => {
  it.each([
    ['<user@other.example>', '550 5.7.1'],
    ['<postmaster@other.example>', '550 5.7.1'],
    ['<ada+x@other.example>', '550 5.7.1'],
    ['<ada@sub.example.org>', '550 5.7.1'],
    ['<ada@example.org.other.example>', '550 5.7.1'],
    ['<ada@example.or>', '550 5.7.1'],
    ['<ada@org>', '550 5.7.1'],
    ['<ada@localhost>', '550 5.7.1'],
    ['<user%other.example@example.org>', '550 5.1.1'],
    ['<ada%other.example@example.org>', '550 5.1.1'],
    ['<other.example!user@example.org>', '550 5.1.1'],
    ['<other.example!user>', '501 5.1.3'],
    ['<"user@other.example"@example.org>', '550 5.1.1'],
    ['<"ada@other.example"@example.org>', '550 5.1.1'],
    ['<"user\\@other.example"@example.org>', '550 5.1.1'],
    ['<"user%other.example"@example.org>', '550 5.1.1'],
    ['<"<user@other.example>"@example.org>', '550 5.1.1'],
    ['<user@other.example@example.org>', '501 5.1.3'],
    ['<ada@example.org@other.example>', '501 5.1.3'],
    ['<@example.org:user@other.example>', '550 5.7.1'],
    ['<@example.org,@mail.example.org:user@other.example>', '550 5.7.1'],
    ['<@other.example:user%other.example@example.org>', '550 5.1.1'],
    ['<@example.org:@other.example:user@example.org>', '501 5.1.3'],
    ['<@example.org>', '501 5.1.3'],
    ['<ada@[192.0.2.1]>', '550 5.7.1'],
    ['<ada@[127.0.0.1]>', '550 5.7.1'],
    ['<ada@[IPv6:::1]>', '550 5.7.1'],
    ['<ada@[example.org]>', '501 5.1.3'],
    ['<ada@127.0.0.1>', '501 5.1.3'],
    ['<ada@example.org.>', '501 5.1.3'],
    ['<ada@.example.org>', '501 5.1.3'],
    ['<ada@example..org>', '501 5.1.3'],
    ['<ada@example.org,other.example>', '501 5.1.3'],
    ['<ada@example.org;user@other.example>', '501 5.1.3'],
    ['<ada@example.org#other.example>', '501 5.1.3'],
    ['<ada@example.org><user@other.example>', '501 5.5.2'],
    ['<ada@example.org>,<user@other.example>', '501 5.5.2'],
    ['<ada＠other.example>', '501 5.1.3'],
    ['<ada>', '501 5.1.3'],
    ['<>', '501 5.1.3'],
    ['ada@example.org', '501 5.5.2'],
    ['user@other.example', '501 5.5.2'],
  ])('%s: %s', async (path, expected) => {
    expect(await sendTo(path)).toBe(expected)
  })

  it.each([
    ['<@relay.example:ada@example.org>', 'ada INBOX'],
    ['<@a.example,@b.example:ada@example.org>', 'ada INBOX'],
    ['<"ada+@other.example"@example.org>', 'ada INBOX'],
    ['<user%other.example@catch.example>', 'eve INBOX'],
    ['<"user@other.example"@catch.example>', 'eve INBOX'],
  ])('%s stays here: %s', async (path, expected) => {
    expect(await sendTo(path)).toBe(expected)
  })
})

// Tests that an application sends its sign-up mail: nodemailer sends, waitFor sees it, imapflow reads it as a user would.
import assert from 'node:assert/strict'
import { ImapFlow } from 'imapflow'
import { createTransport } from 'nodemailer'
import { createTestMailServer } from 'postern/testing'

/** The application under test. */
async function signUp(address: string, smtpUrl: string): Promise<void> {
  const transport = createTransport(smtpUrl)
  await transport.sendMail({
    from: 'Shop <shop@example.com>',
    to: address,
    subject: 'Welcome to the shop',
    text: 'Confirm your address: https://shop.example/confirm/4711',
  })
  transport.close()
}

await using server = await createTestMailServer({
  accounts: { ada: { password: 'correct horse', addresses: ['ada@example.org'] } },
})

const waiting = server.waitFor({ to: 'ada@example.org', subject: /welcome/i })
await signUp('ada@example.org', server.smtpUrl)
const mail = await waiting
assert.match(mail.text ?? '', /confirm\/4711/)
console.log(`waitFor saw "${mail.subject}" from ${mail.from}`)

const { hostname, port } = new URL(server.imapUrl)
const client = new ImapFlow({
  host: hostname,
  port: Number(port),
  secure: false,
  logger: false,
  auth: { user: 'ada@example.org', pass: 'correct horse' },
})
await client.connect()
await client.mailboxOpen('INBOX')
const message = await client.fetchOne('1', { envelope: true, uid: true })
assert.ok(message)
assert.equal(message.envelope?.subject, 'Welcome to the shop')
console.log(`imapflow read message ${message.uid}`)
await client.logout()

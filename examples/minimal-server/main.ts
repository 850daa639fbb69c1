// A mail server in a program of your own: one account, SMTP in, IMAP out. Stops by itself after its first message.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMailServer } from 'postern'

const dataDir = await mkdtemp(join(tmpdir(), 'minimal-server-'))

const server = await createMailServer({
  hostname: 'mail.example.org',
  dataDir,
  listeners: {
    local: { addresses: ['127.0.0.1'], smtp: { port: 0 }, imap: { port: 0, allowPlainLogin: true } },
  },
  domains: { 'example.org': {} },
  accounts: { ada: { addresses: ['ada@example.org'] } },
})
await (await server.accounts.get('ada'))?.setPassword('correct horse battery')
for (const { url } of await server.listen()) console.log(`listening on ${url}`)

const received = server.once('received')
const reply = await server.receive(
  { from: 'Bob <bob@example.com>', to: 'ada@example.org', subject: 'Hello', text: 'It works.\n' },
  { from: 'bob@example.com', to: ['ada@example.org'] },
)
console.log(`the sender is told ${reply.code} ${reply.text}`)
const { account, mailbox, uid } = await received
console.log(`${account} has message ${uid} in ${mailbox}`)

await server.close()
await rm(dataDir, { recursive: true })

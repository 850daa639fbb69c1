/**
 * A server as strangers' mail reaches it, in a process of its own: port 25 with STARTTLS, senders looked into, the name
 * servers of the machine. Arguments: directory, address. Tells what comes as lines of JSON, and ends with its input.
 */
import { join } from 'node:path'
import { createSelfSignedCertificate } from '../../src/setup/self-signed-certificate.ts'
import { startMailServer } from '../../src/server/start-mail-server.ts'
import { readMessage } from '../../src/testing/read-messages.ts'

/** One line of what it tells. */
export type Told =
  | { readonly kind: 'listening' }
  | { readonly kind: 'received'; readonly account: string; readonly mailbox: string; /** base64 */ readonly raw: string }
  | { readonly kind: 'rejected'; readonly from: string | null; readonly to: readonly string[]; readonly code: number; readonly enhanced: string }

function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`)
}

const [dir, address] = process.argv.slice(2)
if (dir === undefined || address === undefined) throw new Error('Usage: mta-child.ts DIRECTORY ADDRESS')

const server = await startMailServer(
  {
    hostname: 'mail.example.org',
    dataDir: join(dir, 'data'),
    listeners: {
      public: {
        addresses: [address],
        tls: await createSelfSignedCertificate(['mail.example.org'], Date.now()),
        // What a first message waits is of no interest here.
        smtp: { port: 25, firstTimeSenderDelay: 0 },
      },
    },
    domains: { 'example.org': {} },
    accounts: Object.fromEntries(['ada', 'bob', 'grace'].map((name) => [name, { addresses: [`${name}@example.org`] }])),
  },
  {},
)
server.on('received', ({ account, mailbox, uid }) => {
  void (async () => {
    const store = await server.store.account(account)
    const message = store === undefined ? undefined : await readMessage(store, mailbox, uid)
    tell({ kind: 'received', account, mailbox, raw: Buffer.from(message?.raw ?? []).toString('base64') })
  })()
})
server.on('rejected', ({ envelope, reply: { code, enhanced } }) => tell({ kind: 'rejected', ...envelope, code, enhanced }))
await server.listen()
tell({ kind: 'listening' })
process.stdin.resume().on('end', () => void server.close({ drain: 0 }).then(() => process.exit(0)))

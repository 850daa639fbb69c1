// Rules of your own for mail that comes in: hooks are asked before anything is stored, events are told afterwards.
import { createMailServer, memoryStore, type Hooks } from 'postern'

const staff = new Set(['ada@example.org', 'support@example.org'])

const checks: Hooks = {
  name: 'checks',
  // One address is closed. Other recipients of the same message are not concerned.
  rcptTo: ({ to }) => (to === 'closed@example.org' ? { action: 'reject', enhanced: '5.2.1', text: 'This mailbox is closed' } : undefined),
  // A slow look-up: the sender is told to come back when it does not answer in a second.
  message: {
    timeout: 1_000,
    onTimeout: 'tempfail',
    async run({ message, envelope, signal }) {
      if (signal.aborted || staff.has(envelope.from ?? '')) return
      const subject = message.headers().find(([name]) => name.toLowerCase() === 'subject')?.[1] ?? ''
      if (/lottery/i.test(subject)) return { action: 'reject', text: 'No lotteries, please' }
    },
  },
  // Where it goes, for each account that gets it.
  deliver: ({ message, mailbox }) => {
    const isList = message.headers().some(([name]) => name.toLowerCase() === 'list-id')
    return isList ? { action: 'file', mailbox: 'Lists', flags: ['\\Seen'] } : { action: 'file', mailbox }
  },
}

await using server = await createMailServer(
  { hostname: 'mail.example.org', domains: { 'example.org': {} }, accounts: { ada: { addresses: ['ada@example.org', 'closed@example.org'] } } },
  { store: memoryStore(), hooks: checks },
)
server.on('received', ({ account, mailbox, uid }) => console.log(`  stored: message ${uid} in ${mailbox} of ${account}`))
server.on('rejected', ({ reason }) => console.log(`  refused: ${reason}`))

const send = async (subject: string, to = 'ada@example.org', headers = ''): Promise<void> => {
  console.log(`${subject} → ${to}`)
  const { code, text } = await server.receive({ raw: `Subject: ${subject}\r\n${headers}\r\nHello\r\n` }, { from: 'bob@example.com', to: [to] })
  console.log(`  ${code} ${text}`)
}
await send('Lunch?')
await send('You won the LOTTERY')
await send('Is anybody there?', 'closed@example.org')
await send('[talk] Digest 17', 'ada@example.org', 'List-Id: <talk.example.net>\r\n')

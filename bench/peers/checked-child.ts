// A Postern server that looks at every sender, in a process of its own. Arguments: directory, name server, `junk` for the
// junk filter too. Prints its endpoints as JSON.
import { createMailServer, createResolver } from 'postern'

const [dataDir = '.', nameServer = '', filter] = process.argv.slice(2)
const many = [1e9, 1e9, 1e9] as const
const server = await createMailServer(
  {
    hostname: 'mail.example.org',
    dataDir,
    listeners: { local: { addresses: ['127.0.0.1'], smtp: { port: 0, firstTimeSenderDelay: 0 }, imap: { port: 0, allowPlainLogin: true } } },
    domains: { 'example.org': {} },
    accounts: {
      bench: {
        junkFilter: { enabled: filter === 'junk' },
        addresses: [
          {
            address: '@example.org',
            rulesets: [
              { mailFromPattern: '^nobody@', mailbox: 'Nobody' },
              { headerPatterns: { '^list-id$': '<talk\\.example>' }, mailbox: 'Talk' },
              { verifiedDomain: 'lists.example', mailbox: 'Lists' },
            ],
          },
        ],
      },
    },
  },
  // The limits are for strangers; here one client is all of them.
  { resolver: createResolver({ servers: [nameServer] }), limits: { messagesPerMinute: many, messagesPerDay: many, octetsPerMinute: many, octetsPerDay: many } },
)
console.log(JSON.stringify(await server.listen()))
process.on('SIGTERM', () => void server.close().then(() => process.exit(0)))

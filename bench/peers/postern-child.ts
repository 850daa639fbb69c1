// A Postern server on its default store, in a process of its own. Arguments: directory. Prints its endpoints as JSON.
import { createMailServer } from 'postern'

const [dataDir = '.'] = process.argv.slice(2)
const server = await createMailServer({
  hostname: 'mail.example.org',
  checkSenders: false,
  dataDir,
  listeners: { local: { addresses: ['127.0.0.1'], smtp: { port: 0 }, imap: { port: 0, allowPlainLogin: true } } },
  domains: { 'example.org': {} },
  accounts: { bench: { addresses: ['@example.org'] } },
})
await (await server.accounts.get('bench'))?.setPassword('bench-password')
console.log(JSON.stringify(await server.listen()))
process.on('SIGTERM', () => void server.close().then(() => process.exit(0)))

// A server in a process of its own, to be killed: the directory comes as the argument, the endpoints go out as one line of JSON.
import { createMailServer } from '../../src/index.ts'

const [dataDir] = process.argv.slice(2)
if (dataDir === undefined) throw new Error('Usage: serve-child.ts DIRECTORY')

const server = await createMailServer({
  hostname: 'mail.example.org',
  checkSenders: false,
  dataDir,
  listeners: { local: { addresses: ['127.0.0.1'], smtp: { port: 0 }, imap: { port: 0, allowPlainLogin: true } } },
  domains: { 'example.org': {} },
  accounts: {
    ada: { addresses: ['ada@example.org'] },
    bob: { addresses: ['bob@example.org'] },
  },
})
for (const name of ['ada', 'bob']) await (await server.accounts.get(name))?.setPassword('correct horse battery')
process.stdout.write(`${JSON.stringify(await server.listen())}\n`)
process.on('SIGTERM', () => {
  void server.close().then(() => process.exit(0))
})

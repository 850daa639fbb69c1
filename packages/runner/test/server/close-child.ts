// Makes a server, uses it, closes it, and does nothing more: the process must end by itself. The directory comes as the argument.
import { createMailServer } from '../../src/index.ts'

const [dataDir] = process.argv.slice(2)
if (dataDir === undefined) throw new Error('Usage: close-child.ts DIRECTORY')

const server = await createMailServer({
  hostname: 'mail.example.org',
  checkSenders: false,
  dataDir,
  listeners: { local: { addresses: ['127.0.0.1'], smtp: { port: 0 }, imap: { port: 0, allowPlainLogin: true } } },
  domains: { 'example.org': {} },
  accounts: { ada: { addresses: ['ada@example.org'] } },
})
await (await server.accounts.get('ada'))?.setPassword('correct horse battery')
await server.listen()
const large = `Subject: large\r\n\r\n${`${'x'.repeat(998)}\r\n`.repeat(500)}`
for (const raw of ['Subject: small\r\n\r\n', large]) await server.receive({ raw }, { from: null, to: ['ada@example.org'] })
await server.close()
console.log(`left: ${process.getActiveResourcesInfo().filter((name) => !['TTYWrap', 'PipeWrap', 'FSReqPromise', 'CloseReq'].includes(name)).join(', ')}`)

// npm's smtp-server with one fsynced file a message, in a process of its own. Arguments: directory. Prints its port.
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'

const [dir = '.'] = process.argv.slice(2)
let number = 0

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  logger: false,
  onData(stream, _session, callback) {
    const pieces: Buffer[] = []
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    stream.on('end', () => {
      number += 1
      void answer(join(dir, `${number}.eml`), pieces, callback)
    })
  },
})

async function answer(path: string, pieces: readonly Buffer[], callback: (error?: Error) => void): Promise<void> {
  try {
    await store(path, pieces)
  } catch (error) {
    return callback(error as Error)
  }
  callback()
}

async function store(path: string, pieces: readonly Buffer[]): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await file.writeFile(Buffer.concat(pieces))
    await file.datasync()
  } finally {
    await file.close()
  }
}

server.listen(0, '127.0.0.1', () => {
  const address = server.server.address()
  console.log(typeof address === 'object' && address !== null ? address.port : 0)
})

/** Each mechanism of the server, with right and wrong passwords and while they change: no log line has one, in whatever writing. Threat 74. */
import { createClientExchange, type MechanismName } from '@postern/core/sasl'
import { afterAll, expect, it } from 'vitest'
import { createHashingWorker } from '../../src/host/hashing-worker.ts'
import { systemRandom } from '../../src/host/random.ts'
import { createLogger } from '../../src/index.ts'
import { LineClient } from '../durability/child-server.ts'
import { createReceivingServer, type ReceivingServer } from './receiving/receiving-server.ts'

const FIRST = 'planted-First-0f3a'
const SECOND = 'planted-Second-77c1'
const WRONG = 'planted-Wrong-b52e'
const hasher = createHashingWorker()
afterAll(() => hasher.close())

/** What of a text's base64 is the same wherever in longer octets it stands: three alignments, without what neighbours share. */
function base64Forms(text: string): readonly string[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.from('\0'.repeat(before) + text).toString('base64').replace(/=+$/, '')
    return encoded.slice(before === 0 ? 0 : before + 1, -1)
  })
}

/** Logs in by one mechanism, every response in a line of its own. @returns the tagged answer, and what was sent */
async function authenticate(running: ReceivingServer, mechanism: MechanismName, password: string): Promise<{ readonly answer: string; readonly sent: readonly string[] }> {
  const client = await LineClient.connect(running.port('imap'))
  await client.line()
  const exchange = createClientExchange(mechanism, { login: 'ada', password, hasher, random: systemRandom })
  const sent: string[] = []
  const decided = running.server.once('login')
  client.send(`a AUTHENTICATE ${mechanism}\r\n`)
  for (let turn = 0; turn < 6; turn += 1) {
    // Hashing takes time of the machine; only the answer to a failed login waits for the clock.
    const next = client.line()
    await Promise.race([next, decided])
    const { value: line = '' } = await running.hurry(next)
    if (!line.startsWith('+ ')) {
      client.destroy()
      return { answer: line, sent }
    }
    const challenge = line.slice(2)
    const step = await exchange.respond(exchange.clientFirst && turn === 0 ? undefined : Buffer.from(challenge, 'base64'))
    const response = step.kind === 'response' ? Buffer.from(step.message).toString('base64') : ''
    if (response.length > 0) sent.push(response)
    client.send(`${response}\r\n`)
  }
  throw new Error('The exchange does not end')
}

it('are in no line of the log', async () => {
  const written: string[] = []
  const logger = createLogger({ level: 'debug', destination: { write: (line) => void written.push(line) } })
  await using running = await createReceivingServer({}, { logger, legacyMechanisms: true, limits: { failedLoginsPerMinute: [100, 300, 900] } })
  await running.server.listen()
  const ada = await running.server.accounts.get('ada')
  const spoken: string[] = []
  for (const [right, wrong] of [[FIRST, WRONG], [SECOND, FIRST]] as const) {
    await ada?.setPassword(right)
    for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256'] as const) {
      for (const [password, expected] of [[right, /^a OK/], [wrong, /^a NO/]] as const) {
        const { answer, sent } = await authenticate(running, mechanism, password)
        expect(answer, `${mechanism} with ${password}`).toMatch(expected)
        // The login name alone is told.
        spoken.push(...sent.filter((response) => response !== Buffer.from('ada').toString('base64')))
      }
    }
  }
  await expect(ada?.setPassword(`${WRONG}\u0007`)).rejects.toMatchObject({ code: 'PASSWORD_INVALID' })

  const whole = written.join('')
  expect(whole.split('"Logged in"').length - 1).toBe(10)
  expect(whole.split('"Login failed"').length - 1).toBe(10)
  expect(spoken.length).toBeGreaterThanOrEqual(28)
  for (const secret of [FIRST, SECOND, WRONG]) {
    const forms = base64Forms(secret)
    expect(spoken.some((response) => forms.some((form) => response.includes(form))), 'these are the forms on the wire').toBe(true)
  }
  for (const response of spoken) expect(whole).not.toContain(response.replace(/=+$/, ''))
  for (const secret of [FIRST, SECOND, WRONG]) {
    for (const form of [secret, Buffer.from(secret).toString('hex'), ...base64Forms(secret)]) expect(whole.toLowerCase(), `${secret} as ${form}`).not.toContain(form.toLowerCase())
  }
})

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { type TranscriptEngine, transcriptCases } from '@postern/core/conformance'
import { StoreError, type StoreErrorCode } from '@postern/core/store'
import { beforeAll, describe, test } from 'vitest'
import type { Authenticator } from '@postern/core/sasl'
import { createSmtpServerEngine, type SmtpServerEngineOptions, type TlsPolicy, type Verdict } from '../src/server/index.ts'
import { type BackendHabits, createTestAuthenticator, RecordingBackend } from './recording-backend.ts'

let authenticator: Authenticator
let busyAuthenticator: Authenticator

beforeAll(async () => {
  authenticator = await createTestAuthenticator()
  busyAuthenticator = await createTestAuthenticator({ busy: true })
})

/**
 * `G:` lines: submission · tls available|required · secure · plain-allowed · pedantic · slow · limit name=number · busy-hasher
 * · connect|mail|slow-mail|message CODE ENHANCED text · message-fault|write-fault|end-fault CODE
 * · reply|slow-reply|closing-reply CODE ENHANCED text · bad-reply
 * `D:` lines: stop · stored N · body text (with \r\n) of the last message · logins list · aborted N · asked N · recipients list
 * · dsn JSON of what the last message's envelope says of notifications
 */
function start(given: readonly string[]): TranscriptEngine {
  let options: Partial<Omit<SmtpServerEngineOptions, 'connection'>> = {}
  let habits: BackendHabits = {}
  let tls: { protocol: string; cipher: string } | undefined
  const limits: Record<string, number> = {}
  for (const words of given) {
    const [word = '', ...rest] = words.split(' ')
    switch (word) {
      case 'submission':
        options = { ...options, mode: 'submission' }
        habits = { ...habits, authenticator }
        break
      case 'tls':
        options = { ...options, tls: rest[0] as TlsPolicy }
        break
      case 'secure':
        tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' }
        break
      case 'plain-allowed':
        options = { ...options, plainAllowed: true }
        break
      case 'pedantic':
        options = { ...options, pedantic: true }
        break
      case 'slow':
        habits = { ...habits, slow: true }
        break
      case 'limit': {
        const [name = '', value] = (rest[0] ?? '').split('=')
        limits[name] = Number(value)
        break
      }
      case 'busy-hasher':
        habits = { ...habits, authenticator: busyAuthenticator }
        break
      case 'connect': {
        const verdict = refusal(rest)
        habits = { ...habits, connect: () => verdict }
        break
      }
      case 'mail':
        habits = { ...habits, mailFrom: refusal(rest) }
        break
      case 'slow-mail':
        habits = { ...habits, mailFrom: { ...refusal(rest), slow: true } }
        break
      case 'message-fault':
        habits = { ...habits, messageFault: fault(rest[0]) }
        break
      case 'message':
        habits = { ...habits, message: refusal(rest) }
        break
      case 'write-fault':
        habits = { ...habits, writeFault: fault(rest[0]) }
        break
      case 'end-fault':
        habits = { ...habits, endFault: fault(rest[0]) }
        break
      case 'reply':
      case 'slow-reply':
      case 'closing-reply':
        habits = { ...habits, reply: { ...refusal(rest).reply, slow: word === 'slow-reply', close: word === 'closing-reply' } }
        break
      case 'bad-reply':
        habits = { ...habits, reply: { code: 250, enhanced: '2.0.0', lines: ['two\r\nlines'] } }
        break
      default:
        throw new Error(`Unknown G: ${words}`)
    }
  }
  const backend = new RecordingBackend(habits)
  const engine = createSmtpServerEngine({
    mode: 'mx',
    hostname: 'mail.example.org',
    ...options,
    backend,
    limits,
    id: 'id1',
    connection: { remoteAddress: '192.0.2.1', ...(tls === undefined ? {} : { tls }) },
  })
  return {
    engine,
    act(words) {
      const [word, ...rest] = words.split(' ')
      const text = rest.join(' ')
      switch (word) {
        case 'stop':
          return engine.stop()
        case 'stored':
          return assert.equal(backend.messages.length, Number(text))
        case 'body':
          return assert.equal(backend.messages.at(-1)?.octets.toString('latin1'), JSON.parse(`"${text}"`))
        case 'logins':
          return assert.deepEqual(backend.logins.join(', '), text)
        case 'recipients':
          return assert.deepEqual(backend.recipients.join(' '), text)
        case 'dsn': {
          const { dsn, recipientOptions } = backend.messages.at(-1)?.envelope ?? {}
          return assert.deepEqual({ dsn, recipientOptions }, { dsn: undefined, recipientOptions: undefined, ...JSON.parse(text) })
        }
        case 'asked':
          return assert.equal(backend.asked, Number(text))
        case 'aborted':
          return assert.equal(backend.aborted, Number(text))
        default:
          throw new Error(`Unknown D: ${words}`)
      }
    },
  }
}

function refusal([code, enhanced = '', ...text]: readonly string[]): Extract<Verdict, { kind: 'refuse' }> {
  return { kind: 'refuse', reply: { code: Number(code), enhanced, lines: [text.join(' ')] } }
}

function fault(code = ''): Error {
  return code.startsWith('STORE_') ? new StoreError(code as StoreErrorCode, 'Told to') : new Error(code)
}

const folder = new URL('transcripts/', import.meta.url)

for (const file of readdirSync(folder).sort()) {
  describe(file, () => {
    for (const { name, run } of transcriptCases(readFileSync(new URL(file, folder), 'utf8'), { start })) test(name, run)
  })
}

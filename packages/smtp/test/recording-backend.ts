/** A host of SMTP conversations that keeps messages in an array, and can be told to misbehave. */
import { pbkdf2Sync } from 'node:crypto'
import { type ForwardPath, formatPath } from '@postern/core/address'
import type { OctetSink } from '@postern/core/host'
import { type Authenticator, createAuthenticator, deriveCredentials, type Hasher, type StoredCredentials } from '@postern/core/sasl'
import type { Answer, Destination, Envelope, MessageReply, SmtpBackend, SmtpPeer, Verdict } from '../src/server/index.ts'

export interface StoredMessage {
  readonly peer: SmtpPeer
  readonly envelope: Envelope
  readonly octets: Buffer
}

/** What a backend does beside keeping messages; recipients say the rest: `unknown@`, `busy@`, `fault@`, `bye@` are refused in their way. */
export interface BackendHabits {
  /** Answer by promises, a few turns later. */
  readonly slow?: boolean
  readonly connect?: () => Answer<Verdict>
  readonly mailFrom?: Verdict
  readonly message?: Verdict
  /** Thrown instead of giving a sink. */
  readonly messageFault?: Error
  /** Thrown by the sink: at the first octet, or at the end. */
  readonly writeFault?: Error
  readonly endFault?: Error
  /** Final reply instead of `250 2.0.0 Stored`. */
  readonly reply?: MessageReply
  readonly authenticator?: Authenticator
}

export class RecordingBackend implements SmtpBackend {
  readonly messages: StoredMessage[] = []
  readonly logins: string[] = []
  readonly recipients: string[] = []
  aborted = 0
  /** Questions where a message goes. */
  asked = 0
  readonly #habits: BackendHabits
  readonly authenticator?: Authenticator

  constructor(habits: BackendHabits = {}) {
    this.#habits = habits
    if (habits.authenticator !== undefined) this.authenticator = habits.authenticator
  }

  connect(): Answer<Verdict> {
    return this.#habits.connect?.() ?? { kind: 'accept' }
  }

  loggedIn(_: SmtpPeer, outcome: { readonly result: string; readonly login: string; readonly mechanism: string }): void {
    this.logins.push(`${outcome.result} ${outcome.mechanism} ${outcome.login}`)
  }

  mailFrom(): Answer<Verdict> {
    return this.#answer(this.#habits.mailFrom ?? { kind: 'accept' })
  }

  rcptTo(_: SmtpPeer, __: unknown, recipient: ForwardPath): Answer<Verdict> {
    const text = formatPath(recipient, { utf8: true })
    this.recipients.push(text)
    if (text.startsWith('<unknown')) {
      return this.#answer({ kind: 'refuse', reply: { code: 550, enhanced: '5.1.1', lines: ['No such user'] } })
    }
    if (text.startsWith('<busy')) {
      return this.#answer({ kind: 'refuse', reply: { code: 451, enhanced: '4.3.0', lines: ['Later'] }, pauseMs: 5000 })
    }
    if (text.startsWith('<bye')) {
      return this.#answer({ kind: 'refuse', reply: { code: 550, enhanced: '5.7.1', lines: ['Go away'] }, close: true })
    }
    if (text.startsWith('<fault')) throw new Error('Directory is broken')
    return this.#answer({ kind: 'accept' })
  }

  message(peer: SmtpPeer, envelope: Envelope): Answer<Destination> {
    const { message, messageFault } = this.#habits
    this.asked += 1
    if (messageFault !== undefined) throw messageFault
    if (message?.kind === 'refuse') return this.#answer(message)
    return this.#answer({ kind: 'sink', sink: this.#sink(peer, envelope) })
  }

  #sink(peer: SmtpPeer, envelope: Envelope): OctetSink<MessageReply> {
    const pieces: Uint8Array[] = []
    const { slow, writeFault, endFault, reply } = this.#habits
    return {
      write: (octets) => {
        if (writeFault !== undefined) throw writeFault
        pieces.push(octets.slice())
        return slow === true ? turns(undefined) : undefined
      },
      end: async () => {
        if (slow === true) await turns(undefined)
        if (endFault !== undefined) throw endFault
        const final = reply ?? { code: 250, enhanced: '2.0.0', lines: ['Stored'] }
        if (final.code < 300) this.messages.push({ peer, envelope, octets: Buffer.concat(pieces) })
        return final
      },
      abort: () => {
        this.aborted += 1
      },
    }
  }

  #answer<T>(value: T): Answer<T> {
    return this.#habits.slow === true ? turns(value) : value
  }
}

function turns<T>(value: T): Promise<T> {
  return new Promise((resolve) => {
    setImmediate(resolve, value)
  })
}

const hasher: Hasher = {
  pbkdf2: (password, salt, iterations, hash) =>
    Promise.resolve(pbkdf2Sync(password, salt, iterations, hash === 'sha1' ? 20 : 32, hash)),
}

/** Counting octets: the same salts and nonces in every run. */
function random(octets: number): Uint8Array {
  return Uint8Array.from({ length: octets }, (_, index) => index + 1)
}

/** Checks logins of `mjl@example.org`, password `secret`, the real way; `busy` makes its hasher refuse. */
export async function createTestAuthenticator(options: { readonly busy?: boolean } = {}): Promise<Authenticator> {
  const derived = await deriveCredentials('secret', { iterations: 4096, cramMd5: true }, hasher, random)
  if (derived.kind !== 'derived') throw new Error('Expected credentials')
  const credentials: StoredCredentials = derived.credentials
  const busyHasher: Hasher = {
    pbkdf2: () => Promise.reject(Object.assign(new Error('Queue full'), { code: 'HASHER_BUSY' })),
  }
  return createAuthenticator({
    source: {
      find: (login) => Promise.resolve(login === 'mjl@example.org' ? { account: 'mjl', credentials } : undefined),
    },
    hasher: options.busy === true ? busyHasher : hasher,
    random,
    clock: { now: () => 1_700_000_000_000, monotonic: () => 0, timer: () => ({ cancel() {} }) },
    hostname: 'mail.example.org',
    decoySecret: new Uint8Array(32).fill(7),
    iterations: 4096,
    mechanisms: ['SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'LOGIN'],
  })
}

/** An IMAP engine over a memory store, with people of known passwords, for transcripts and properties. */
import { readFileSync } from 'node:fs'
import { createMemoryStore, type TranscriptEngine, type TranscriptHarness } from '@postern/core/conformance'
import type { Clock, ConnectionInfo, Logger } from '@postern/core/host'
import type { Authenticator, FinalStep, ServerExchange } from '@postern/core/sasl'
import type { AccountStore, MailStore, NewMessage, OpenMailbox, SpooledMessage, UidRange } from '@postern/core/store'
import { createImapServerEngine, type ImapEvent, type ImapLimits } from '../src/engine/index.ts'
import { flagSetOf } from '../src/syntax/flag.ts'

/** Sunday, 2023-09-10 12:00:00 UTC, held still. */
export const NOW_MS = 1_694_347_200_000

const stillClock: Clock = {
  now: () => NOW_MS,
  monotonic: () => 0,
  timer: () => ({ cancel() {} }),
}

/** Everyone's password is `secret`. `busy` can't be checked now. */
export const plainAuthenticator: Authenticator = {
  mechanisms: ({ secure, plainAllowed }) => (secure || plainAllowed ? ['SCRAM-SHA-256', 'PLAIN'] : ['SCRAM-SHA-256']),
  start(mechanism) {
    return mechanism.toUpperCase() === 'PLAIN' ? plainExchange() : undefined
  },
  verifyPassword: async (login, password) => check(Buffer.from(login).toString(), Buffer.from(password).toString()),
}

function plainExchange(): ServerExchange {
  return {
    async respond(message) {
      if (message === undefined) return { kind: 'challenge', message: new Uint8Array(0) }
      const [authorize, login, password] = Buffer.from(message).toString().split('\0')
      if (login === undefined || password === undefined) return { kind: 'failed', reason: 'malformed' }
      if (authorize !== '' && authorize !== login) return { kind: 'failed', reason: 'authorization', login }
      return check(login, password)
    },
  }
}

function check(login: string, password: string): FinalStep {
  if (login === 'busy') return { kind: 'failed', reason: 'busy' }
  if (password !== 'secret') return { kind: 'failed', reason: 'credentials', login }
  return { kind: 'authenticated', account: login, login }
}

/** What a test may ask for beside the engine. */
export interface ImapWorld extends TranscriptEngine {
  readonly store: MailStore
  readonly account: AccountStore
  readonly events: readonly ImapEvent[]
  readonly faults: readonly unknown[]
}

export interface ImapWorldOptions {
  readonly given?: readonly string[]
  readonly limits?: Partial<ImapLimits>
  readonly authenticator?: Authenticator
  readonly login?: (account: string) => Promise<AccountStore>
  readonly connection?: ConnectionInfo
}

const SECURE: ConnectionInfo = { tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' } }

/**
 * Starts an engine for the account `ann`. `G:` and `D:` lines:
 *
 *     plain                                 (G) a connection without TLS; STARTTLS can be had
 *     plain-allowed                         (G) the same, and passwords may be sent
 *     limit failedLogins 2                  (G) a limit of the engine
 *     create Work/Plans                     another session makes a mailbox
 *     use Sent \Sent                        the same, with a special use
 *     delete, rename, subscribe NAME        the like
 *     append INBOX 2 (\Seen work)           as many small messages
 *     deliver INBOX nested (\Seen)          `messages/nested.eml`
 *     flag INBOX 1:2 + (\Deleted)           changes flags by UID
 *     expunge INBOX                         removes what has \Deleted
 *     break                                 (D) the store fails from here on
 *     stop                                  (D) the server stops
 */
export async function startImapWorld(options: ImapWorldOptions = {}): Promise<ImapWorld> {
  const store = createMemoryStore({ clock: stillClock })
  const account = await store.createAccount('ann')
  const words = new AccountWords(account)
  let plain = false
  let plainAllowed = false
  const limits: Record<string, unknown> = { failedLoginDelayMs: 0, ...options.limits }
  for (const given of options.given ?? []) {
    const [verb, name, value] = given.split(' ')
    if (verb === 'plain' || verb === 'plain-allowed') {
      plain = true
      plainAllowed ||= verb === 'plain-allowed'
    } else if (verb === 'limit') limits[name as string] = Number(value)
    else await words.perform(given)
  }
  const events: ImapEvent[] = []
  const faults: unknown[] = []
  const engine = createImapServerEngine({
    id: 'c1',
    connection: options.connection ?? (plain ? {} : SECURE),
    hostname: 'mail.example',
    tls: plain,
    plainAllowed,
    authenticator: options.authenticator ?? plainAuthenticator,
    login: options.login ?? (async (name) => words.guarded((await store.account(name)) as AccountStore)),
    limits,
    logger: faultLogger(faults),
    onEvent: (event) => events.push(event),
  })
  return {
    engine,
    store,
    account,
    events,
    faults,
    async act(text) {
      if (text === 'stop') engine.stop()
      else await words.perform(text)
    },
    close: () => store.close(),
  }
}

export const imapHarness: TranscriptHarness = { start: (given) => startImapWorld({ given }) }

function faultLogger(faults: unknown[]): Logger {
  const logger: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (fields) => void faults.push((fields as { err?: unknown }).err),
    child: () => logger,
  }
  return logger
}

/** Performs words of transcripts on an account. */
class AccountWords {
  readonly #account: AccountStore
  #broken = false

  constructor(account: AccountStore) {
    this.#account = account
  }

  /** The account as the engine gets it: rejects everything once broken. */
  guarded(account: AccountStore): AccountStore {
    return new Proxy(account, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target)
        if (typeof value !== 'function') return value
        return (...args: unknown[]): unknown => {
          if (this.#broken && property !== 'watch') return Promise.reject(new Error('The disk is gone'))
          return (value as (...args: unknown[]) => unknown).apply(target, args)
        }
      },
    })
  }

  async perform(text: string): Promise<void> {
    const [verb, ...rest] = text.split(' ')
    const name = rest[0] ?? ''
    const account = this.#account
    switch (verb) {
      case 'break':
        this.#broken = true
        return
      case 'create':
        return void (await account.create(name))
      case 'use':
        return void (await account.create(name, { specialUse: [rest[1] as '\\Sent'] }))
      case 'delete':
        return void (await account.delete(name))
      case 'rename':
        return void (await account.rename(name, rest[1] as string))
      case 'subscribe':
        return account.setSubscribed(name, true)
      case 'append':
        for (let n = 0; n < Number(rest[1] ?? 1); n += 1) {
          await account.append(name, [await smallMessage(account, rest.slice(2).join(' '), n)])
        }
        return
      case 'deliver':
        return void (await account.append(name, [await storedMessage(account, rest[1] as string, rest.slice(2).join(' '))]))
      case 'flag':
        return this.#inMailbox(name, async (mailbox) => {
          const mode = rest[2] === '+' ? 'add' : rest[2] === '-' ? 'remove' : 'replace'
          await mailbox.storeFlags(rangesOf(rest[1] as string), { ...flagsOf(rest.slice(3).join(' ')), mode })
        })
      case 'expunge':
        return this.#inMailbox(name, async (mailbox) => void (await mailbox.expunge()))
      default:
        throw new Error(`Unknown words: ${text}`)
    }
  }

  async #inMailbox(name: string, act: (mailbox: OpenMailbox) => Promise<void>): Promise<void> {
    const mailbox = await this.#account.open(name, 'read-only')
    if (mailbox === undefined) throw new Error(`No mailbox ${name}`)
    await act(mailbox)
    mailbox.close()
  }
}

function flagsOf(text: string): ReturnType<typeof flagSetOf> {
  return flagSetOf(text.replace(/[()]/g, '').split(' ').filter(Boolean))
}

function rangesOf(text: string): readonly UidRange[] {
  return text.split(',').map((part) => {
    const [first, last = first] = part.split(':').map(Number)
    return { first, last } as UidRange
  })
}

function smallMessage(account: AccountStore, flags: string, n: number): Promise<NewMessage> {
  return newMessage(account, flags, `From: bob@example.org\r\nSubject: Letter ${n + 1}\r\n\r\nText\r\n`)
}

/** A message of the folder `messages`, its line ends made CR LF. */
function storedMessage(account: AccountStore, name: string, flags: string): Promise<NewMessage> {
  const text = readFileSync(new URL(`./messages/${name}.eml`, import.meta.url), 'utf8')
  return newMessage(account, flags, text.replaceAll(/\r?\n/g, '\r\n'))
}

async function newMessage(account: AccountStore, flags: string, text: string): Promise<NewMessage> {
  const spool = account.spool()
  await spool.write(Buffer.from(text))
  const message: SpooledMessage = await spool.end()
  return { message, ...flagsOf(flags), internalDate: { seconds: NOW_MS / 1000, zoneMinutes: 0 } }
}

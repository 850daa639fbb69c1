/**
 * The facts of one conversation: who is logged in, which mailbox is selected, what is protected. Commands ask it and
 * call its verbs; its state follows from the facts.
 */
import { WireSyntaxError } from '@postern/core/conversation'
import type { ConnectionInfo, TlsInfo } from '@postern/core/host'
import type { Authenticator } from '@postern/core/sasl'
import type { AccountStore, OpenMailbox, UidRanges } from '@postern/core/store'
import type { Completion } from '../responses/completion.ts'
import { resolveSequenceNumbers, resolveUids, type SequenceSet } from '../syntax/sequence-set.ts'
import { listCapabilities } from './capabilities.ts'
import type { State } from './states.ts'
import { View } from './view.ts'

/** What a host gives to a conversation. */
export interface SessionServices {
  /** Unique in the process. */
  readonly id: string
  readonly connection: ConnectionInfo
  /** Name of this server, told to clients. */
  readonly hostname: string
  /** STARTTLS can be had. */
  readonly tls: boolean
  /** Passwords may be sent without TLS. */
  readonly plainAllowed: boolean
  readonly authenticator: Authenticator
  /** Opens the mail of an account that has logged in. */
  readonly login: (account: string) => Promise<AccountStore>
  readonly limits: SessionLimits
  /** Told, not asked; must not throw. */
  readonly onEvent?: (event: ImapEvent) => void
}

/** Limits that commands keep. */
export interface SessionLimits {
  /** Largest message APPEND takes. */
  readonly messageOctets: number
  /** Failed logins before the connection is closed. */
  readonly failedLogins: number
  /** Wait before the answer to a failed login, times the failures so far. */
  readonly failedLoginDelayMs: number
}

/** Something a host may want to record. */
export type ImapEvent =
  | {
      readonly kind: 'login'
      readonly id: string
      readonly connection: ConnectionInfo
      readonly result: 'ok' | 'bad'
      /** Name as far as it was understood. */
      readonly login: string | undefined
      readonly account?: string
      /** SASL mechanism, or `LOGIN` for the command. */
      readonly mechanism: string
    }
  /** A command was answered; without a verb it was none, or was refused at a literal. */
  | { readonly kind: 'command'; readonly id: string; readonly verb: string | undefined; readonly status: Completion['status'] }
  /** What a client says of itself. Values are the client's: data, never to be trusted. RFC 2971 */
  | { readonly kind: 'client'; readonly id: string; readonly fields: ReadonlyMap<string, string> }

/** One conversation. */
export class Session {
  readonly services: SessionServices
  /** Failed logins so far. */
  failedLogins = 0
  /** Something was committed in the account since the client was last told. */
  noticed = false
  #connection: ConnectionInfo
  #account: AccountStore | undefined
  #view: View | undefined
  #unwatch: (() => void) | undefined
  #over = false
  readonly #onNotice: () => void

  /** @param onNotice called, at any time, when something was committed in the account */
  constructor(services: SessionServices, onNotice: () => void) {
    this.services = services
    this.#connection = services.connection
    this.#onNotice = onNotice
  }

  get state(): State {
    if (this.#over) return 'logout'
    if (this.#account === undefined) return 'not-authenticated'
    return this.#view === undefined ? 'authenticated' : 'selected'
  }

  get connection(): ConnectionInfo {
    return this.#connection
  }

  get secure(): boolean {
    return this.#connection.tls !== undefined
  }

  get canStartTls(): boolean {
    return this.services.tls && !this.secure
  }

  /** Whether a password may be sent as it is. RFC 3501 §11.1 */
  get passwordsAllowed(): boolean {
    return this.secure || this.services.plainAllowed
  }

  /** SASL mechanisms offered now. */
  get mechanisms(): readonly string[] {
    return this.services.authenticator.mechanisms({ secure: this.secure, plainAllowed: this.services.plainAllowed })
  }

  get capabilities(): readonly string[] {
    return listCapabilities(this)
  }

  /** The mail of whoever is logged in. Only commands of the authenticated state may ask. */
  get account(): AccountStore {
    if (this.#account === undefined) throw new Error('Nobody is logged in')
    return this.#account
  }

  /** The selected mailbox as the client knows it. Only commands of the selected state may ask. */
  get view(): View {
    if (this.#view === undefined) throw new Error('No mailbox is selected')
    return this.#view
  }

  /** The selected mailbox, if any. */
  get selected(): View | undefined {
    return this.#view
  }

  /** The selected mailbox in the store. */
  get mailbox(): OpenMailbox {
    return this.view.mailbox
  }

  /**
   * UIDs of the messages a client means, each once, ascending.
   * @param uid the set holds UIDs, of which unknown ones are passed over
   * @throws WireSyntaxError when a sequence number is beyond the mailbox (BAD; RFC 3501 §9, seq-number)
   */
  resolve(set: SequenceSet, uid: boolean): UidRanges {
    if (uid) return resolveUids(set, this.view.uids)
    const ranges = resolveSequenceNumbers(set, this.view.uids)
    if (ranges === undefined) throw new WireSyntaxError('no-such-message', 'sequence numbers in the mailbox', 0)
    return ranges
  }

  /** TLS protects the connection from here on. */
  startedTls(tls: TlsInfo): void {
    this.#connection = { ...this.#connection, tls }
  }

  /** Somebody has logged in. */
  enter(account: AccountStore): void {
    if (this.#over) return
    this.#account = account
    this.#unwatch = account.watch(() => {
      this.noticed = true
      this.#onNotice()
    })
  }

  /**
   * Leaves the selected mailbox, if any, and opens another.
   * @returns undefined, nothing selected, when there is none of that name
   */
  async select(name: string, mode: 'read-write' | 'read-only'): Promise<View | undefined> {
    this.unselect()
    this.noticed = false
    const mailbox = await this.account.open(name, mode)
    if (mailbox === undefined) return undefined
    const view = new View(mailbox, mode === 'read-only')
    // The peer may have gone while the mailbox was opened.
    if (this.#over) mailbox.close()
    else this.#view = view
    return view
  }

  /** Leaves the selected mailbox, if any. */
  unselect(): void {
    this.#view?.mailbox.close()
    this.#view = undefined
  }

  /** The conversation is over: lets go of everything. Idempotent. */
  end(): void {
    this.#over = true
    this.unselect()
    this.#unwatch?.()
    this.#unwatch = undefined
  }
}

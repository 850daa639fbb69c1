/**
 * Facts of one conversation that commands read and change. Not here: its state and its octets, which are the engine's.
 */
import type { ConnectionInfo, TlsInfo } from '@postern/core/host'
import type { MailParameters, SmtpPeer } from './backend.ts'
import type { SessionSettings } from './settings.ts'
import { Transaction } from './transaction.ts'

export class Session {
  readonly settings: SessionSettings
  /** The open transaction: there is one in states `mail`, `rcpt` and `chunks`. */
  transaction: Transaction | undefined
  /** Failed logins since the last good one. */
  authFailures = 0
  /** Transactions whose data came and was refused, and those that were accepted. */
  failedTransactions = 0
  acceptedTransactions = 0
  #peer: SmtpPeer
  #isSlowed = false

  constructor(settings: SessionSettings, connection: ConnectionInfo) {
    this.settings = settings
    this.#peer = {
      id: settings.id,
      mode: settings.mode,
      connection,
      helo: undefined,
      extended: false,
      account: undefined,
      login: undefined,
    }
  }

  /** The peer as the host sees it: a value that doesn't change; a fresh one after each change. */
  get peer(): SmtpPeer {
    return this.#peer
  }

  get isSecure(): boolean {
    return this.#peer.connection.tls !== undefined
  }

  get isAuthenticated(): boolean {
    return this.#peer.account !== undefined
  }

  /** Whether replies are to leave slowly: the host wants it so, or too many logins failed; a good one ends that. */
  get isSlow(): boolean {
    const { slowPauseMs, authFailuresBeforeSlow } = this.settings.limits
    return slowPauseMs > 0 && (this.#isSlowed || this.authFailures >= authFailuresBeforeSlow)
  }

  /** The host wants the peer to be served slowly, to the end. */
  slowDown(): void {
    this.#isSlowed = true
  }

  /** EHLO or HELO was accepted. @param helo undefined when what was given names nothing */
  greet(helo: string | undefined, extended: boolean): void {
    this.#peer = { ...this.#peer, helo, extended }
  }

  authenticate(account: string, login: string): void {
    this.authFailures = 0
    this.#peer = { ...this.#peer, account, login }
  }

  /** TLS has begun: nothing the peer said before holds any more. RFC 3207 §4.2 */
  secure(tls: TlsInfo): void {
    this.reset()
    const connection = { ...this.#peer.connection, tls }
    this.#peer = { ...this.#peer, connection, helo: undefined, extended: false, account: undefined, login: undefined }
  }

  /** MAIL was accepted. */
  begin(mail: MailParameters): void {
    this.transaction = new Transaction(mail)
  }

  /** The transaction is over, whatever came of it; a message in chunks whose last one has not come is given up. */
  reset(): void {
    this.transaction?.message?.abort(new Error('Transaction over before the message'))
    this.transaction = undefined
  }
}

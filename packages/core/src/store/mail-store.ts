/** The whole store: its accounts, their credentials, and messages on their way in. */
import type { ReportStore } from '../reports/index.ts'
import type { AccountStore } from './account.ts'
import type { Spool } from './blob.ts'
import type { FilingPolicy } from './reception.ts'

/**
 * What a host hands to `createMailServer({ store })`: LMDB by default, memory when asked for, or one's own that
 * passes the conformance suite.
 */
export interface MailStore {
  readonly info: {
    readonly engine: string
    /** Several processes may serve it at once. */
    readonly shared: boolean
    /** `commit`: what was resolved survives power loss. */
    readonly durable: 'commit' | 'never'
  }
  accounts(): Promise<readonly string[]>
  account(name: string): Promise<AccountStore | undefined>
  /** Creates an account with an inbox. Rejects with `StoreError` STORE_EXISTS when the name is taken. */
  createAccount(name: string): Promise<AccountStore>
  removeAccount(name: string): Promise<boolean>
  /** Octets kept for an account under `kind`, as `saveSecret` stored them: derived credentials, never passwords. */
  secret(account: string, kind: string): Promise<Uint8Array | undefined>
  /** Stores or, with `undefined`, removes. At most 4,000 octets. */
  saveSecret(account: string, kind: string, octets: Uint8Array | undefined): Promise<void>
  /** What owners want done with messages that get a place: asked for at each change, by name of the account. Default: nothing. */
  usePolicy(policyOf: (account: string) => FilingPolicy | undefined): void
  /** Reports about our domains, of no account. Reading them still works when no mail can be taken. */
  readonly reports: ReportStore
  /** Calls `listener` with an account's name after commits that left something to learn there. @returns stops it */
  watchTraining(listener: (account: string) => void): () => void
  /** Takes in the octets of a message that may be appended to any account. */
  spool(): Spool
  /** Whether new mail can be taken: false under the reserve of disk space, or after a commit failed. */
  readonly accepting: boolean
  /** Waits for what is under way, then closes. Idempotent. */
  close(): Promise<void>
}

/** Why a store could not do what it was asked: a condition of the machine, not of the request. */
export type StoreErrorCode =
  /** Disk under its reserve, or full: 452, [UNAVAILABLE]. Reading and deleting still work. */
  | 'STORE_FULL'
  /** Too much waiting: 451, [UNAVAILABLE]. */
  | 'STORE_BUSY'
  /** A commit failed with space free: no more writes until restart. */
  | 'STORE_FAILED'
  /** A record does not carry its checksum. */
  | 'STORE_CORRUPT'
  /** Another process has it open. */
  | 'STORE_LOCKED'
  /** A newer version wrote it. */
  | 'STORE_FORMAT'
  /** It was put here from elsewhere without being restored. */
  | 'STORE_COPIED'
  | 'STORE_CLOSED'
  | 'STORE_EXISTS'

/** Thrown by every part of a store; test `code`. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, text: string, options?: { cause?: unknown }) {
    super(text, options)
    this.code = code
  }
}

/** Accounts: the ones of the configuration brought into the store, others added while the server runs. */
import { deriveCredentials, encodeCredentials, type Hasher } from '@postern/core/sasl'
import { accountSchema, addressOf, checkDirectory, createDirectory, domainSchema, type Directory, type DirectoryConfig } from '@postern/core/directory'
import type { Clock, Random } from '@postern/core/host'
import { Flag, FLAG_NAMES, type AccountStore, type FlagSet, type MailStore, type SpecialUse } from '@postern/core/store'
import type { Account, Accounts } from './mail-server.ts'
import type { RetrainOptions, RetrainReport } from './junk-retrain.ts'
import { MailServerError } from './mail-server-error.ts'
import { writeMessage, type MessageInput } from './message-input.ts'

/** Mailboxes a new account starts with, all subscribed. RFC 6154 §2 */
const FIRST_MAILBOXES: readonly { readonly name: string; readonly specialUse: readonly SpecialUse[] }[] = [
  { name: 'Archive', specialUse: ['\\Archive'] },
  { name: 'Drafts', specialUse: ['\\Drafts'] },
  { name: 'Junk', specialUse: ['\\Junk'] },
  { name: 'Sent', specialUse: ['\\Sent'] },
  { name: 'Trash', specialUse: ['\\Trash'] },
]

/** Key under which the store keeps an account's credentials. */
export const CREDENTIALS = 'credentials'

export interface AccountHost {
  readonly store: MailStore
  readonly hasher: Hasher
  readonly random: Random
  readonly clock: Clock
  readonly hostname: string
  /** All our names: postmaster at them is ours. */
  readonly hostnames: readonly string[]
  readonly legacyMechanisms: boolean
  readonly iterations?: number
  /** Makes an account's counts of words anew; undefined: there is no such account. */
  readonly retrain: (account: string, options: RetrainOptions) => Promise<RetrainReport | undefined>
}

/** The accounts of a running server, and who owns which address. */
export class ServerAccounts implements Accounts {
  readonly #host: AccountHost
  #config: DirectoryConfig
  #directory: Directory

  constructor(config: DirectoryConfig, host: AccountHost) {
    this.#config = config
    this.#host = host
    this.#directory = createDirectory(config, host)
  }

  /** Always the newest: asked anew for every recipient. */
  get directory(): Directory {
    return this.#directory
  }

  /** Brings the configured accounts into the store. */
  async prepare(): Promise<void> {
    const known = new Set(await this.#host.store.accounts())
    for (const name of Object.keys(this.#config.accounts)) {
      if (!known.has(name)) await this.#create(name)
    }
  }

  list(): Promise<readonly string[]> {
    return this.#host.store.accounts()
  }

  async get(name: string): Promise<Account | undefined> {
    const store = await this.#host.store.account(name)
    return store === undefined ? undefined : new ServerAccount(store, this.#host)
  }

  async add(name: string, address: string, options: { readonly password?: string } = {}): Promise<Account> {
    const listed = addressOf(address)
    if (name === '' || name === '__proto__' || listed === undefined) throw new MailServerError('ADDRESS_INVALID', `${JSON.stringify(address)} is not an address`)
    if ((await this.#host.store.account(name)) !== undefined) throw new MailServerError('ACCOUNT_EXISTS', `There is an account ${name} already`)
    const config: DirectoryConfig = {
      ...this.#config,
      domains: Object.hasOwn(this.#config.domains, listed.domain.unicode) ? this.#config.domains : { ...this.#config.domains, [listed.domain.unicode]: domainSchema.parse({}) },
      accounts: { ...this.#config.accounts, [name]: accountSchema.parse({ addresses: [address] }) },
    }
    const issue = checkDirectory(config)[0]
    if (issue !== undefined) throw new MailServerError('ADDRESS_INVALID', `${address}: ${issue.text}`)
    const store = await this.#create(name)
    const account = new ServerAccount(store, this.#host)
    if (options.password !== undefined) await account.setPassword(options.password)
    // Mail is taken only once there is a place for it.
    this.#config = config
    this.#directory = createDirectory(config, this.#host)
    return account
  }

  async remove(name: string): Promise<boolean> {
    const accounts = { ...this.#config.accounts }
    delete accounts[name]
    this.#config = { ...this.#config, accounts }
    this.#directory = createDirectory(this.#config, this.#host)
    return this.#host.store.removeAccount(name)
  }

  async #create(name: string): Promise<AccountStore> {
    const store = await this.#host.store.createAccount(name)
    await store.setSubscribed('INBOX', true)
    for (const { name: mailbox, specialUse } of FIRST_MAILBOXES) {
      await store.create(mailbox, { specialUse })
      await store.setSubscribed(mailbox, true)
    }
    return store
  }
}

class ServerAccount implements Account {
  readonly #store: AccountStore
  readonly #host: AccountHost

  constructor(store: AccountStore, host: AccountHost) {
    this.#store = store
    this.#host = host
  }

  get name(): string {
    return this.#store.name
  }

  async setPassword(password: string): Promise<void> {
    const { hasher, random, store, legacyMechanisms, iterations } = this.#host
    const derived = await deriveCredentials(password, { scramSha1: legacyMechanisms, cramMd5: legacyMechanisms, ...(iterations === undefined ? {} : { iterations }) }, hasher, random)
    if (derived.kind === 'refused') throw new MailServerError('PASSWORD_INVALID', `The password can't be taken: ${derived.fault}`)
    await store.saveSecret(this.name, CREDENTIALS, encodeCredentials(derived.credentials))
  }

  async retrain(options: Pick<RetrainOptions, 'onProgress' | 'signal'> = {}): Promise<RetrainReport> {
    const report = await this.#host.retrain(this.name, options)
    if (report === undefined) throw new MailServerError('NO_SUCH_ACCOUNT', `There is no account ${this.name}`)
    return report
  }

  async mailboxes(): Promise<readonly { readonly name: string; readonly unseen: number; readonly total: number }[]> {
    const mailboxes = await this.#store.mailboxes()
    const statuses = await this.#store.status(mailboxes.map(({ id }) => id))
    return mailboxes.flatMap(({ name }, at) => {
      const status = statuses[at]
      return status === undefined ? [] : [{ name, unseen: status.unseen, total: status.messages }]
    })
  }

  async append(mailbox: string, message: MessageInput, options: { readonly flags?: readonly string[]; readonly date?: Date } = {}): Promise<{ readonly uid: number; readonly modseq: number }> {
    const { clock, hostname, random } = this.#host
    const spooled = await writeMessage(message, this.#store.spool(), { hostname, random, now: clock.now() })
    try {
      const internalDate = options.date === undefined ? {} : { internalDate: { seconds: Math.floor(options.date.getTime() / 1000), zoneMinutes: 0 } }
      const result = await this.#store.append(mailbox, [{ message: spooled, ...flagSetOf(options.flags ?? []), ...internalDate }])
      if (result.kind === 'no-such-mailbox') throw new MailServerError('NO_SUCH_MAILBOX', `There is no mailbox ${JSON.stringify(mailbox)}`)
      return { uid: result.uids.first, modseq: result.modseq }
    } finally {
      spooled.release()
    }
  }
}

/** Flags by name, known ones as bits. */
function flagSetOf(names: readonly string[]): FlagSet {
  let flags = 0
  const keywords: string[] = []
  for (const name of names) {
    const bit = FLAG_NAMES.findIndex((known) => known.toLowerCase() === name.toLowerCase())
    if (bit >= 0) flags |= 1 << bit
    else if (name.startsWith('\\')) throw new MailServerError('MESSAGE_INVALID', `There is no system flag ${name}; known: ${Object.keys(Flag).join(', ')}`)
    else keywords.push(name)
  }
  return { flags, keywords }
}

/** One mail transaction from MAIL to the end of its data. RFC 5321 §3.3 */
import type { ForwardPath } from '@postern/core/address'
import type { Envelope, MailParameters, RecipientOptions } from './backend.ts'
import type { IncomingMessage } from './incoming-message.ts'

export class Transaction {
  readonly mail: MailParameters
  /** The message, when it comes in chunks, from the first of them on. */
  message: IncomingMessage | undefined
  readonly #recipients: ForwardPath[] = []
  readonly #options: RecipientOptions[] = []

  constructor(mail: MailParameters) {
    this.mail = mail
  }

  get recipientCount(): number {
    return this.#recipients.length
  }

  /** Adds an accepted recipient; one named twice is there twice, as the sender was told. */
  add(recipient: ForwardPath, options: RecipientOptions): void {
    this.#recipients.push(recipient)
    this.#options.push(options)
  }

  /** The transaction as it stands; later recipients don't change it. */
  envelope(): Envelope {
    const { reversePath, sizeOctets, body, smtputf8, dsn } = this.mail
    const envelope: Envelope = { reversePath, sizeOctets, body, smtputf8, recipients: [...this.#recipients] }
    const hasOptions = this.#options.some((options) => Object.keys(options).length > 0)
    if (dsn === undefined && !hasOptions) return envelope
    return { ...envelope, ...(dsn === undefined ? {} : { dsn }), ...(hasOptions ? { recipientOptions: [...this.#options] } : {}) }
  }
}

/** One mail transaction from MAIL to the end of its data. RFC 5321 §3.3 */
import type { ForwardPath } from '@postern/core/address'
import type { Envelope, MailParameters } from './backend.ts'

export class Transaction {
  readonly mail: MailParameters
  readonly #recipients: ForwardPath[] = []

  constructor(mail: MailParameters) {
    this.mail = mail
  }

  get recipientCount(): number {
    return this.#recipients.length
  }

  /** Adds an accepted recipient; one named twice is there twice, as the sender was told. */
  add(recipient: ForwardPath): void {
    this.#recipients.push(recipient)
  }

  /** The transaction as it stands; later recipients don't change it. */
  envelope(): Envelope {
    return { ...this.mail, recipients: [...this.#recipients] }
  }
}

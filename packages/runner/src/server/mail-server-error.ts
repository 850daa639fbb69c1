/** A request that can't be met; test `code`. */
export class MailServerError extends Error {
  override readonly name = 'MailServerError'
  readonly code: 'ACCOUNT_EXISTS' | 'ADDRESS_INVALID' | 'PASSWORD_INVALID' | 'NO_SUCH_MAILBOX' | 'NO_SUCH_ACCOUNT' | 'NOT_OPEN' | 'MESSAGE_INVALID' | 'LISTEN_FAILED' | 'COUNTS_INVALID'

  constructor(code: MailServerError['code'], text: string, options?: { cause?: unknown }) {
    super(text, options)
    this.code = code
  }
}

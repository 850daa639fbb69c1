/** A message into mailboxes as if received by SMTP: the backend's questions without a conversation. */
import { AddressSyntaxError, parseForwardPath, parseReversePath, type ForwardPath, type ReversePath } from '@postern/core/address'
import { StoreError } from '@postern/core/store'
import type { Reply, SmtpBackend, SmtpPeer } from '@postern/smtp/server'
import type { SmtpReply } from './mail-server.ts'
import { MailServerError } from './mail-server-error.ts'
import { writeMessage, type Composing, type MessageInput } from './message-input.ts'
import { replyToStoreError } from './smtp-backend.ts'

/** Sender and recipients as text; a sender of `null` is the null reverse-path. */
export interface TextEnvelope {
  readonly from: string | null
  readonly to: readonly string[]
  /** Where it came from, when the sender is to be looked into; without it the host application vouches for the message. */
  readonly remoteIp?: string
}

/** Rejects with `MailServerError` ADDRESS_INVALID or MESSAGE_INVALID. @returns what a remote server would have been told */
export async function receiveMessage(message: MessageInput, envelope: TextEnvelope, backend: SmtpBackend, host: Composing & { readonly id: string }): Promise<SmtpReply> {
  const { reversePath, recipients } = pathsOf(envelope)
  const peer: SmtpPeer = {
    id: host.id,
    mode: 'mx',
    connection: envelope.remoteIp === undefined ? {} : { remoteAddress: envelope.remoteIp },
    helo: host.hostname,
    extended: true,
    account: undefined,
    login: undefined,
  }
  const mail = { reversePath, sizeOctets: undefined, body: '8BITMIME' as const, smtputf8: true }
  try {
    const fromVerdict = await backend.mailFrom?.(peer, mail)
    if (fromVerdict?.kind === 'refuse') return replyText(fromVerdict.reply)
    for (const recipient of recipients) {
      const verdict = await backend.rcptTo(peer, mail, recipient)
      if (verdict.kind === 'refuse') return replyText(verdict.reply)
    }
    const target = await backend.message(peer, { ...mail, recipients })
    return replyText(target.kind === 'refuse' ? target.reply : await writeMessage(message, target.sink, host))
  } catch (error) {
    if (error instanceof StoreError) return replyText(replyToStoreError(error))
    throw error
  }
}

function pathsOf(envelope: TextEnvelope): { readonly reversePath: ReversePath; readonly recipients: readonly ForwardPath[] } {
  if (envelope.to.length === 0) throw new MailServerError('ADDRESS_INVALID', 'An envelope needs a recipient')
  try {
    return {
      reversePath: parseReversePath(`<${envelope.from ?? ''}>`, { utf8: true }),
      recipients: envelope.to.map((to) => parseForwardPath(`<${to}>`, { utf8: true })),
    }
  } catch (error) {
    if (error instanceof AddressSyntaxError) throw new MailServerError('ADDRESS_INVALID', `Not an address: ${error.message}`, { cause: error })
    throw error
  }
}

function replyText(reply: Reply): SmtpReply {
  return { code: reply.code, ...(reply.enhanced === undefined ? {} : { enhanced: reply.enhanced }), text: reply.lines.join(' ') }
}

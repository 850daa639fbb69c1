/** A message as an embedder gives it: raw, or in parts to be composed. */
import { AddressSyntaxError, parseAddress } from '@postern/core/address'
import { ComposeError, composeMessage, createMessageId, decodeAddressList, type Attachment, type Mailbox } from '@postern/core/message'
import type { OctetSink, Random } from '@postern/core/host'
import { MailServerError } from './mail-server-error.ts'

/** Octets of a message: whole, as text (UTF-8), or as they come. */
export type MessageSource = Uint8Array | string | AsyncIterable<Uint8Array>

/** A message: `raw` with CR LF line ends, or parts that are composed into one. */
export type MessageInput =
  | { readonly raw: MessageSource }
  | {
      /** `ada@example.org` or `Ada <ada@example.org>`. */
      readonly from: string
      readonly to: string | readonly string[]
      readonly cc?: string | readonly string[]
      readonly subject?: string
      readonly text?: string
      readonly html?: string
      /** Further fields as unstructured text. */
      readonly headers?: readonly (readonly [name: string, value: string])[]
      readonly attachments?: readonly Attachment[]
    }

/** What composing needs of the server. */
export interface Composing {
  readonly hostname: string
  readonly random: Random
  /** Milliseconds since 1970. */
  readonly now: number
}

/** LIMIT: octets handed to a sink at once. */
const PIECE_OCTETS = 65_536

/**
 * Writes a message into a sink and ends it; aborts the sink when the source fails. Rejects with `MailServerError`
 * MESSAGE_INVALID when the parts can't be composed, and with whatever the source or the sink throws.
 */
export async function writeMessage<R>(message: MessageInput, sink: OctetSink<R>, composing: Composing): Promise<R> {
  const pieces = piecesOf(message, composing)
  for (;;) {
    let piece: IteratorResult<Uint8Array>
    try {
      piece = await pieces.next()
    } catch (error) {
      sink.abort(error)
      throw error
    }
    if (piece.done === true) return sink.end()
    await sink.write(piece.value)
  }
}

async function* piecesOf(message: MessageInput, composing: Composing): AsyncGenerator<Uint8Array> {
  const source = 'raw' in message ? message.raw : compose(message, composing)
  if (typeof source !== 'string' && !(source instanceof Uint8Array)) return yield* source
  const octets = typeof source === 'string' ? new TextEncoder().encode(source) : source
  for (let at = 0; at < octets.length; at += PIECE_OCTETS) yield octets.subarray(at, at + PIECE_OCTETS)
}

function compose(message: Exclude<MessageInput, { readonly raw: MessageSource }>, { hostname, random, now }: Composing): Uint8Array {
  const { from, to, cc, subject = '', text, html, headers, attachments } = message
  const [author] = mailboxesOf(from)
  if (author === undefined) throw new MailServerError('MESSAGE_INVALID', `${JSON.stringify(from)} is no address to write From with`)
  try {
    return composeMessage(
      {
        from: author,
        to: mailboxesOf(to),
        subject,
        date: { seconds: Math.floor(now / 1000), zoneMinutes: 0 },
        messageId: createMessageId(random, hostname),
        ...(cc === undefined ? {} : { cc: mailboxesOf(cc) }),
        ...(text === undefined ? {} : { text }),
        ...(html === undefined ? {} : { html }),
        ...(headers === undefined ? {} : { headers }),
        ...(attachments === undefined ? {} : { attachments }),
      },
      random,
    )
  } catch (error) {
    if (error instanceof ComposeError) throw new MailServerError('MESSAGE_INVALID', error.message, { cause: error })
    throw error
  }
}

/** Addresses with names, as people write them into an address field. */
function mailboxesOf(texts: string | readonly string[]): readonly Mailbox[] {
  const encoder = new TextEncoder()
  return (typeof texts === 'string' ? [texts] : texts).flatMap((text) =>
    decodeAddressList(encoder.encode(text)).flatMap((entry) => {
      if (entry.kind !== 'mailbox') return []
      try {
        const address = parseAddress(entry.address, { utf8: true })
        return [{ address, ...(entry.name === undefined ? {} : { name: entry.name }) }]
      } catch (error) {
        if (!(error instanceof AddressSyntaxError)) throw error
        throw new MailServerError('MESSAGE_INVALID', `${JSON.stringify(text)} is no address`, { cause: error })
      }
    }),
  )
}

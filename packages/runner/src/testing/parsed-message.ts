/** A mail as a test looks at it: decoded. Made with mailparser, which is for eyes, never in the way of mail. */
import { simpleParser } from 'mailparser'

export interface ParsedMessage {
  readonly uid: number
  readonly mailbox: string
  /** Address of the first author, or ''. */
  readonly from: string
  /** Addresses of To and Cc. */
  readonly to: readonly string[]
  readonly subject: string
  readonly text?: string
  readonly html?: string
  /** By name in lower case; each value unfolded and undecoded. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly attachments: readonly { readonly filename?: string; readonly contentType: string; readonly content: Uint8Array }[]
  /** The whole message as stored. */
  readonly raw: Uint8Array
}

export async function parseMessage(raw: Uint8Array, place: { readonly uid: number; readonly mailbox: string }): Promise<ParsedMessage> {
  const mail = await simpleParser(Buffer.from(raw), { skipTextToHtml: true, skipHtmlToText: true })
  const headers = new Map<string, string[]>()
  for (const { key, line } of mail.headerLines) {
    const value = line.slice(line.indexOf(':') + 1).replace(/\r?\n(?=[ \t])/g, '').trim()
    const values = headers.get(key)
    if (values === undefined) headers.set(key, [value])
    else values.push(value)
  }
  return {
    ...place,
    from: mail.from?.value[0]?.address ?? '',
    to: [mail.to ?? [], mail.cc ?? []].flat().flatMap(({ value }) => value.flatMap(({ address }) => (address === undefined ? [] : [address]))),
    subject: mail.subject ?? '',
    ...(mail.text === undefined ? {} : { text: mail.text }),
    ...(typeof mail.html === 'string' ? { html: mail.html } : {}),
    headers,
    attachments: mail.attachments.map(({ filename, contentType, content }) => ({
      ...(filename === undefined ? {} : { filename }),
      contentType,
      content: new Uint8Array(content),
    })),
    raw,
  }
}

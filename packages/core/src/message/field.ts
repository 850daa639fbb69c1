/**
 * Values of header fields as text: unfolded, encoded words decoded. RFC 5322 §2.2, §3.2.5, RFC 2047
 * Not here: finding fields in a header, and fields with parameters.
 */
import { type AddressEntry, parseAddressList } from './address-list.ts'
import type { Work } from './address-tokens.ts'
import { decodeUnlabelled } from './charset.ts'
import { decodeEncodedWords } from './encoded-word.ts'

/** An entry of an address field as text for people and searches. */
export type AddressText =
  | {
      readonly kind: 'mailbox'
      readonly name: string | undefined
      /** Decoded: `localpart@domain` without quotes; the localpart alone when there is no domain. */
      readonly address: string
    }
  | { readonly kind: 'group-start'; readonly name: string }
  | { readonly kind: 'group-end' }

/**
 * Text of an unstructured field (Subject, Comments, any unknown one), trimmed. RFC 5322 §3.2.5
 * @param work counts octets looked at
 */
export function decodeUnstructured(value: Uint8Array, work?: Work): string {
  return decodeEncodedWords(value, work).trim()
}

/**
 * Text of an address field. Names are decoded after the list was cut, so that no encoded comma or bracket makes an
 * address.
 * @param options as of `parseAddressList`
 */
export function decodeAddressList(
  value: Uint8Array,
  options: { readonly maxEntries?: number; readonly work?: Work } = {},
): AddressText[] {
  return parseAddressList(value, options).map((entry) => textOfEntry(entry, options.work))
}

function textOfEntry(entry: AddressEntry, work: Work | undefined): AddressText {
  switch (entry.kind) {
    case 'mailbox': {
      const localpart = decodeUnlabelled(entry.localpart)
      const address = entry.domain.length === 0 ? localpart : `${localpart}@${decodeUnlabelled(entry.domain)}`
      const name = entry.name === undefined ? undefined : decodeEncodedWords(entry.name, work)
      return { kind: 'mailbox', name, address }
    }
    case 'group-start':
      return { kind: 'group-start', name: decodeEncodedWords(entry.name, work) }
    case 'group-end':
      return entry
  }
}

export type { AddressEntry } from './address-list.ts'
export { parseAddressList } from './address-list.ts'
export type { Work } from './address-tokens.ts'
export { formatBodyStructure } from './body-structure.ts'
export type { CharsetDecoder } from './charset.ts'
export { createCharsetDecoder, decodeCharset, decodeUnlabelled, isKnownCharset } from './charset.ts'
export type { Attachment, Draft } from './compose.ts'
export { composeMessage } from './compose.ts'
export type { ComposeErrorCode, Mailbox } from './compose-field.ts'
export { ComposeError, formatAddressField, formatField, formatParameter, formatTextField } from './compose-field.ts'
export type { MailDate } from './date.ts'
export { formatDate, parseDate } from './date.ts'
export { decodeEncodedWords, encodeEncodedWords } from './encoded-word.ts'
export { formatEnvelope } from './envelope.ts'
export type { AddressText } from './field.ts'
export { decodeAddressList, decodeUnstructured } from './field.ts'
export type { HeaderField } from './header.ts'
export {
  countFields,
  FieldNames,
  findFields,
  readField,
  readFields,
  selectFields,
  unfold,
  unfoldValue,
} from './header.ts'
export type { ListedMessage } from './list-record.ts'
export { createListRecord, LISTED_FIELD_NAMES, LISTED_FIELDS } from './list-record.ts'
export type { Disposition, MediaType } from './media-field.ts'
export { parseDisposition, parseMediaType } from './media-field.ts'
export { createMessageId, parseMessageIds } from './message-id.ts'
export type { Parameters } from './parameters.ts'
export type { StructureScanner } from './parts.ts'
export { createStructureScanner, parseStructure } from './parts.ts'
export type { OctetRange, SectionText } from './section.ts'
export { selectPart, selectSection } from './section.ts'
export { shiftStructure } from './shift-structure.ts'
export type { EnvelopeFields, MessageStructure, Part } from './structure.ts'
export type { TransferDecoder } from './transfer-encoding.ts'
export { createTransferDecoder, decodeTransfer, encodeBase64, encodeQuotedPrintable } from './transfer-encoding.ts'

/**
 * What never changes about a message, made ready before the change that stores it, and put within it: list, structure,
 * body, and the entry by Message-ID from which threads are made. Not here: its place in a mailbox.
 */
import type { EnvelopeFields } from '@postern/core/message'
import type { InternalDate, ListRecord, NewMessage, SpooledMessage } from '@postern/core/store'
import { layOutMessage } from '@postern/core/store'
import { INLINE_OCTETS, chunkSpan, countChunks, encodeChunk, firstChunkOctets } from './body-chunks.ts'
import type { AccountKeys } from './account-keys.ts'
import type { BlobOwner } from './blob-keys.ts'
import { MessagePart } from './account-keys.ts'
import { encodeList } from './list-codec.ts'
import type { MessageIdEntry } from './message-records.ts'
import { decodeMessageIds, encodeMessageIds } from './message-records.ts'
import { ODD_ZONE, zoneToQuarters } from './pages.ts'
import { encodeStructure } from './structure-codec.ts'
import type { BodyPlace } from './structure-codec.ts'
import type { Transaction } from './transaction.ts'

const PIECE_OCTETS = 65_536
/**
 * LIMIT: octets that travel in one commit when several messages are appended at once; the bodies of more go to files.
 */
const MAX_INLINE_TOTAL_OCTETS = 16 * 1_048_576
/** LIMIT: Message-IDs are looked up by hash; only what a sane program writes is one. */
const MAX_MESSAGE_ID_OCTETS = 998

/** Where messages too large for the account's keys go, durable before the account refers to them. */
export interface BlobPlace {
  /** Keeps the message's octets for these owners. @returns the blob's id */
  keep(message: SpooledMessage, owners: readonly BlobOwner[]): Promise<Uint8Array>
  /** Octets `[from, to)`; undefined when there is no such blob. @param to at most 65,536 after `from` */
  read(id: Uint8Array, from: number, to: number): Promise<Uint8Array | undefined>
}

/** A message ready to be put. */
export interface PreparedMessage {
  readonly sizeOctets: number
  readonly zoneQuarters: number
  readonly list: ListRecord
  /** Values of the body's chunks; none when it lies in a blob. */
  readonly chunks: readonly Uint8Array[]
  readonly structureParts: readonly [Uint8Array, ...Uint8Array[]]
  /** Taken beforehand when the body lies in a blob, which names its owner. */
  readonly emailId: number | undefined
  readonly messageId: string | undefined
  readonly inReplyTo: string | undefined
  readonly envelope: EnvelopeFields
  /** About what it puts. */
  readonly octets: number
}

export interface PrepareOptions {
  readonly blobs: BlobPlace
  readonly account: number
  /** Whether the mailbox is there: asked before large octets are kept in vain. */
  readonly exists: () => Promise<boolean>
  /** Takes an email id of its own from the account. */
  readonly takeEmailId: () => Promise<number>
}

/** Prepares messages that are stored together. @returns undefined when there is no such mailbox */
export async function prepareMessages(
  messages: readonly NewMessage[],
  options: PrepareOptions,
): Promise<readonly PreparedMessage[] | undefined> {
  const prepared: PreparedMessage[] = []
  let inlineOctets = 0
  for (const message of messages) {
    const ready = await prepare(message, inlineOctets, options)
    if (ready === undefined) return undefined
    inlineOctets += ready.octets
    prepared.push(ready)
  }
  return prepared
}

async function prepare(
  from: NewMessage,
  before: number,
  options: PrepareOptions,
): Promise<PreparedMessage | undefined> {
  const { lead, skipOctets, sizeOctets, structure, list } = await layOutMessage(from)
  const zoneQuarters = from.internalDate === undefined ? 0 : zoneToQuarters(from.internalDate.zoneMinutes)
  let body: BodyPlace
  let emailId: number | undefined
  let chunks: readonly Uint8Array[] = []
  if (sizeOctets <= INLINE_OCTETS && before + sizeOctets <= MAX_INLINE_TOTAL_OCTETS) {
    const firstOctets = firstChunkOctets(sizeOctets, structure.root.bodyStart)
    body = { kind: 'chunks', firstOctets }
    chunks = cutBody(lead, await bodyOf(from.message, skipOctets), firstOctets)
  } else {
    if (!(await options.exists())) return undefined
    emailId = await options.takeEmailId()
    const id = await options.blobs.keep(from.message, [{ kind: 'message', account: options.account, emailId }])
    body = { kind: 'blob', id, prefix: lead, skipOctets }
  }
  const zoneMinutes = zoneQuarters === ODD_ZONE ? from.internalDate?.zoneMinutes : undefined
  const structureParts = encodeStructure({ structure, sizeOctets, body, zoneMinutes })
  let octets = list.envelope.length + list.bodyStructure.length + list.fields.length
  for (const { length } of chunks) octets += length
  for (const { length } of structureParts) octets += length
  const { messageId, inReplyTo } = structure.root.envelope ?? {}
  return {
    sizeOctets,
    zoneQuarters,
    list,
    chunks,
    structureParts,
    emailId,
    messageId: firstMessageId(messageId),
    inReplyTo: firstMessageId(inReplyTo),
    envelope: structure.root.envelope ?? {},
    octets,
  }
}

/** Octets of a message from `skipOctets` on. */
async function bodyOf(message: SpooledMessage, skipOctets: number): Promise<Uint8Array> {
  const held = message.inMemory()
  if (held !== undefined && held.length === message.sizeOctets) return held.subarray(skipOctets)
  const body = new Uint8Array(message.sizeOctets - skipOctets)
  for (let at = skipOctets; at < message.sizeOctets; at += PIECE_OCTETS) {
    body.set(await message.read(at, Math.min(message.sizeOctets, at + PIECE_OCTETS)), at - skipOctets)
  }
  return body
}

/** Cuts `lead` and `body`, which follow each other, without joining them first. */
function cutBody(lead: Uint8Array, body: Uint8Array, firstOctets: number): Uint8Array[] {
  const sizeOctets = lead.length + body.length
  const chunks: Uint8Array[] = []
  for (let n = 0; n < countChunks(sizeOctets, firstOctets); n += 1) {
    const { from, to } = chunkSpan(n, sizeOctets, firstOctets)
    const ofBody = body.subarray(Math.max(0, from - lead.length), Math.max(0, to - lead.length))
    chunks.push(from < lead.length ? encodeChunk(lead.subarray(from, to), ofBody) : encodeChunk(ofBody))
  }
  return chunks
}

/** The first `<…>` of a field, without brackets; undefined when there is none. RFC 5322 §3.6.4 */
export function firstMessageId(field: Uint8Array | undefined): string | undefined {
  if (field === undefined) return undefined
  const open = field.indexOf(0x3c)
  const close = open < 0 ? -1 : field.indexOf(0x3e, open)
  if (close <= open + 1 || close - open > MAX_MESSAGE_ID_OCTETS) return undefined
  return Buffer.from(field.buffer, field.byteOffset + open + 1, close - open - 1).toString('latin1')
}

/** Puts a prepared message. @param where its first place @returns its email id */
export async function putMessage(
  tx: Transaction,
  keys: AccountKeys,
  prepared: PreparedMessage,
  { mailbox, uid }: { readonly mailbox: number; readonly uid: number },
): Promise<number> {
  const emailId = prepared.emailId ?? tx.head.nextEmailId
  if (prepared.emailId === undefined) tx.head.nextEmailId += 1
  const threadId = await joinThread(tx, keys, prepared, { emailId, mailbox, uid })
  for (const [n, part] of encodeList({ threadId, list: prepared.list }).entries()) {
    tx.add(keys.message(emailId, n === 0 ? MessagePart.list : MessagePart.listMore + n - 1), part)
  }
  for (const [n, part] of prepared.structureParts.entries()) {
    tx.add(keys.message(emailId, n === 0 ? MessagePart.structure : MessagePart.structureMore + n - 1), part)
  }
  for (const [n, chunk] of prepared.chunks.entries()) tx.add(keys.message(emailId, MessagePart.body + n), chunk)
  return emailId
}

/**
 * Enters a message under its Message-ID. @returns the thread of the same message, or of the one it answers, or its
 * own
 */
async function joinThread(
  tx: Transaction,
  keys: AccountKeys,
  { messageId, inReplyTo }: PreparedMessage,
  { emailId, mailbox, uid }: Omit<MessageIdEntry, 'threadId'>,
): Promise<number> {
  const wanted = [messageId, inReplyTo].filter((id) => id !== undefined).map((id) => keys.msgid(id))
  if (wanted.length === 0) return emailId
  const [first = [], second = []] = (await tx.getMany(wanted)).map(decodeMessageIds)
  const threadId = (first[0] ?? second[0])?.threadId ?? emailId
  if (messageId !== undefined) {
    tx.add(wanted[0] as Uint8Array, encodeMessageIds([...first, { emailId, threadId, mailbox, uid }]))
  }
  return threadId
}

/** Now, in UTC. */
export function dateAt(nowSeconds: number): InternalDate {
  return { seconds: nowSeconds, zoneMinutes: 0 }
}

/** Replies as they leave: errors end in the id of the conversation, by which they can be found in the log. */
import { fault } from './reply-codes.ts'
import { formatReply, type Reply } from './reply.ts'

/**
 * Writes a reply of ours or of the host's.
 * @param onFault told why, when its text can't be said; its meaning is said all the same: a message accepted must not be sent again
 */
export function encodeReply(reply: Reply, id: string, onFault: (error: unknown) => void): Uint8Array {
  try {
    return formatReply(reply.code < 400 ? reply : { ...reply, lines: appendId(reply.lines, id) })
  } catch (error) {
    onFault(error)
    const isCode = Number.isInteger(reply.code) && reply.code >= 200 && reply.code < 600
    return formatReply(isCode ? { code: reply.code, lines: [] } : fault)
  }
}

function appendId(lines: readonly string[], id: string): readonly string[] {
  const last = lines.at(-1) ?? ''
  return [...lines.slice(0, -1), last === '' ? `(${id})` : `${last} (${id})`]
}

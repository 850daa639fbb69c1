/**
 * Subject passes: a rejected sender who is likely a person gets a token, and a message with it in its subject is taken.
 * A token is bound to the receiving address by the key and to the sender by his From address; it needs no memory.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

const PREFIX = '(pass:'
const VERSION = 0
const TOKEN_OCTETS = 16
const MAC_OCTETS = 12
/** Time is told in these steps, so that a token doesn't tell the second. */
const STEP_SECONDS = 256

export type SubjectPassResult =
  | 'pass'
  /** There is no token in the subject. */
  | 'absent'
  | 'malformed'
  /** It was made with another key or for another sender. */
  | 'forged'
  | 'expired'

/**
 * @param key secret of the receiving address
 * @param from address of the From field, in one canonical form
 * @param nowSeconds since 1970
 * @returns the token with its brackets, printable ASCII
 */
export function createSubjectPass(key: Uint8Array, from: string, nowSeconds: number): string {
  const stamp = Buffer.alloc(4)
  stamp.writeUInt32BE(((VERSION << 28) | (Math.floor(nowSeconds / STEP_SECONDS) & 0x0fff_ffff)) >>> 0)
  return `${PREFIX}${Buffer.concat([stamp, macOf(key, stamp, from)]).toString('base64url')})`
}

/**
 * @param subject decoded text
 * @param periodSeconds how long tokens hold
 */
export function checkSubjectPass(
  subject: string,
  key: Uint8Array,
  from: string,
  nowSeconds: number,
  periodSeconds: number,
): SubjectPassResult {
  const start = subject.indexOf(PREFIX)
  if (start < 0) return 'absent'
  const end = subject.indexOf(')', start)
  const text = end < 0 ? '' : subject.slice(start + PREFIX.length, end)
  if (!/^[A-Za-z0-9_-]{22}$/.test(text)) return 'malformed'
  const token = Buffer.from(text, 'base64url')
  if (token.length !== TOKEN_OCTETS || token.readUInt32BE() >>> 28 !== VERSION) return 'malformed'
  if (!timingSafeEqual(token.subarray(4), macOf(key, token.subarray(0, 4), from))) return 'forged'
  const steps = token.readUInt32BE() & 0x0fff_ffff
  // The count of steps wraps after two thousand years; the difference does not mind.
  const age = ((Math.floor(nowSeconds / STEP_SECONDS) - steps) & 0x0fff_ffff) * STEP_SECONDS
  return age <= periodSeconds ? 'pass' : 'expired'
}

function macOf(key: Uint8Array, stamp: Uint8Array, from: string): Buffer {
  return createHmac('sha256', key).update(stamp).update(from, 'utf8').digest().subarray(0, MAC_OCTETS)
}

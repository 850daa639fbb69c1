/**
 * The arithmetic of CRAM-MD5: HMAC-MD5 (RFC 2104) from its state after the padded key, so that the password itself need
 * not be kept (RFC 2195 §2, "contexts").
 */
import { createHash } from 'node:crypto'
import { md5AfterBlock, md5Resume } from './md5-state.ts'

const BLOCK_OCTETS = 64

/**
 * HMAC-MD5 stopped after the padded key. Whoever reads it can log in by CRAM-MD5 and can guess the password quickly:
 * kept only by setting.
 */
export interface CramMd5Keys {
  /** State after key XOR ipad, 16 octets. */
  readonly inner: Uint8Array
  /** State after key XOR opad, 16 octets. */
  readonly outer: Uint8Array
}

/** States keyed by a prepared password. RFC 2104 §4. */
export function cramMd5Keys(password: Uint8Array): CramMd5Keys {
  const key = password.length > BLOCK_OCTETS ? createHash('md5').update(password).digest() : password
  const stateOf = (pad: number): Uint8Array => {
    const block = new Uint8Array(BLOCK_OCTETS)
    block.set(key)
    return md5AfterBlock(block.map((octet) => octet ^ pad))
  }
  return { inner: stateOf(0x36), outer: stateOf(0x5c) }
}

/** HMAC-MD5 of `challenge`, 16 octets. */
export function cramMd5Digest(keys: CramMd5Keys, challenge: Uint8Array): Uint8Array {
  return md5Resume(keys.outer, md5Resume(keys.inner, challenge))
}

/**
 * The arithmetic of SCRAM (RFC 5802 §3): from a salted password to what is stored, and from there to proofs.
 * Not here: messages, and PBKDF2 itself.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { HashName } from './hasher.ts'

/** What a server keeps for one hash function: enough to check and to prove itself, not enough to log in elsewhere. */
export interface ScramKeys {
  /** 8 to 64 octets. */
  readonly salt: Uint8Array
  /** 4,096 to 10,000,000. */
  readonly iterations: number
  /** H(ClientKey), as many octets as the digest. */
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

/** StoredKey and ServerKey. @param saltedPassword result of PBKDF2 */
export function serverKeys(hash: HashName, saltedPassword: Uint8Array): Pick<ScramKeys, 'storedKey' | 'serverKey'> {
  return {
    storedKey: digest(hash, hmac(hash, saltedPassword, 'Client Key')),
    serverKey: hmac(hash, saltedPassword, 'Server Key'),
  }
}

/** ClientProof, which shows knowledge of the password for this one exchange. */
export function clientProof(hash: HashName, saltedPassword: Uint8Array, authMessage: string): Uint8Array {
  const clientKey = hmac(hash, saltedPassword, 'Client Key')
  return xor(clientKey, hmac(hash, digest(hash, clientKey), authMessage))
}

/** ServerSignature, which shows the client that the server knows its keys. */
export function serverSignature(hash: HashName, serverKey: Uint8Array, authMessage: string): Uint8Array {
  return hmac(hash, serverKey, authMessage)
}

/** Whether a proof belongs to `storedKey`. Takes the same time for every proof of the right length. */
export function proves(hash: HashName, storedKey: Uint8Array, authMessage: string, proof: Uint8Array): boolean {
  if (proof.length !== storedKey.length) return false
  const clientKey = xor(proof, hmac(hash, storedKey, authMessage))
  return timingSafeEqual(digest(hash, clientKey), storedKey)
}

function hmac(hash: HashName, key: Uint8Array, data: string): Uint8Array {
  return createHmac(hash, key).update(data, 'utf8').digest()
}

function digest(hash: HashName, octets: Uint8Array): Uint8Array {
  return createHash(hash).update(octets).digest()
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Uint8Array.from(a, (octet, i) => octet ^ (b[i] as number))
}

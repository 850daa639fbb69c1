/**
 * Names of conversations, as peers, logs and trace fields see them: the number of a connection under a key of the
 * installation. Who reads one learns neither how many there were nor when; who has the key gets the number back.
 */
import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import type { Random } from '@postern/core/host'
import { loadSecretFile, readSecretFile } from './secret-file.ts'

/** A key of AES-128, then what every id of the installation holds beside its number. */
const KEY_OCTETS = 16
const MARK_OCTETS = 8
const SECRET_OCTETS = KEY_OCTETS + MARK_OCTETS
const FILE = 'connection-id.key'

export class ConnectionIds {
  readonly #key: Uint8Array
  readonly #mark: Uint8Array
  #last: number

  /**
   * @param secret 24 octets @param nowMs since 1970: numbers begin there, so that those of a later run are others, as long
   * as there are fewer than a thousand connections a second
   */
  constructor(secret: Uint8Array, nowMs: number) {
    if (secret.length !== SECRET_OCTETS) throw new RangeError(`Expected ${SECRET_OCTETS} octets`)
    this.#key = secret.subarray(0, KEY_OCTETS)
    this.#mark = secret.subarray(KEY_OCTETS)
    this.#last = Math.floor(nowMs)
  }

  /** The next id: 22 characters of base64url. */
  next(): string {
    this.#last += 1
    const block = Buffer.alloc(16)
    block.set(this.#mark)
    block.writeBigUInt64BE(BigInt(this.#last), MARK_OCTETS)
    const cipher = createCipheriv('aes-128-ecb', this.#key, null).setAutoPadding(false)
    return Buffer.concat([cipher.update(block), cipher.final()]).toString('base64url')
  }

  /** Number of the connection; undefined when the id is none of this installation. */
  numberOf(id: string): number | undefined {
    const octets = Buffer.from(id, 'base64url')
    if (octets.length !== 16 || octets.toString('base64url') !== id) return undefined
    const decipher = createDecipheriv('aes-128-ecb', this.#key, null).setAutoPadding(false)
    const block = Buffer.concat([decipher.update(octets), decipher.final()])
    if (!timingSafeEqual(block.subarray(0, MARK_OCTETS), this.#mark)) return undefined
    return Number(block.readBigUInt64BE(MARK_OCTETS))
  }
}

/** Ids of a server; without a data directory its key is gone with the process. */
export async function openConnectionIds(dataDir: string | undefined, host: { readonly random: Random; readonly nowMs: number }): Promise<ConnectionIds> {
  const { random, nowMs } = host
  const secret = dataDir === undefined ? random(SECRET_OCTETS) : await loadSecretFile(join(dataDir, FILE), SECRET_OCTETS, random)
  return new ConnectionIds(secret, nowMs)
}

/** To read ids alone. @returns undefined when no server ever ran on the directory */
export async function readConnectionIds(dataDir: string): Promise<ConnectionIds | undefined> {
  const secret = await readSecretFile(join(dataDir, FILE), SECRET_OCTETS)
  return secret === undefined ? undefined : new ConnectionIds(secret, 0)
}

// Keys made for the tests of signatures, their records, and a message to sign.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createMemoryResolver } from '@postern/core/conformance'
import type { DkimSigner } from '../../src/provenance/dkim/index.ts'

/** Seconds since 1970. */
export const NOW = 1_700_000_000
export const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
export const ed25519 = generateKeyPairSync('ed25519')

export function recordOf(publicKey: KeyObject): string {
  if (publicKey.asymmetricKeyType === 'ed25519') return `v=DKIM1; k=ed25519; p=${Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')}`
  return `v=DKIM1; k=rsa; p=${publicKey.export({ format: 'der', type: 'spki' }).toString('base64')}`
}

export const records = { 'rsa._domainkey.example.org': recordOf(rsa.publicKey), 'ed._domainkey.example.org': recordOf(ed25519.publicKey) }
export const resolver = createMemoryResolver(Object.fromEntries(Object.entries(records).map(([name, text]) => [name, [`TXT ${text}`]])))

/** @param key which of the two, which is its selector too */
export function signer(key: 'rsa' | 'ed', over: Partial<DkimSigner> = {}): DkimSigner {
  return { domain: 'example.org', selector: key, key: key === 'rsa' ? rsa.privateKey : ed25519.privateKey, ...over }
}

/** All canonicalizations there are. */
export const pairs = (['simple', 'relaxed'] as const).flatMap((headerCanonicalization) => (['simple', 'relaxed'] as const).map((bodyCanonicalization) => ({ headerCanonicalization, bodyCanonicalization })))

export const MESSAGE = 'From: Ann <ann@example.org>\r\nTo: bob@example.com\r\nSubject:  some   words\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\nHello \t  there  \r\n\r\nBye\r\n\r\n\r\n'

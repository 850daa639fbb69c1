/** The exchanges printed in the RFCs, both halves, octet by octet. */
import { Buffer } from 'node:buffer'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HashName } from '../../src/sasl/index.ts'
import { cramMd5Digest, cramMd5Keys } from '../../src/sasl/cram-md5-keys.ts'
import { createCramMd5Client } from '../../src/sasl/cram-md5.ts'
import { md5AfterBlock, md5Resume } from '../../src/sasl/md5-state.ts'
import { createScramClient, createScramServer } from '../../src/sasl/scram.ts'
import { serverKeys } from '../../src/sasl/scram-keys.ts'
import { createCountingHasher, text, utf8 } from './test-host.ts'

interface Exchange {
  readonly name: string
  readonly hash: HashName
  readonly clientNonce: string
  readonly serverNonce: string
  readonly salt: string
  readonly proof: string
  readonly signature: string
}

const EXCHANGES: readonly Exchange[] = [
  {
    name: 'RFC 5802 §5, SCRAM-SHA-1',
    hash: 'sha1',
    clientNonce: 'fyko+d2lbbFgONRv9qkxdawL',
    serverNonce: '3rfcNHYJY1ZVvWVs7j',
    salt: 'QSXCR+Q6sek8bf92',
    proof: 'v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    signature: 'rmF9pqV8S7suAoZWja4dJRkFsKQ=',
  },
  {
    name: 'RFC 7677 §3, SCRAM-SHA-256',
    hash: 'sha256',
    clientNonce: 'rOprNGfwEbeRWgbNEkqO',
    serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
    proof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    signature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  },
]

describe('the example of', () => {
  for (const row of EXCHANGES) {
    const salt = Uint8Array.from(Buffer.from(row.salt, 'base64'))
    const nonce = row.clientNonce + row.serverNonce
    const clientFirst = `n,,n=user,r=${row.clientNonce}`
    const serverFirst = `r=${nonce},s=${row.salt},i=4096`
    const clientFinal = `c=biws,r=${nonce},p=${row.proof}`
    const serverFinal = `v=${row.signature}`

    it(`${row.name}: client`, async () => {
      const hasher = createCountingHasher()
      const { hash, clientNonce } = row
      const client = createScramClient({ hash, login: 'user', password: utf8('pencil'), hasher, nonce: clientNonce })
      const said: string[] = []
      for (const challenge of [undefined, utf8(serverFirst), utf8(serverFinal)]) {
        expect(client.complete).toBe(false)
        const step = await client.respond(challenge)
        if (step.kind === 'response') said.push(text(step.message))
      }
      expect(said).toEqual([clientFirst, clientFinal, ''])
      expect(client.complete).toBe(true)
    })

    it(`${row.name}: server`, async () => {
      const salted = pbkdf2Sync('pencil', salt, 4096, row.hash === 'sha1' ? 20 : 32, row.hash)
      const keys = { salt, iterations: 4096, ...serverKeys(row.hash, salted) }
      const candidate = { keys, account: 'u' }
      const lookup = { scram: async () => candidate, cramMd5: async () => Promise.reject(new Error('Not asked for')) }
      const server = createScramServer({ hash: row.hash, lookup, nonce: row.serverNonce })
      expect(await server.respond(utf8(clientFirst))).toEqual({ kind: 'challenge', message: utf8(serverFirst) })
      expect(await server.respond(utf8(clientFinal))).toEqual({ kind: 'challenge', message: utf8(serverFinal) })
      expect(await server.respond(utf8(''))).toEqual({ kind: 'authenticated', account: 'u', login: 'user' })
    })
  }

  it('RFC 2195 §2, CRAM-MD5', () => {
    const challenge = utf8('<1896.697170952@postoffice.reston.mci.net>')
    const client = createCramMd5Client('tim', utf8('tanstaaftanstaaf'))
    const expected = 'tim b913a602c7eda7a495b4e6e7334d3890'
    expect(client.respond(challenge)).toEqual({ kind: 'response', message: utf8(expected) })
    const digest = cramMd5Digest(cramMd5Keys(utf8('tanstaaftanstaaf')), challenge)
    expect(Buffer.from(digest).toString('hex')).toBe(expected.slice(4))
  })
})

describe('MD5 from a state', () => {
  const octets = fc.uint8Array({ maxLength: 300 })

  it('is MD5 of block and rest', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), octets, (block, rest) => {
        const expected = createHash('md5').update(block).update(rest).digest('hex')
        expect(Buffer.from(md5Resume(md5AfterBlock(block), rest)).toString('hex')).toBe(expected)
      }),
    )
  })

  it('gives HMAC-MD5 for keys of every length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), octets, (key, challenge) => {
        const expected = createHmac('md5', key).update(challenge).digest('hex')
        expect(Buffer.from(cramMd5Digest(cramMd5Keys(key), challenge)).toString('hex')).toBe(expected)
      }),
    )
  })
})

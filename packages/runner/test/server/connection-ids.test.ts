import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemRandom } from '../../src/host/random.ts'
import { ConnectionIds, openConnectionIds, readConnectionIds } from '../../src/server/connection-ids.ts'

const NOW = Date.parse('2026-02-03T04:05:06Z')

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'postern-ids-'))
})
afterEach(async () => {
  await rm(dir, { recursive: true, force: true })
})

it('gives ids of 22 characters that tell their number to who has the key', () => {
  const ids = new ConnectionIds(systemRandom(24), NOW)
  const given = Array.from({ length: 1_000 }, () => ids.next())
  expect(new Set(given).size).toBe(1_000)
  for (const [at, id] of given.entries()) {
    expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(ids.numberOf(id)).toBe(NOW + 1 + at)
  }
})

it('is the cipher of the mark and the number, by FIPS 197', () => {
  // The example of appendix C.1: the mark is the first half of its plain text, the number the second.
  const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
  const secret = Buffer.concat([key, Buffer.from('0011223344556677', 'hex')])
  const cipherText = Buffer.from('69c4e0d86a7b0430d8cdb78070b4c55a', 'hex').toString('base64url')
  expect(new ConnectionIds(secret, 0).numberOf(cipherText)).toBe(Number(0x8899aabbccddeeffn))
})

it.each(['', 'abc', 'A'.repeat(22), `${'A'.repeat(21)}B`, 'AAAAAAAAAAAAAAAAAAAAA=', 'x'.repeat(5_000)])('does not know %j', (text) => {
  expect(new ConnectionIds(systemRandom(24), NOW).numberOf(text)).toBeUndefined()
})

it('reads ids of earlier runs, and none of another installation', async () => {
  const host = { random: systemRandom, nowMs: NOW }
  const first = await openConnectionIds(dir, host)
  const id = first.next()
  expect((await openConnectionIds(dir, { ...host, nowMs: NOW + 60_000 })).numberOf(id)).toBe(NOW + 1)
  expect((await readConnectionIds(dir))?.numberOf(id)).toBe(NOW + 1)
  expect((await stat(join(dir, 'connection-id.key'))).mode & 0o777).toBe(0o600)
  expect((await openConnectionIds(undefined, host)).numberOf(id)).toBeUndefined()
  expect(await readConnectionIds(tmpdir())).toBeUndefined()
})

it('says when the key is damaged', async () => {
  await writeFile(join(dir, 'connection-id.key'), 'short')
  await expect(openConnectionIds(dir, { random: systemRandom, nowMs: NOW })).rejects.toThrow('is damaged: 5 octets instead of 24')
})

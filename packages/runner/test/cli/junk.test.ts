/** `postern junk` and `postern retrain`, as processes. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Flag } from '@postern/core/store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readMbox } from '../../src/cli/junk-mails.ts'
import { lmdbStore } from '../../src/store/lmdb-store.ts'

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname
const run = promisify(execFile)

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'postern-cli-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function postern(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['--conditions=postern-source', '--import', 'tsx', main, ...args])
  return stdout
}

const HAM = ['meeting', 'minutes', 'budget', 'lunch', 'project', 'review', 'schedule']
const SPAM = ['viagra', 'lottery', 'winner', 'casino', 'millions', 'refinance', 'pills']
const letter = (words: readonly string[], n: number): string => {
  const text = Array.from({ length: 5 }, (_, at) => words[(n + at * 2) % words.length]).join(' ')
  return `From: a${n}@example.com\nSubject: ${text}\nDate: ${1 + (n % 28)} Feb 2026 04:05:06 +0000\n\n${text}\n`
}

/** A directory of ham, and an mbox file of spam. */
async function sources(): Promise<readonly [ham: string, spam: string]> {
  const ham = join(dir, 'ham')
  const spam = join(dir, 'spam.mbox')
  await mkdir(join(ham, 'below'), { recursive: true })
  for (let n = 0; n < 60; n += 1) await writeFile(join(ham, n % 2 === 0 ? 'below' : '.', `${n}.eml`), letter(HAM, n))
  await writeFile(spam, Array.from({ length: 60 }, (_, n) => `From someone Tue Feb  3 04:05:06 2026\n${letter(SPAM, n)}\n`).join(''))
  return [ham, spam]
}

describe('mbox files', () => {
  const cases: readonly (readonly [name: string, text: string, mails: readonly string[]])[] = [
    ['one message', 'From x\na: b\n\nc\n', ['a: b\n\nc\n']],
    ['two', 'From x\na: b\n\nc\n\nFrom y\nd: e\n\nf\n\n', ['a: b\n\nc\n', 'd: e\n\nf\n\n']],
    ['with CR LF', 'From x\r\na: b\r\n\r\nc\r\n\r\nFrom y\r\nd: e\r\n\r\nf\r\n', ['a: b\r\n\r\nc\r\n', 'd: e\r\n\r\nf\r\n']],
    ['a line in a text that only begins so', 'From x\na: b\n\nc\nFrom here\n', ['a: b\n\nc\nFrom here\n']],
    ['quoted lines', 'From x\na: b\n\n>From here\n>>From there\n', ['a: b\n\nFrom here\n>From there\n']],
    ['without a line end', 'From x\na: b\n\nc', ['a: b\n\nc']],
  ]
  it.each(cases)('%s', (_, text, mails) => {
    expect([...readMbox('f', Buffer.from(text))].map(({ octets }) => Buffer.from(octets).toString())).toEqual(mails)
  })
})

describe('postern junk', { timeout: 60_000 }, () => {
  it('learns from a directory and an mbox file, adds to what it learned, and tells mail apart', async () => {
    const [ham, spam] = await sources()
    const db = join(dir, 'filter.db')
    const out = join(dir, 'baseline')
    expect(JSON.parse(await postern('junk', 'train', ham, spam, '--dbpath', db, '--json'))).toMatchObject({ learned: 120, ham: 60, spam: 60 })
    expect(JSON.parse(await postern('junk', 'train', ham, spam, '--dbpath', db, '--out', out, '--json'))).toMatchObject({ learned: 120, ham: 120, spam: 120 })
    expect(await postern('junk', 'test', ham, spam, '--dbpath', out)).toContain('ham   60 right, 0 wrong (specificity 100.00 %)')
    const junk = join(dir, 'one.eml')
    await writeFile(junk, letter(SPAM, 99))
    const [probability, name] = (await postern('junk', 'check', '--dbpath', db, junk)).trim().split(' ')
    expect(name).toBe(junk)
    expect(probability).toMatch(/^0\.\d{6}$/)
    expect(Number(probability)).toBeGreaterThan(0.65)
    expect(JSON.parse(await postern('junk', 'check', '--dbpath', db, '--json', '--spam-threshold', '1', junk))).toMatchObject({ name: junk, verdict: 'ham', significant: true })
  })

  it('analyzes and plays', async () => {
    const [ham, spam] = await sources()
    expect(JSON.parse(await postern('junk', 'analyze', ham, spam, '--json', '--train-ratio', '0.7'))).toEqual({
      learned: 84, hamRight: 18, hamWrong: 0, spamRight: 18, spamWrong: 0, specificity: 1, sensitivity: 1, accuracy: 1,
    })
    const played = JSON.parse(await postern('junk', 'play', ham, spam, '--json')) as { readonly hamRight: number; readonly spamRight: number }
    expect(played.hamRight).toBe(60)
    expect(played.spamRight).toBeGreaterThan(50)
  })

  it('says what is missing or damaged', async () => {
    const [ham, spam] = await sources()
    await expect(postern('junk', 'test', ham, spam, '--dbpath', join(dir, 'none'))).rejects.toThrow(/There is no file .*none/)
    await expect(postern('junk', 'test', ham, spam, '--dbpath', spam)).rejects.toThrow(/holds no counts of words/)
    await expect(postern('junk', 'analyze', ham, spam, '--scoring', 'none')).rejects.toThrow(/Allowed choices/)
  })
})

describe('postern retrain', { timeout: 60_000 }, () => {
  it('learns an account anew, and says why it can not', async () => {
    const data = join(dir, 'data')
    const store = await lmdbStore({ dir: data })
    const account = await store.createAccount('ada')
    for (const [n, flags] of [Flag.junk, Flag.notJunk, Flag.notJunk, 0, Flag.junk | Flag.notJunk].entries()) {
      const spool = account.spool()
      await spool.write(Buffer.from(letter(HAM, n)))
      const message = await spool.end()
      await account.append('INBOX', [{ message, flags, keywords: [] }])
      message.release()
    }
    await expect(postern('retrain', 'ada', '--dir', data)).rejects.toThrow(/A server has .* open: stop it first/)
    await store.close()
    expect(await postern('retrain', 'ada', '--dir', data)).toBe('Learned 2 ham and 1 spam from 5 messages of ada.\n')
    await expect(postern('retrain', 'eve', '--dir', data)).rejects.toThrow(/There is no account eve in .*; there are: ada/)
    await expect(postern('retrain', 'ada', '--dir', join(dir, 'nowhere'))).rejects.toThrow(/There is no directory/)
    const again = await lmdbStore({ dir: data })
    expect((await (await again.account('ada'))?.training.state())?.totals).toEqual({ ham: 2, spam: 1 })
    await again.close()
  })
})

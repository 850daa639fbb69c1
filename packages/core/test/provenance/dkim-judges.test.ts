// What we sign, put before programs nobody here wrote: dkimpy, opendkim-testmsg and mailauth.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { signDkim, verifyDkim } from '../../src/provenance/dkim/index.ts'
import { NOW, pairs, records, resolver, signer } from './dkim-keys.ts'
import { signedText } from './signed-text.ts'

const HEADER = [
  'From: Ann <ann@example.org>',
  'To: bob@example.com,',
  '\tCarl <carl@example.com>',
  'Subject:  some   words',
  ' \tand more ',
  'Date: Mon, 1 Jan 2024 00:00:00 +0000',
  'Message-ID: <1@example.org>',
  'Received: from a.example by b.example; Mon, 1 Jan 2024 00:00:00 +0000',
  'MIME-Version: 1.0',
  'Content-Type: text/plain;',
  ' charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
  '',
  '',
].join('\r\n')

const BODIES: readonly (readonly [name: string, body: string])[] = [
  ['plain', 'Hello there\r\n\r\nBye\r\n'],
  ['empty', ''],
  ['an empty line', '\r\n'],
  ['white space at ends, empty lines at the end', 'Hello \t  there  \r\n \t\r\nBye\t\r\n\r\n\r\n'],
  ['no line end', 'Hello\r\nBye'],
  ['dots and dashes', '.\r\n..\r\n-- \r\nBye\r\n'],
  ['octets of UTF-8', 'Grüße, 你好\r\nBye\r\n'],
  ['long', `${'A line of seventy-odd characters that is there again and again and again.\r\n'.repeat(3_000)}Bye\r\n`],
]

interface Sample {
  readonly name: string
  readonly text: string
  readonly isChanged: boolean
}

/** Every body with every canonicalization and key, and the same with a word changed. */
async function samples(): Promise<readonly Sample[]> {
  const all: Sample[] = []
  for (const key of ['rsa', 'ed'] as const) for (const pair of pairs) for (const [name, body] of BODIES) {
    const text = HEADER + body
    const made = Buffer.from(await signDkim(signedText(text), [signer(key, pair)], NOW)).toString() + text
    const title = `${key} ${pair.headerCanonicalization}/${pair.bodyCanonicalization} ${name}`
    all.push({ name: title, text: made, isChanged: false })
    all.push({ name: `${title}, changed`, text: body.includes('Bye') ? made.replace('Bye', 'Buy') : made.replace('some', 'same'), isChanged: true })
  }
  return all
}

const wanted = (all: readonly Sample[]): readonly string[] => all.map(({ name, isChanged }) => `${name}: ${isChanged ? 'no' : 'yes'}`)
const told = (all: readonly Sample[], passes: readonly boolean[]): readonly string[] => all.map(({ name }, at) => `${name}: ${passes[at] === true ? 'yes' : 'no'}`)

describe('what we sign passes, and what was changed does not,', () => {
  test('with us', async () => {
    const all = await samples()
    const passes = await Promise.all(all.map(async ({ text }) => (await verifyDkim(signedText(text), { resolver, now: NOW * 1_000 }))[0]?.result === 'pass'))
    expect(told(all, passes)).toEqual(wanted(all))
  })

  test('with mailauth', async () => {
    const all = await samples()
    const zone = Object.fromEntries(Object.entries(records).map(([name, text]) => [`TXT ${name}`, [[text]]]))
    const input = all.map(({ text }) => JSON.stringify({ kind: 'dkim', message: Buffer.from(text).toString('base64'), records: zone })).join('\n')
    const { stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'mailauth-judge.cjs')], { input, encoding: 'utf8', maxBuffer: 2 ** 26 })
    const passes = stdout.trim().split('\n').map((line) => (JSON.parse(line) as readonly string[])[0] === 'pass')
    expect(told(all, passes), stderr).toEqual(wanted(all))
  })

  const python = existsSync('/usr/bin/python3') && spawnSync('/usr/bin/python3', ['-c', 'import dkim']).status === 0
  test.skipIf(!python)(`with dkimpy${python ? '' : ' (skipped: python3-dkim is not installed)'}`, async () => {
    const all = await samples()
    const input = all.map(({ text }) => JSON.stringify({ message: Buffer.from(text).toString('base64'), records })).join('\n')
    const { stdout, stderr } = spawnSync('/usr/bin/python3', [join(import.meta.dirname, 'dkim-verify.py')], { input, encoding: 'utf8', maxBuffer: 2 ** 26 })
    const passes = stdout.trim().split('\n').map((line) => line === 'true')
    expect(told(all, passes), stderr).toEqual(wanted(all))
  })

  const missing = ['/usr/sbin/opendkim-testmsg', '/usr/sbin/dnsmasq', '/usr/bin/unshare'].filter((path) => !existsSync(path))
  if (process.getuid?.() !== 0) missing.push('being root')
  test.skipIf(missing.length > 0)(`with opendkim-testmsg${missing.length > 0 ? ` (skipped: needs ${missing.join(', ')})` : ''}`, async () => {
    const all = await samples()
    const dir = mkdtempSync(join(tmpdir(), 'postern-opendkim-'))
    try {
      writeFileSync(join(dir, 'resolv.conf'), 'nameserver 127.0.0.1\n')
      for (const [at, { text }] of all.entries()) writeFileSync(join(dir, `${at}.eml`), text)
      // It asks the machine's name server: it gets one of its own, in a network and with a resolv.conf of its own.
      const zone = Object.entries(records).map(([name, text]) => `--txt-record='${name},${text.slice(0, 200)}${text.length > 200 ? `,${text.slice(200)}` : ''}'`)
      const script = [
        'ip link set lo up',
        `mount --bind ${dir}/resolv.conf /etc/resolv.conf`,
        `dnsmasq --keep-in-foreground --no-resolv --no-hosts --conf-file=/dev/null --user=root --pid-file= ${zone.join(' ')} & dns=$!`,
        'for try in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; if (exec 3<>/dev/tcp/127.0.0.1/53) 2>/dev/null; then break; fi; done',
        ...all.map((_, at) => `timeout 20 opendkim-testmsg -C < ${dir}/${at}.eml >/dev/null 2>&1; echo result $?`),
        'kill $dns',
      ].join('\n')
      const { stdout, stderr } = spawnSync('unshare', ['-mn', 'bash', '-c', script], { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
      const passes = [...stdout.matchAll(/^result (\d+)$/gm)].map(([, code]) => code === '0')
      expect(told(all, passes), stderr).toEqual(wanted(all))
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
})

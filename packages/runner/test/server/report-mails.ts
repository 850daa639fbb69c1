/** Mails with reports, as reporters send them, and the zone of the reporters. */
import { generateKeyPairSync } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { signDkim } from '@postern/core/provenance'
import type { ZoneText } from '@postern/core/conformance'

export const REPORTER_IP = '192.0.2.7'
export const END = Date.parse('2026-02-02T00:00:00Z') / 1000

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const keyText = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')
const key = (more = ''): string[] => [`TXT v=DKIM1; k=ed25519;${more} p=${keyText}`]
const sender = ['MX 10 mx.reporter.example', `TXT v=spf1 ip4:${REPORTER_IP} -all`]

/** Reporters: one with DMARC, one without, and keys for all kinds of service. */
export const reporterZone: ZoneText = {
  'reporter.example': sender,
  '_dmarc.reporter.example': ['TXT v=DMARC1; p=reject; adkim=r'],
  'mail.reporter.example': sender,
  'plain.example': sender,
  'mx.reporter.example': [`A ${REPORTER_IP}`],
  '7.2.0.192.in-addr.arpa': ['PTR mx.reporter.example'],
  'any._domainkey.reporter.example': key(),
  'tls._domainkey.reporter.example': key(' s=tlsrpt;'),
  'mail._domainkey.reporter.example': key(' s=email;'),
  'any._domainkey.plain.example': key(),
}

export interface ReportMail {
  readonly id?: string
  /** Domains it is about. Default `example.org`. */
  readonly about?: readonly string[]
  /** Domain of From. Default `reporter.example`. */
  readonly from?: string
  readonly endSeconds?: number
  /** d= and s= of a signature. */
  readonly signed?: readonly [domain: string, selector: string]
}

export function dmarcXml({ id = 'r1', about: [about = 'example.org'] = [], endSeconds = END }: ReportMail): string {
  return (
    `<?xml version="1.0"?><feedback><report_metadata><org_name>Reporter Inc.</org_name><email>d@reporter.example</email><report_id>${id}</report_id>` +
    `<date_range><begin>${endSeconds - 86_400}</begin><end>${endSeconds}</end></date_range></report_metadata>` +
    `<policy_published><domain>${about}</domain><p>none</p></policy_published>` +
    '<record><row><source_ip>198.51.100.1</source_ip><count>4</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>' +
    `<identifiers><header_from>${about}</header_from></identifiers></record></feedback>`
  )
}

export function dmarcMail(mail: ReportMail = {}): Promise<Uint8Array> {
  return compose(mail, 'application/gzip; name="r.xml.gz"', gzipSync(dmarcXml(mail)))
}

export function tlsMail(mail: ReportMail = {}): Promise<Uint8Array> {
  const { id = 't1', about = ['example.org'], endSeconds = END } = mail
  const json = JSON.stringify({
    'organization-name': 'Reporter Inc.',
    'date-range': { 'start-datetime': new Date((endSeconds - 86_400) * 1000).toISOString(), 'end-datetime': new Date(endSeconds * 1000).toISOString() },
    'contact-info': 't@reporter.example',
    'report-id': id,
    policies: about.map((domain) => ({ policy: { 'policy-type': 'sts', 'policy-domain': domain }, summary: { 'total-successful-session-count': 7, 'total-failure-session-count': 1 }, 'failure-details': [{ 'result-type': 'certificate-expired', 'failed-session-count': 1 }] })),
  })
  return compose(mail, 'application/tlsrpt+gzip', gzipSync(json))
}

async function compose({ id = 'r1', from = 'reporter.example', signed }: ReportMail, type: string, file: Uint8Array): Promise<Uint8Array> {
  const header = Buffer.from(
    [
      `From: <reports@${from}>`,
      'To: <reports@example.org>',
      `Subject: Report Domain: example.org Submitter: ${from}`,
      'Date: Mon, 02 Feb 2026 01:00:00 +0000',
      `Message-ID: <${id}@${from}>`,
      'MIME-Version: 1.0',
      `Content-Type: ${type}`,
      'Content-Transfer-Encoding: base64',
      '',
      '',
    ].join('\r\n'),
  )
  const body = Buffer.from(`${Buffer.from(file).toString('base64').replaceAll(/.{76}/g, '$&\r\n')}\r\n`)
  if (signed === undefined) return new Uint8Array(Buffer.concat([header, body]))
  const [domain, selector] = signed
  const signature = await signDkim({ header, body: () => [body] }, [{ domain, selector, key: privateKey }], END)
  return new Uint8Array(Buffer.concat([signature, header, body]))
}

/** The Received-SPF field. RFC 7208 §9.1 */
import { formatLocalpart } from '../../address/index.ts'
import { commentText, printable, quotedString } from '../authentication-results.ts'
import type { SpfResult, SpfSubject } from './check-spf.ts'

const WORDS = {
  none: 'has no policy for it',
  neutral: 'says nothing about it',
  pass: 'lets it send',
  fail: 'does not let it send',
  softfail: 'would rather not let it send',
  temperror: 'could not be asked',
  permerror: 'has a policy that can not be read',
} as const

/** Value of the field, folded. @param where the client and we */
export function formatReceivedSpf(
  spf: SpfResult,
  where: SpfSubject,
): string {
  const { result, identity, domain, mechanism, problem } = spf
  const { ip, helo, hostname, mailFrom } = where
  const comment = commentText(`${hostname}: ${domain === '' ? 'no domain' : domain} ${WORDS[result]}`)
  const parts = [`${result} (${comment})`, `client-ip=${quoted(ip)};`]
  if (mailFrom !== undefined) parts.push(`envelope-from=${quoted(`${formatLocalpart(printable(mailFrom.localpart))}@${mailFrom.domain}`)};`)
  parts.push(`helo=${quoted(helo)};`)
  if (mechanism !== undefined) parts.push(`mechanism=${quoted(mechanism)};`)
  if (problem !== undefined) parts.push(`problem=${quoted(problem)};`)
  parts.push(`receiver=${quoted(hostname)};`, `identity=${identity}`)
  return parts.join('\r\n\t')
}

/** RFC 7208 §9.1: a dot-atom or a quoted string; for what neither can hold stands a question mark. */
function quoted(text: string): string {
  const clean = printable(text)
  return /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/.test(clean) ? clean : quotedString(clean)
}

/** The Received-SPF field. RFC 7208 §9.1 */
import { formatLocalpart } from '../../address/index.ts'
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
  const pairs = [
    `client-ip=${quoted(ip)};`,
    ...(mailFrom === undefined ? [] : [`envelope-from=${quoted(`${formatLocalpart(printable(mailFrom.localpart))}@${mailFrom.domain}`)};`]),
    `helo=${quoted(helo)};`,
    ...(mechanism === undefined ? [] : [`mechanism=${quoted(mechanism)};`]),
    ...(problem === undefined ? [] : [`problem=${quoted(problem)};`]),
    `receiver=${quoted(hostname)};`,
    `identity=${identity}`,
  ]
  const comment = printable(`${hostname}: ${domain === '' ? 'no domain' : domain} ${WORDS[result]}`)
  return [`${result} (${comment.replaceAll(/[()\\]/g, String.raw`\$&`)})`, ...pairs].join('\r\n\t')
}

function printable(text: string): string {
  return text.replaceAll(/[^ -~]/g, '?').slice(0, 300)
}

/** RFC 7208 §9.1: a dot-atom or a quoted string; for what neither can hold stands a question mark. */
function quoted(text: string): string {
  const clean = printable(text)
  return /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/.test(clean) ? clean : `"${clean.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

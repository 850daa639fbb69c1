/** ESMTP parameters of MAIL and RCPT. RFC 5321 §4.1.2. Not here: what a parameter means (server/extensions). */
import { WireSyntaxError } from '@postern/core/conversation'

/** One parameter. */
export interface EsmtpParameter {
  /** Upper case. */
  readonly keyword: string
  /** Not empty; absent when there was no "=". */
  readonly value?: string
}

/** esmtp-keyword ["=" esmtp-value] */
const PARAMETER = /^(?<keyword>[A-Za-z0-9][A-Za-z0-9-]*)(?:=(?<value>[^\0-\u{20}=\u{7f}-\u{9f}]+))?$/u

/**
 * esmtp-param = esmtp-keyword ["=" esmtp-value]; values may hold UTF-8. RFC 6531 §3.3
 * @param text one parameter, without the spaces around it
 * @param offset of `text` in its line
 * @throws {WireSyntaxError} with code `parameter`
 */
export function parseParameter(text: string, offset: number): EsmtpParameter {
  const groups = PARAMETER.exec(text)?.groups
  if (groups === undefined) throw new WireSyntaxError('parameter', 'parameter', offset)
  const keyword = (groups['keyword'] as string).toUpperCase()
  const { value } = groups
  return value === undefined ? { keyword } : { keyword, value }
}

/** `KEYWORD` or `KEYWORD=value`. @throws {WireSyntaxError} when it could not be read back */
export function formatParameter(parameter: EsmtpParameter): string {
  const text = parameter.value === undefined ? parameter.keyword : `${parameter.keyword}=${parameter.value}`
  parseParameter(text, 0)
  return text
}

/**
 * Reads the XML of a DMARC aggregate report, of RFC 9990 (appendix A) and of RFC 7489 (appendix C) and its drafts alike:
 * by names of elements, in any order and any namespace that the root is in; what isn't known is passed over.
 *
 * Strict on what a report is nothing without: who and which one it is, when, which domain, from where, how many, which
 * sender. LENIENT on the words of results: a word that isn't known leaves its field absent.
 */
import { parseIpAddress } from '../address/index.ts'
import type {
  AuthWord,
  DmarcDisposition,
  DmarcOverride,
  DmarcReport,
  DmarcRow,
  PublishedDmarcPolicy,
} from './dmarc-report.ts'
import { ReportSyntaxError } from './report-syntax-error.ts'
import { domainOf, domainText, nameText, remarkText, reportIdText } from './report-text.ts'
import { type XmlElement, XmlSections, type XmlWork } from './xml-sections.ts'
import { XmlText } from './xml-text.ts'

/** LIMIT: rows that are kept, and characters of them as JSON; the rest is counted. */
const MAX_ROWS = 5000
const MAX_ROW_CHARACTERS = 2 * 1_048_576
/** LIMIT: signatures of one row that are kept; those that matter come first. RFC 9990 §3.1.3 */
const MAX_SIGNATURES = 50
/** LIMIT: SPF results (there is one), overrides, errors. */
const MAX_OTHERS = 10
/** LIMIT: seconds since 1970 in 11 digits: to the year 5138. */
const MAX_SECONDS = 99_999_999_999

const DISPOSITIONS = ['none', 'quarantine', 'reject'] as const
const AUTH_WORDS = ['none', 'pass', 'fail', 'softfail', 'neutral', 'policy', 'temperror', 'permerror'] as const
/** Words of drafts and of older standards. */
const OLD_AUTH_WORDS: Readonly<Record<string, AuthWord>> = { hardfail: 'fail', error: 'temperror' }
const OVERRIDES = [
  'forwarded',
  'sampled_out',
  'trusted_forwarder',
  'mailing_list',
  'local_policy',
  'policy_test_mode',
  'other',
] as const

type Metadata = Pick<
  DmarcReport,
  'organization' | 'contact' | 'extraContact' | 'reportId' | 'beginSeconds' | 'endSeconds' | 'errors' | 'generator'
>

/** Takes the octets in pieces of any size. */
export class DmarcReportReader {
  readonly #text = new XmlText()
  readonly #sections: XmlSections
  readonly #rows: DmarcRow[] = []
  #metadata: Metadata | undefined
  #policy: PublishedDmarcPolicy | undefined
  #characters = 0
  #omittedRows = 0
  #omittedMessages = 0

  constructor(work: XmlWork = { elements: 0, characters: 0 }) {
    this.#sections = new XmlSections('feedback', (section) => this.#take(section), work)
  }

  /** @throws ReportSyntaxError; nothing may be pushed after that */
  push(octets: Uint8Array): void {
    this.#sections.push(this.#text.push(octets))
  }

  /** @throws ReportSyntaxError */
  end(): DmarcReport {
    this.#sections.push(this.#text.end())
    this.#sections.end()
    const rows = this.#rows
    return {
      kind: 'dmarc',
      ...(this.#metadata ?? missing('report_metadata')),
      policy: this.#policy ?? missing('policy_published'),
      rows: rows.length > 0 ? rows : missing('record'),
      omittedRows: this.#omittedRows,
      omittedMessages: this.#omittedMessages,
    }
  }

  #take(section: XmlElement): void {
    if (section.name === 'report_metadata') this.#metadata ??= readMetadata(section)
    else if (section.name === 'policy_published') this.#policy ??= readPolicy(section)
    else if (section.name === 'record') this.#takeRow(section)
  }

  #takeRow(section: XmlElement): void {
    // What isn't kept is not worth more than its count.
    if (this.#rows.length >= MAX_ROWS) return this.#omit(countOf(section))
    const row = readRow(section)
    const characters = this.#characters + JSON.stringify(row).length
    if (characters > MAX_ROW_CHARACTERS && this.#rows.length > 0) return this.#omit(row.count)
    this.#characters = characters
    this.#rows.push(row)
  }

  #omit(count: number): void {
    this.#omittedRows += 1
    this.#omittedMessages = Math.min(Number.MAX_SAFE_INTEGER, this.#omittedMessages + count)
  }
}

/** RFC 9990 §3.1.1.3 */
function readMetadata(section: XmlElement): Metadata {
  const range = child(section, 'date_range')
  const contact = nameText(text(section, 'email'))
  const extraContact = remarkText(text(section, 'extra_contact_info'))
  const generator = nameText(text(section, 'generator'))
  return {
    organization: required(nameText(text(section, 'org_name')), 'org_name'),
    contact,
    ...(extraContact === '' ? {} : { extraContact }),
    reportId: reportIdText(text(section, 'report_id')) ?? missing('report_id'),
    beginSeconds: integer(text(range, 'begin'), MAX_SECONDS) ?? missing('begin'),
    endSeconds: integer(text(range, 'end'), MAX_SECONDS) ?? missing('end'),
    errors: all(section, 'error').map((error) => remarkText(error.text)).filter((error) => error !== ''),
    ...(generator === '' ? {} : { generator }),
  }
}

/** RFC 9990 §3.1.1.5 */
function readPolicy(section: XmlElement): PublishedDmarcPolicy {
  const word = (name: string): DmarcDisposition | undefined => oneOf(text(section, name), DISPOSITIONS)
  const sp = word('sp')
  const np = word('np')
  const adkim = oneOf(text(section, 'adkim'), ['r', 's'] as const)
  const aspf = oneOf(text(section, 'aspf'), ['r', 's'] as const)
  const fo = nameText(text(section, 'fo'))
  const pct = integer(text(section, 'pct'), 100)
  const testing = oneOf(text(section, 'testing'), ['y', 'n'] as const)
  const discovery = oneOf(text(section, 'discovery_method'), ['psl', 'treewalk'] as const)
  return {
    domain: domainOf(text(section, 'domain')) ?? missing('domain'),
    p: word('p') ?? missing('p'),
    ...(sp === undefined ? {} : { sp }),
    ...(np === undefined ? {} : { np }),
    ...(adkim === undefined ? {} : { adkim }),
    ...(aspf === undefined ? {} : { aspf }),
    ...(fo === '' ? {} : { fo }),
    ...(pct === undefined ? {} : { pct }),
    ...(testing === undefined ? {} : { testing: testing === 'y' }),
    ...(discovery === undefined ? {} : { discovery }),
  }
}

/** RFC 9990 §3.1.1.7 to §3.1.1.11 */
function readRow(section: XmlElement): DmarcRow {
  const row = child(section, 'row')
  const evaluated = child(row, 'policy_evaluated')
  const identifiers = child(section, 'identifiers')
  const results = child(section, 'auth_results')
  const disposition = oneOf(text(evaluated, 'disposition'), [...DISPOSITIONS, 'pass'] as const)
  const dkim = oneOf(text(evaluated, 'dkim'), ['pass', 'fail'] as const)
  const spf = oneOf(text(evaluated, 'spf'), ['pass', 'fail'] as const)
  const envelopeFrom = domainText(text(identifiers, 'envelope_from'))
  const envelopeTo = domainText(text(identifiers, 'envelope_to'))
  return {
    sourceIp: parseIpAddress(text(row, 'source_ip').trim())?.text ?? missing('source_ip'),
    count: countOf(section),
    ...(disposition === undefined ? {} : { disposition }),
    ...(dkim === undefined ? {} : { dkim }),
    ...(spf === undefined ? {} : { spf }),
    overrides: all(evaluated, 'reason').flatMap(readOverride),
    headerFrom: required(domainText(text(identifiers, 'header_from')), 'header_from'),
    ...(envelopeFrom === '' ? {} : { envelopeFrom }),
    ...(envelopeTo === '' ? {} : { envelopeTo }),
    dkimResults: all(results, 'dkim', MAX_SIGNATURES).map((element) => {
      const selector = nameText(text(element, 'selector'))
      return { ...readResult(element), ...(selector === '' ? {} : { selector }) }
    }),
    spfResults: all(results, 'spf').map((element) => {
      const scope = oneOf(text(element, 'scope'), ['mfrom', 'helo'] as const)
      return { ...readResult(element), ...(scope === undefined ? {} : { scope }) }
    }),
  }
}

function countOf(section: XmlElement): number {
  return integer(text(child(section, 'row'), 'count'), Number.MAX_SAFE_INTEGER) ?? missing('count')
}

/** QUIRK(several reporters): reasons that say nothing at all are none. */
function readOverride(element: XmlElement): DmarcOverride[] {
  const written = text(element, 'type').trim()
  const comment = remarkText(text(element, 'comment'))
  if (written === '' && comment === '') return []
  return [{ type: oneOf(written, OVERRIDES) ?? 'other', ...(comment === '' ? {} : { comment }) }]
}

function readResult(element: XmlElement): { domain: string; result: AuthWord; comment?: string } {
  const written = text(element, 'result').trim().toLowerCase()
  const old = Object.hasOwn(OLD_AUTH_WORDS, written) ? OLD_AUTH_WORDS[written] : undefined
  const comment = nameText(text(element, 'human_result'))
  return {
    domain: domainText(text(element, 'domain')),
    result: oneOf(written, AUTH_WORDS) ?? old ?? 'unknown',
    ...(comment === '' ? {} : { comment }),
  }
}

function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((candidate) => candidate.name === name)
}

function all(element: XmlElement | undefined, name: string, limit = MAX_OTHERS): XmlElement[] {
  return (element?.children ?? []).filter((candidate) => candidate.name === name).slice(0, limit)
}

function text(element: XmlElement | undefined, name: string): string {
  return child(element, name)?.text ?? ''
}

function oneOf<T extends string>(written: string, words: readonly T[]): T | undefined {
  const word = written.trim().toLowerCase()
  return words.find((candidate) => candidate === word)
}

function integer(written: string, max: number): number | undefined {
  const digits = written.trim()
  if (!/^[0-9]{1,16}$/.test(digits)) return undefined
  const value = Number(digits)
  return value <= max ? value : undefined
}

function required(value: string, name: string): string {
  return value === '' ? missing(name) : value
}

function missing(name: string): never {
  throw new ReportSyntaxError('REPORT_FIELD', `Expected element ${name}`)
}

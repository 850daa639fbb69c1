/** Rulesets of an address: which mailbox a message goes to, by its sender and its header. */
import { z } from 'zod'
import { AddressSyntaxError, isWithinDomain, parseDomain, type Domain } from '../address/index.ts'
import { createPattern, patternSchema, type Pattern } from './pattern.ts'

const domainText = z.string().refine((text) => domainOf(text) !== undefined, { error: 'Is not a domain name' })

export const mailboxSchema = z
  .string()
  .min(1)
  .max(1_000)
  .refine((name) => name === name.normalize('NFC'), { error: 'Must be Unicode in normalization form C' })

export const rulesetSchema = z
  .strictObject({
    mailFromPattern: patternSchema().optional().describe('Regular expression for the reverse-path, unanchored'),
    verifiedDomain: domainText.optional().describe('Domain, or a domain above it, that SPF or a DKIM signature authenticated'),
    headerPatterns: z
      .record(patternSchema({ lowerCase: true }), patternSchema({ lowerCase: true }))
      .default({})
      .describe('For each, some header field whose name in lower case matches has a value in lower case that matches'),
    listAllowDomain: domainText
      .optional()
      .describe('When exactly this domain is authenticated, the message is taken without any further check; no condition of the ruleset'),
    mailbox: mailboxSchema.describe('Where matching messages go'),
  })
  .refine((ruleset) => ruleset.mailFromPattern !== undefined || ruleset.verifiedDomain !== undefined || Object.keys(ruleset.headerPatterns).length > 0, {
    error: 'Needs a condition: mailFromPattern, verifiedDomain or headerPatterns',
  })

/** What rulesets are matched against. */
export interface RulesetSubject {
  /** The reverse-path without brackets, Unicode; empty for the null one. */
  readonly mailFrom: string
  /** The domain SPF passed for, of the reverse-path or of EHLO, and those of passing DKIM signatures: Unicode. */
  readonly verifiedDomains: readonly string[]
  /** Fields of the header, those added at reception too; undefined when it can't be read: then no ruleset matches. Asked for by rulesets that look at them. */
  fields(): readonly (readonly [name: string, value: string])[] | undefined
}

export interface Ruleset {
  readonly mailbox: string
  /** Unicode. */
  readonly listAllowDomain: string | undefined
  matches(subject: RulesetSubject): boolean
}

export function createRuleset(config: z.output<typeof rulesetSchema>): Ruleset {
  const mailFrom = config.mailFromPattern === undefined ? undefined : createPattern(config.mailFromPattern)
  const verified = domainOf(config.verifiedDomain)
  const headers = Object.entries(config.headerPatterns).map(([name, value]) => [createPattern(name), createPattern(value)] as const)
  return {
    mailbox: config.mailbox,
    listAllowDomain: domainOf(config.listAllowDomain)?.unicode,
    matches({ mailFrom: path, verifiedDomains, fields }) {
      if (mailFrom !== undefined && !mailFrom.test(path)) return false
      if (verified !== undefined && !verifiedDomains.some((name) => isAtOrBelow(name, verified))) return false
      if (headers.length === 0) return true
      const all = fields()
      return all !== undefined && headers.every(([name, value]) => hasField(all, name, value))
    },
  }
}

function hasField(fields: readonly (readonly [name: string, value: string])[], name: Pattern, value: Pattern): boolean {
  return fields.some(([fieldName, text]) => name.test(fieldName.toLowerCase()) && value.test(text.trim().toLowerCase()))
}

function isAtOrBelow(name: string, domain: Domain): boolean {
  const inner = domainOf(name)
  return inner !== undefined && isWithinDomain(inner, domain)
}

function domainOf(text: string | undefined): Domain | undefined {
  if (text === undefined) return undefined
  try {
    return parseDomain(text)
  } catch (error) {
    if (error instanceof AddressSyntaxError) return undefined
    throw error
  }
}

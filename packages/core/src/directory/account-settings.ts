/** What an account wants done with its mail, apart from who writes to it. */
import { z } from 'zod'
import { Flag, type Mailbox } from '../store/index.ts'
import { durationSchema } from '../quantities.ts'
import { createPattern, patternSchema, type Pattern } from './pattern.ts'
import { mailboxSchema } from './ruleset.ts'

/** How mailboxes say whether what is put there is junk. */
const junkFlagsSchema = z.strictObject({
  enabled: z.boolean().default(true),
  junkMailboxes: patternSchema().optional().describe('Mailboxes, in lower case, whose messages become $Junk'),
  neutralMailboxes: patternSchema().optional().describe('Mailboxes whose messages lose both flags'),
  notJunkMailboxes: patternSchema().optional().describe('Mailboxes whose messages become $NotJunk'),
})

/** What the filter of content does for an account. */
const junkFilterSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('Learn from messages with $Junk or $NotJunk, and judge unknown senders by the words of their messages'),
  scoring: z.string().min(1).max(100).optional().describe('How words are put together, by its name in the filter; default: the one that measured best'),
})

/** With exactly two of the three patterns, all mailboxes that match neither belong to the third. */
const DEFAULT_JUNK_FLAGS: z.input<typeof junkFlagsSchema> = {
  enabled: true,
  junkMailboxes: '^(junk|spam)',
  neutralMailboxes: '^(inbox|neutral|postmaster|dmarc|tlsrpt|rejects)',
}

/** The settings' share of an account's configuration. */
export const accountSettingsShape = {
  rejectsMailbox: z
    .union([mailboxSchema, z.literal('')])
    .default('Rejects')
    .refine((name) => name.toLowerCase() !== 'inbox', { error: 'Can not be the inbox' })
    .describe('Where rejected messages are kept for 14 days, at most 1,000; "" keeps none'),
  subjectPassPeriod: durationSchema({ max: 31_536_000_000 }).default(43_200_000).describe('How long a subject pass holds; 0 gives none'),
  junkFlags: junkFlagsSchema.default(junkFlagsSchema.parse(DEFAULT_JUNK_FLAGS)).describe('Which mailboxes mean junk and which do not'),
  junkFilter: junkFilterSchema.default(junkFilterSchema.parse({})).describe('The filter of content, which learns by flags'),
  junkThreshold: z.number().min(0).max(1).optional().describe('Probability from which the filter of content rejects; default: that of its scoring'),
} as const

export interface AccountSettings {
  /** Undefined: rejects are not kept. */
  readonly rejectsMailbox: string | undefined
  /** 0: no subject passes. */
  readonly subjectPassSeconds: number
  readonly junkFilter: { readonly enabled: boolean; readonly scoring?: string | undefined }
  /** Undefined: that of the scoring. */
  readonly junkThreshold: number | undefined
  /** Bits of `Flag` that a message put there gets and loses; undefined leaves them alone. */
  junkFlagsOf(mailbox: Pick<Mailbox, 'name' | 'specialUse'>): { readonly set: number; readonly clear: number } | undefined
}

export interface AccountSettingsConfig {
  readonly rejectsMailbox: string
  readonly subjectPassPeriod: number
  readonly junkFlags: z.output<typeof junkFlagsSchema>
  readonly junkFilter: z.output<typeof junkFilterSchema>
  readonly junkThreshold?: number | undefined
}

const JUNK = { set: Flag.junk, clear: Flag.notJunk }
const NEUTRAL = { set: 0, clear: Flag.junk | Flag.notJunk }
const NOT_JUNK = { set: Flag.notJunk, clear: Flag.junk }

export function createAccountSettings(config: AccountSettingsConfig): AccountSettings {
  const { enabled, junkMailboxes, neutralMailboxes, notJunkMailboxes } = config.junkFlags
  const classes = [
    { pattern: compiled(junkMailboxes), flags: JUNK },
    { pattern: compiled(neutralMailboxes), flags: NEUTRAL },
    { pattern: compiled(notJunkMailboxes), flags: NOT_JUNK },
  ]
  const unset = classes.filter(({ pattern }) => pattern === undefined)
  const rest = unset.length === 1 ? unset[0]?.flags : undefined
  return {
    rejectsMailbox: config.rejectsMailbox === '' ? undefined : config.rejectsMailbox,
    subjectPassSeconds: Math.floor(config.subjectPassPeriod / 1_000),
    junkFilter: config.junkFilter,
    junkThreshold: config.junkThreshold,
    junkFlagsOf({ name, specialUse }) {
      if (!enabled) return undefined
      // Whatever it is called: clients move junk there.
      if (specialUse.includes('\\Junk')) return JUNK
      const lower = name.toLowerCase()
      return classes.find(({ pattern }) => pattern?.test(lower) === true)?.flags ?? rest
    },
  }
}

function compiled(source: string | undefined): Pattern | undefined {
  return source === undefined ? undefined : createPattern(source)
}

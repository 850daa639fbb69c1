/**
 * DSN: what senders want to be told of a message's fate. RFC 3461 §4. For submission only: strangers are told within the
 * conversation what becomes of their mail, and get no notices that could go to somebody else (threat 26).
 */
import { WireSyntaxError } from '@postern/core/conversation'
import { badParameter } from '../../syntax/reply-codes.ts'
import { decodeXtext } from '../../syntax/xtext.ts'
import type { DsnParameters, MailParameters, NotifyCondition, RecipientOptions } from '../session/backend.ts'
import type { Extension, ParameterReading } from './extension.ts'

/** RFC 3461 §5.4 */
const MAX_ENVELOPE_ID = 100
const MAX_ORIGINAL_RECIPIENT = 500

const CONDITIONS: readonly NotifyCondition[] = ['SUCCESS', 'FAILURE', 'DELAY']

export const dsn: Extension = {
  isOffered: (session) => session.settings.mode === 'submission',
  announce: () => 'DSN',
  mailParameters: [
    {
      keyword: 'RET',
      // "FULL" / "HDRS"      RFC 3461 §4.3
      read(value, _, before) {
        const ret = value?.toUpperCase()
        if (ret !== 'FULL' && ret !== 'HDRS') return refuse('RET=FULL or RET=HDRS')
        return said(before, { ret })
      },
    },
    {
      keyword: 'ENVID',
      // envid-parameter = "ENVID=" xtext      RFC 3461 §4.4
      read(value, _, before) {
        const envelopeId = value === undefined ? undefined : decodePrintable(value)
        if (envelopeId === undefined || envelopeId.length > MAX_ENVELOPE_ID) return refuse('ENVID=xtext of at most 100 printable characters')
        return said(before, { envelopeId })
      },
    },
  ],
  rcptParameters: [
    {
      keyword: 'NOTIFY',
      // notify-esmtp-value = "NEVER" / 1#notify-list-element      RFC 3461 §4.1
      read(value) {
        const words = value?.toUpperCase().split(',') ?? []
        if (words.length === 1 && words[0] === 'NEVER') return { kind: 'said', said: { notify: [] } }
        const isList = words.length > 0 && words.every((word) => CONDITIONS.some((condition) => condition === word))
        if (!isList) return refuse('NOTIFY=NEVER or a list of SUCCESS, FAILURE, DELAY')
        return { kind: 'said', said: { notify: CONDITIONS.filter((condition) => words.includes(condition)) } }
      },
    },
    { keyword: 'ORCPT', read: readOriginalRecipient },
  ],
}

// original-recipient-address = addr-type ";" xtext, addr-type = atom      RFC 3461 §4.2
function readOriginalRecipient(value: string | undefined): ParameterReading<RecipientOptions> {
  const expected = 'ORCPT=type;xtext of at most 500 characters'
  const groups = /^(?<type>[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+);(?<text>.+)$/u.exec(value ?? '')?.groups
  if (groups === undefined || (value as string).length > MAX_ORIGINAL_RECIPIENT) return refuse(expected)
  const { type = '', text = '' } = groups
  const addressType = type.toLowerCase()
  // With SMTPUTF8 on offer it may hold anything printable, and must be kept as it is. RFC 6533 §3
  const address = addressType === 'utf-8' ? text : decodePrintable(text)
  return address === undefined ? refuse(expected) : { kind: 'said', said: { originalRecipient: { addressType, address } } }
}

function said(before: Partial<MailParameters>, more: DsnParameters): ParameterReading<MailParameters> {
  return { kind: 'said', said: { dsn: { ...before.dsn, ...more } } }
}

function refuse(expected: string): { readonly kind: 'refuse'; readonly reply: ReturnType<typeof badParameter> } {
  return { kind: 'refuse', reply: badParameter(expected) }
}

/** xtext of printable ASCII, spaces among it: nothing else can stand in a notice. @returns undefined for anything else */
function decodePrintable(xtext: string): string | undefined {
  try {
    const text = Buffer.from(decodeXtext(xtext)).toString('latin1')
    return /^[ -~]+$/.test(text) ? text : undefined
  } catch (error) {
    if (error instanceof WireSyntaxError) return undefined
    throw error
  }
}

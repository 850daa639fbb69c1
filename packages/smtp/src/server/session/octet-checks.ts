/** What the octets of a message may not be, looked at as they come. Not here: where DATA ends, which core's frames find. */
import { bareNewline, eightBitData } from '../../syntax/reply-codes.ts'
import type { Reply } from '../../syntax/reply.ts'
import type { MailParameters } from './backend.ts'
import type { SessionSettings } from './settings.ts'

const CR = 0x0d
const LF = 0x0a

/** A check of one message. */
export interface OctetCheck {
  /** Looks at the next octets. @returns the refusal they bring upon the message */
  look(octets: Uint8Array): Reply | undefined
  /** There are no more. */
  end(): Reply | undefined
}

/**
 * Refuses a bare CR or LF: DATA can't have them, so a message that came by count must not either, or it would end
 * elsewhere for the next server. RFC 5321 §2.3.8; threat 1
 */
export function createNewlineCheck(): OctetCheck {
  let isAfterCr = false
  return {
    look(octets) {
      let at = 0
      while (at < octets.length) {
        if (isAfterCr) {
          if (octets[at] !== LF) return bareNewline
          isAfterCr = false
          at += 1
          continue
        }
        // In a sound message both lie side by side, so that each octet is looked at twice and no more.
        const cr = octets.indexOf(CR, at)
        const lf = octets.indexOf(LF, at)
        if (lf >= 0 && (cr < 0 || lf < cr)) return bareNewline
        if (cr < 0) return undefined
        isAfterCr = true
        at = cr + 1
      }
      return undefined
    },
    end: () => (isAfterCr ? bareNewline : undefined),
  }
}

/** Refuses octets beyond ASCII, for messages that were not announced as holding any. RFC 6152 §3 */
export function createSevenBitCheck(): OctetCheck {
  return {
    look: (octets) => (octets.some((octet) => octet >= 0x80) ? eightBitData : undefined),
    end: () => undefined,
  }
}

/** Checks of a message that comes by DATA, whose line ends framing looks after. */
export function selectChecks(mail: MailParameters, { mode, pedantic }: SessionSettings): readonly OctetCheck[] {
  return pedantic && mode === 'submission' && mail.body === '7BIT' ? [createSevenBitCheck()] : []
}

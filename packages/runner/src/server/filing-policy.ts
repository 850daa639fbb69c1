/** What accounts want done with messages that get a place: junk flags by mailbox, and who was written to by what is sent. */
import { addressesOf, correspondentsOf } from '@postern/core/analysis'
import type { Directory } from '@postern/core/directory'
import { organizationalDomain } from '@postern/core/provenance'
import type { Correspondent, FilingPolicy } from '@postern/core/store'

/** LIMIT: recipients remembered of one message. */
const MAX_CORRESPONDENTS = 1_000

/** @param directory the newest */
export function filingPolicyOf(account: string, directory: () => Directory): FilingPolicy {
  return {
    flagsOnEntering: (mailbox) => directory().settingsOf(account)?.junkFlagsOf(mailbox),
    correspondents({ name, specialUse }, envelope) {
      if (!specialUse.includes('\\Sent') && name.toLowerCase() !== 'sent') return []
      const found = new Map<string, Correspondent>()
      for (const field of [envelope.to, envelope.cc, envelope.bcc]) {
        for (const address of field === undefined ? [] : addressesOf(field)) {
          if (found.size >= MAX_CORRESPONDENTS) break
          for (const correspondent of correspondentsOf(address, organizationalDomain(address.domain.unicode))) {
            found.set(`${correspondent.level} ${correspondent.value}`, correspondent)
          }
        }
      }
      return [...found.values()]
    },
  }
}

/** SIZE: how large a message may be, and how large one will be. RFC 1870 */
import { badParameter, messageTooLarge } from '../../syntax/reply-codes.ts'
import type { Extension } from './extension.ts'

export const size: Extension = {
  announce: (session) => `SIZE ${session.settings.limits.maxMessageOctets}`,
  mailParameters: [
    {
      keyword: 'SIZE',
      // size-value = 1*20DIGIT      RFC 1870 §4
      read(value, session) {
        if (value === undefined || !/^[0-9]{1,20}$/.test(value)) return { kind: 'refuse', reply: badParameter('SIZE=octets') }
        const sizeOctets = Number(value)
        if (sizeOctets > session.settings.limits.maxMessageOctets) return { kind: 'refuse', reply: messageTooLarge }
        return { kind: 'said', said: { sizeOctets } }
      },
    },
  ],
}

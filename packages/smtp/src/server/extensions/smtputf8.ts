/** SMTPUTF8: addresses and header fields beyond ASCII. RFC 6531 */
import { badParameter } from '../../syntax/reply-codes.ts'
import type { Extension } from './extension.ts'

export const smtputf8: Extension = {
  announce: () => 'SMTPUTF8',
  mailParameters: [
    {
      keyword: 'SMTPUTF8',
      // It has no value: RFC 6531 §3.4.
      read(value) {
        if (value !== undefined) return { kind: 'refuse', reply: badParameter('SMTPUTF8 without a value') }
        return { kind: 'said', said: { smtputf8: true } }
      },
    },
  ],
}

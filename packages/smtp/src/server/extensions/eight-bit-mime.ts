/** 8BITMIME: bodies with octets beyond ASCII. RFC 6152. Octets are taken as they come, whatever was said, but from users when pedantic. */
import { badParameter } from '../../syntax/reply-codes.ts'
import type { Extension } from './extension.ts'

export const eightBitMime: Extension = {
  announce: () => '8BITMIME',
  mailParameters: [
    {
      keyword: 'BODY',
      // body-value = "7BIT" / "8BITMIME"      RFC 6152 §2
      read(value) {
        const body = value?.toUpperCase()
        if (body !== '7BIT' && body !== '8BITMIME') return { kind: 'refuse', reply: badParameter('BODY=7BIT or BODY=8BITMIME') }
        return { kind: 'said', said: { body } }
      },
    },
  ],
}

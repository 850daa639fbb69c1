/** ENHANCEDSTATUSCODES: replies carry a second, finer code. RFC 2034. They do so in any case. */
import type { Extension } from './extension.ts'

export const enhancedStatusCodes: Extension = { announce: () => 'ENHANCEDSTATUSCODES' }

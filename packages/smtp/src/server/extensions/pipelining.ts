/** PIPELINING: commands may come before their predecessors' replies. RFC 2920. The engine does so in any case. */
import type { Extension } from './extension.ts'

export const pipelining: Extension = { announce: () => 'PIPELINING' }

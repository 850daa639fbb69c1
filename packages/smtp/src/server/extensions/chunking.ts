/** CHUNKING: messages by BDAT. RFC 3030 §2. Without BINARYMIME: lines end in CR LF here, however a message comes. */
import type { Extension } from './extension.ts'

export const chunking: Extension = { announce: () => 'CHUNKING' }

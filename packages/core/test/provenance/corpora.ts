// Where the data nobody here wrote lies, when it does.
import { join } from 'node:path'

export const corpora = process.env['POSTERN_CORPORA'] ?? join(import.meta.dirname, '../../../../../shared/corpora')

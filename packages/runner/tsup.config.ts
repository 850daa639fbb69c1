import { defineConfig } from 'tsup'
import { base, publicEntries } from '../../tsup.base.ts'

export default defineConfig({ ...base, entry: { ...publicEntries('.'), 'cli/main': 'src/cli/main.ts', 'message-thread': 'src/server/message-thread-program.ts' } })

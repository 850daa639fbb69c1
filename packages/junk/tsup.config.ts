import { defineConfig } from 'tsup'
import { base, publicEntries } from '../../tsup.base.ts'

export default defineConfig({ ...base, entry: publicEntries('.') })

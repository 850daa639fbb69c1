import { defineConfig } from 'tsup'
import { base, roomEntries } from '../../tsup.base.ts'

export default defineConfig({ ...base, entry: roomEntries('.') })

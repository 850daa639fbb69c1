// `npm test`: installs, then runs every gate. Plain JavaScript, as nothing is installed yet.
import { runPnpm } from './pnpm.mjs'

await runPnpm(['install', '--frozen-lockfile', '--prefer-offline'], { quiet: true })
await runPnpm(['ok', ...process.argv.slice(2)])

// `npm start`: installs, builds and runs the local development server. Plain JavaScript, as nothing is installed yet.
import { runPnpm, run } from './pnpm.mjs'

await runPnpm(['install', '--frozen-lockfile', '--prefer-offline'], { quiet: true })
// Without type declarations, which nobody needs to run it and which take most of the time.
await runPnpm(['build', '--no-dts'], { quiet: true })
process.exit(await run(process.execPath, ['packages/runner/dist/cli/main.js', 'localserve', ...process.argv.slice(2)]))

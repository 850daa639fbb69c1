// Finds or fetches pnpm at the version this workspace is proven with; needs nothing but Node and npm.
import { spawn, spawnSync } from 'node:child_process'

const VERSION = '12.21.0'

/** Command and leading arguments that run pnpm: the installed one when it is of the right version, else npx fetches it. */
function pnpmCommand() {
  const found = spawnSync('pnpm', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  if (found.status === 0 && found.stdout.trim().split('.')[0] === VERSION.split('.')[0]) return ['pnpm']
  return ['npx', '-y', `pnpm@${VERSION}`]
}

/** Runs a program with our standard streams; signals go to it. Resolves with its exit code. */
export function run(command, args, { quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit' })
    let output = ''
    child.stdout?.on('data', (text) => (output += text))
    child.stderr?.on('data', (text) => (output += text))
    // The terminal signals the whole group already; a supervisor signals only us.
    const forward = (signal) => child.kill(signal)
    process.on('SIGINT', () => {})
    process.on('SIGTERM', forward)
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      process.off('SIGTERM', forward)
      if (quiet && code !== 0) process.stderr.write(output)
      resolve(code ?? (signal === null ? 1 : 128))
    })
  })
}

/** Runs pnpm; ends this process when it fails. */
export async function runPnpm(args, options) {
  const [command, ...leading] = pnpmCommand()
  const code = await run(command, [...leading, ...args], options)
  if (code !== 0) process.exit(code)
}

// Packs every package as npm would get it and lints the tarballs: in the folders the development condition is still there.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const out = mkdtempSync(join(tmpdir(), 'postern-packed-'))
try {
  for (const dir of readdirSync('packages')) {
    execFileSync('pnpm', ['pack', '--pack-destination', out], { cwd: join('packages', dir), stdio: ['ignore', 'ignore', 'inherit'] })
  }
  for (const tarball of readdirSync(out)) {
    const path = join(out, tarball)
    execFileSync('pnpm', ['exec', 'publint', 'run', path, '--strict'], { stdio: ['ignore', 'ignore', 'inherit'] })
    execFileSync('pnpm', ['exec', 'attw', path, '--profile', 'esm-only', '-f', 'ascii'], { stdio: ['ignore', 'ignore', 'inherit'] })
    console.log(`${tarball} is fit to publish`)
  }
} finally {
  rmSync(out, { recursive: true, force: true })
}

/**
 * Debian's Exim beside Postfix: as packages the two exclude each other, so that Exim and what it needs and isn't there
 * are only downloaded and unpacked. Nothing is installed or removed.
 */
import { chmod, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from '../host/dns-programs.ts'
import { runProgram } from './local-server.ts'

export interface Exim {
  readonly program: string
  /** Where libraries lie that aren't installed; '' when none are needed. */
  readonly libraryPath: string
}

/** @returns why Exim can't be had here, as far as that can be told at once */
export function findEximObstacle(): string | undefined {
  if (findProgram('exim4') !== undefined) return undefined
  const missing = ['apt-get', 'dpkg-deb'].find((program) => findProgram(program) === undefined)
  return missing === undefined ? undefined : `neither exim4 nor ${missing} is installed`
}

/** @param dir made here, where others may enter @returns Exim, or why there is none */
export async function unpackExim(dir: string): Promise<Exim | { readonly obstacle: string }> {
  const installed = findProgram('exim4')
  if (installed !== undefined) return { program: installed, libraryPath: '' }
  await mkdir(dir)
  const settings = [`Dir::Cache::archives=${dir}`, 'APT::Sandbox::User=root', 'Debug::NoLocking=true', 'Acquire::http::Timeout=10', 'Acquire::Retries=0']
  // With --download-only the packages it would remove stay.
  const fetched = await runProgram('apt-get', ['--download-only', '--yes', '--no-install-recommends', ...settings.flatMap((setting) => ['-o', setting]), 'install', 'exim4-daemon-light'])
  const packages = (await readdir(dir)).filter((name) => name.endsWith('.deb'))
  if (fetched.code !== 0 || packages.length === 0) return { obstacle: 'the packages of Exim could not be downloaded' }
  const root = join(dir, 'root')
  for (const name of packages) {
    const unpacked = await runProgram('dpkg-deb', ['--extract', join(dir, name), root])
    if (unpacked.code !== 0) return { obstacle: `${name} could not be unpacked` }
  }
  const folders = ['usr/lib', 'lib'].map((folder) => join(root, folder))
  const libraries = await Promise.all(folders.map(async (folder) => (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('-linux-gnu')).map((name) => join(folder, name))))
  const program = join(root, 'usr', 'sbin', 'exim4')
  // With the set-user-ID bit, run anew by itself as its own user, it would not look for libraries there.
  await chmod(program, 0o755)
  return { program, libraryPath: libraries.flat().join(':') }
}

/** The development server on free ports and in a temporary directory, as other people's programs meet it. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '../../src/host/log.ts'
import { createLocalserve } from '../../src/setup/localserve.ts'
import type { MailServer } from '../../src/index.ts'

export { LOCALSERVE_ADDRESS as ADDRESS, LOCALSERVE_PASSWORD as PASSWORD } from '../../src/setup/localserve.ts'

export interface LocalServer {
  readonly server: MailServer
  readonly dir: string
  readonly smtpPort: number
  readonly imapPort: number
  readonly imapsPort: number
  close(): Promise<void>
}

export async function startLocalServer(): Promise<LocalServer> {
  const dir = await mkdtemp(join(tmpdir(), 'postern-interop-'))
  const server = await createLocalserve({ dir: join(dir, 'server'), addresses: ['127.0.0.1'], portBase: 0 }, { logger: createLogger({ level: 'silent' }) })
  const endpoints = await server.listen()
  const portOf = (protocol: string): number => endpoints.find((endpoint) => endpoint.protocol === protocol)?.port ?? 0
  return {
    server,
    dir,
    smtpPort: portOf('smtp'),
    imapPort: portOf('imap'),
    imapsPort: portOf('imaps'),
    async close() {
      await server.close({ drain: 0 })
      await rm(dir, { recursive: true, force: true })
    },
  }
}

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end without a shell; at most 60 s. */
export function runProgram(program: string, args: readonly string[], options: { readonly input?: string; readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      { timeout: 60_000, maxBuffer: 64 * 1024 * 1024, encoding: 'latin1', cwd: options.cwd, env: { ...process.env, ...options.env } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 255
        resolve({ code, stdout, stderr })
      },
    )
    child.stdin?.on('error', () => {})
    child.stdin?.end(options.input ?? '')
  })
}

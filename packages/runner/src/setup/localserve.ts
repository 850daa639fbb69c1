/** The development server: a complete server on loopback with one account that gets every mail, kept in one directory. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { noAdmissionLimits } from '@postern/core/admission'
import type { ConfigInput } from '@postern/core/config'
import { systemClock } from '../host/clock.ts'
import type { MailServer, MailServerOptions } from '../server/mail-server.ts'
import { startMailServer } from '../server/start-mail-server.ts'
import { createSelfSignedCertificate } from './self-signed-certificate.ts'
import { withSpecialLocalparts } from './special-localparts.ts'

export const LOCALSERVE_ACCOUNT = 'postern'
export const LOCALSERVE_ADDRESS = 'postern@localhost'
export const LOCALSERVE_PASSWORD = 'posternpostern'

export interface LocalserveSettings {
  /** Made when it isn't there; keeps mail, certificate and keys. */
  readonly dir: string
  /** Default: 127.0.0.1 and ::1. */
  readonly addresses: readonly string[]
  /** Added to the usual ports 25, 143, 993; 0 takes free ones. */
  readonly portBase: number
}

/** Makes the development server, not yet listening. Rejects with `StoreError` STORE_LOCKED when it is running already. */
export async function createLocalserve(settings: LocalserveSettings, options: MailServerOptions = {}): Promise<MailServer> {
  const { dir, addresses, portBase } = settings
  const port = (usual: number): number => (portBase === 0 ? 0 : portBase + usual)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const config: ConfigInput = {
    hostname: 'localhost',
    checkSenders: false,
    pedantic: true,
    dataDir: join(dir, 'data'),
    listeners: {
      local: {
        addresses: [...addresses],
        tls: await certificateIn(dir),
        smtp: { port: port(25) },
        imap: { port: port(143), allowPlainLogin: true },
        imaps: { port: port(993) },
      },
    },
    domains: { localhost: {} },
    accounts: { [LOCALSERVE_ACCOUNT]: { addresses: [LOCALSERVE_ADDRESS, '*'] } },
    postmaster: LOCALSERVE_ACCOUNT,
  }
  const clock = options.clock ?? systemClock
  const server = await startMailServer(
    config,
    { legacyMechanisms: true, limits: noAdmissionLimits, ...options },
    { smtpBackend: (backend) => withSpecialLocalparts(backend, clock), passwords: { [LOCALSERVE_ACCOUNT]: LOCALSERVE_PASSWORD } },
  )
  return server
}

/** The certificate kept in the directory, made at the first start. */
async function certificateIn(dir: string): Promise<{ readonly certificate: string; readonly key: string }> {
  const paths = { certificate: join(dir, 'localhost.crt'), key: join(dir, 'localhost.key') }
  try {
    await readFile(paths.certificate)
    await readFile(paths.key)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const made = await createSelfSignedCertificate(['localhost', '127.0.0.1', '::1'], Date.now())
    await writeFile(paths.key, made.key, { mode: 0o600 })
    await writeFile(paths.certificate, made.certificate)
  }
  return paths
}

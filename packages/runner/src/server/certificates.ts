/** Certificates from the configuration: the PEM texts themselves, or files that hold them. */
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import { ConfigError, type ConfigIssue, type ListenerConfig } from '@postern/core/config'

/** Reads and checks the certificate of a listener. Rejects with `ConfigError` naming all that can't be read, or what doesn't fit. */
export async function loadSecureContext(listener: string, tls: NonNullable<ListenerConfig['tls']>): Promise<SecureContext> {
  const [cert, key] = await Promise.all([readPem(listener, 'certificate', tls.certificate), readPem(listener, 'key', tls.key)])
  if (typeof cert !== 'string' || typeof key !== 'string') throw new ConfigError([cert, key].filter((read) => typeof read !== 'string'))
  try {
    return createSecureContext({ cert, key, minVersion: tls.minVersion })
  } catch (error) {
    throw new ConfigError([issue(listener, 'certificate', `Certificate and key can't be used: ${(error as Error).message}`)])
  }
}

async function readPem(listener: string, field: 'certificate' | 'key', value: string): Promise<string | ConfigIssue> {
  if (value.includes('-----BEGIN ')) return value
  try {
    return await readFile(value, 'utf8')
  } catch (error) {
    return issue(listener, field, `Can't be read: ${(error as Error).message}`)
  }
}

function issue(listener: string, field: string, text: string): ConfigIssue {
  return { severity: 'error', path: ['listeners', listener, 'tls', field], code: 'invalid', text }
}

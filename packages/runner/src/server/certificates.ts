/** Certificates from the configuration: the PEM texts themselves, or files that hold them. */
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import { ConfigError, type ListenerConfig } from '@postern/core/config'

/** Reads and checks the certificate of a listener. Rejects with `ConfigError` naming what can't be read or doesn't fit. */
export async function loadSecureContext(listener: string, tls: NonNullable<ListenerConfig['tls']>): Promise<SecureContext> {
  const [cert, key] = await Promise.all([readPem(listener, 'certificate', tls.certificate), readPem(listener, 'key', tls.key)])
  try {
    return createSecureContext({ cert, key, minVersion: tls.minVersion })
  } catch (error) {
    throw invalid(listener, 'certificate', `Certificate and key can't be used: ${(error as Error).message}`)
  }
}

async function readPem(listener: string, field: 'certificate' | 'key', value: string): Promise<string> {
  if (value.includes('-----BEGIN ')) return value
  try {
    return await readFile(value, 'utf8')
  } catch (error) {
    throw invalid(listener, field, `Can't be read: ${(error as Error).message}`)
  }
}

function invalid(listener: string, field: string, text: string): ConfigError {
  return new ConfigError([{ severity: 'error', path: ['listeners', listener, 'tls', field], code: 'invalid', text }])
}

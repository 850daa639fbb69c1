/** The one function an embedder needs. */
import type { ConfigInput } from '@postern/core/config'
import type { MailServer, MailServerOptions } from './mail-server.ts'
import { startMailServer } from './start-mail-server.ts'

/**
 * Makes a mail server: checks the configuration, opens the store, brings the accounts into it; starts no listener.
 * Rejects with `ConfigError` (all issues, not the first), or with `StoreError` when the store can't be opened
 * (`STORE_LOCKED`: another process has it).
 */
export function createMailServer(config: ConfigInput, options: MailServerOptions = {}): Promise<MailServer> {
  return startMailServer(config, options)
}

/** Another mail server in a mail network, that sends to ours. Ends with the network. */
import type { Ran } from './local-server.ts'

export interface NetworkMta {
  readonly name: string
  /** It sends for this domain. */
  readonly domain: string
  readonly address: string
  /** Gives it a message as text with lines ending in LF; resolves when it has taken it, or has tried to send it. */
  submit(sender: string, recipients: readonly string[], message: string): Promise<Ran>
  /** How it logs that somebody connected to it, and that it made a bounce. */
  readonly logged: { readonly connection: RegExp; readonly bounce: RegExp }
  /** All it has logged. */
  log(): Promise<string>
}

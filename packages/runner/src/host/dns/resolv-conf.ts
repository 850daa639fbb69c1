/**
 * The file that tells which name servers to ask, as resolv.conf(5) has it.
 * Not here: search lists, since names are absolute.
 */
import { type NameServer, parseNameServer } from './name-server.ts'

/** Whom to ask, and how patiently. */
export interface ServerSettings {
  /** At least one. */
  readonly servers: readonly NameServer[]
  /** How long one server may take for one packet; 1,000 to 30,000. */
  readonly timeoutMs: number
  /** How often each server is asked that stays silent; 1 to 5. */
  readonly attempts: number
  /** Begin with another server each time. */
  readonly rotate: boolean
}

/** LIMIT: as in the C library, MAXNS. */
const MAX_SERVERS = 3
/** resolv.conf(5): without a nameserver line, the one of this machine. */
const LOCAL_SERVER: NameServer = { address: '127.0.0.1', port: 53 }
const DEFAULT_TIMEOUT_SECONDS = 5
const DEFAULT_ATTEMPTS = 2

/** Reads the text of the file; lines that can't be read are passed over, values out of bounds are brought into them. */
export function parseResolvConf(text: string): ServerSettings {
  const servers: NameServer[] = []
  let timeoutSeconds = DEFAULT_TIMEOUT_SECONDS
  let attempts = DEFAULT_ATTEMPTS
  let rotate = false
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.split(/[;#]/, 1)[0]?.trim().split(/[ \t]+/) ?? []
    if (keyword === 'nameserver') {
      const server = parseNameServer(words[0] ?? '')
      if (server !== undefined && servers.length < MAX_SERVERS) servers.push(server)
    } else if (keyword === 'options') {
      for (const word of words) {
        if (word === 'rotate') rotate = true
        timeoutSeconds = numberAfter('timeout:', word) ?? timeoutSeconds
        attempts = numberAfter('attempts:', word) ?? attempts
      }
    }
  }
  return {
    servers: servers.length > 0 ? servers : [LOCAL_SERVER],
    timeoutMs: 1_000 * Math.min(Math.max(timeoutSeconds, 1), 30),
    attempts: Math.min(Math.max(attempts, 1), 5),
    rotate,
  }
}

function numberAfter(prefix: string, word: string): number | undefined {
  const digits = word.startsWith(prefix) ? word.slice(prefix.length) : ''
  return /^[0-9]{1,9}$/.test(digits) ? Number(digits) : undefined
}

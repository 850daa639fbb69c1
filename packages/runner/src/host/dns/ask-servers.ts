/**
 * One question to all servers there are, until one has an answer. RFC 1035 §4.2.1, resolv.conf(5).
 * Not here: caches, and the aliases that lead to a further question.
 */
import { WireSyntaxError } from '@postern/core/conversation'
import { DnsError, type DnsKind } from '@postern/core/host'
import type { DnsQuestion } from './dns-message.ts'
import { exchange, type ExchangeContext } from './exchange.ts'
import { isLoopback, type NameServer } from './name-server.ts'
import { type AnswerReading, readAnswer } from './read-answer.ts'
import type { ServerSettings } from './resolv-conf.ts'

export interface AskOptions extends Omit<ExchangeContext, 'timeoutMs'> {
  readonly settings: ServerSettings
  /** Where to begin, counted from the first server. */
  readonly first: number
  /** Servers besides those of this machine whose word on DNSSEC is taken. */
  readonly isTrusted: (server: NameServer) => boolean
  /** The aliases that led to this question. */
  readonly passed: ReadonlySet<string>
}

export type Answered<K extends DnsKind> = Exclude<AnswerReading<K>, { readonly kind: 'refused' }> & {
  readonly authentic: boolean
}

/**
 * Asks each server in turn and those that were silent again, `settings.attempts` times in all.
 * Rejects with `DnsError` TIMEOUT when all were silent, SERVFAIL when one at least did other than that; or with the
 * signal's reason.
 */
export async function askServers<K extends DnsKind>(
  question: DnsQuestion & { readonly kind: K },
  options: AskOptions,
): Promise<Answered<K>> {
  const { settings, first, isTrusted, passed, ...context } = options
  const { servers, timeoutMs, attempts } = settings
  const silent = new Set(servers.map((_, i) => servers[(first + i) % servers.length] as NameServer))
  const reasons: string[] = []
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    for (const server of silent) {
      const result = await exchange(server, question, { ...context, timeoutMs })
      if (result.kind === 'timeout') continue
      if (result.kind === 'message') {
        const reading = readOrRefuse(() => readAnswer(result.message, question, passed))
        if (reading.kind !== 'refused') {
          const { authenticData } = result.message.head
          return { ...reading, authentic: authenticData && (isLoopback(server) || isTrusted(server)) }
        }
        context.onEvent('refused')
        reasons.push(reading.reason)
      } else {
        reasons.push(result.kind)
      }
      // It had its say; another try would only repeat it.
      silent.delete(server)
    }
  }
  const asked = `${question.kind} ${question.name}`
  if (reasons.length === 0) throw new DnsError('TIMEOUT', `${asked}: no server answered`)
  throw new DnsError('SERVFAIL', `${asked}: ${reasons.join(', ')}`)
}

function readOrRefuse<K extends DnsKind>(read: () => AnswerReading<K>): AnswerReading<K> {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof WireSyntaxError)) throw error
    return { kind: 'refused', reason: error.message }
  }
}

/**
 * What a server counts: one place with every name, fed by its events and by a few calls where no event is told. Labels
 * are words of ours; what strangers write, their verbs included, never becomes one.
 */
import type { AnalysisSummary } from '@postern/core/analysis'
import type { Counter, Metrics } from '@postern/core/host'
import type { BlockListing } from '@postern/core/provenance'
import type { EventHub, Protocol } from './events.ts'
import type { HookOutcome } from './hooks.ts'

/** Upper bounds in seconds: an answer from memory, one from the disk, one that hashed or asked DNS, one that waited. */
const SERVING_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60] as const
const LOOKUP_SECONDS = [0.001, 0.01, 0.05, 0.2, 1, 5, 20] as const
const JUDGING_SECONDS = [0.002, 0.01, 0.05, 0.2, 1, 5] as const

/** Mechanisms by name; a client may ask for any other. */
const MECHANISMS: ReadonlySet<string> = new Set(['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS', 'CRAM-MD5', 'PLAIN', 'LOGIN'])

export type ServerMetrics = ReturnType<typeof createServerMetrics>

export function createServerMetrics(metrics: Metrics) {
  const connections = metrics.counter({ name: 'postern_connections_total', help: 'Conversations begun', labels: ['protocol'] })
  const open = metrics.gauge({ name: 'postern_open_connections', help: 'Conversations under way', labels: ['protocol'] })
  const ends = metrics.counter({ name: 'postern_connection_ends_total', help: 'Conversations ended, by what ended them', labels: ['protocol', 'reason'] })
  const octets = metrics.counter({ name: 'postern_connection_octets_total', help: 'Octets of ended conversations', labels: ['protocol', 'direction'] })
  const refusedConnections = metrics.counter({ name: 'postern_refused_connections_total', help: 'Connections refused by a limit, before a word was said', labels: ['protocol'] })
  const commands = metrics.histogram({ name: 'postern_command_duration_seconds', help: 'From the last octets of a command, or the answer before it, to its answer', labels: ['protocol', 'verb', 'code'], buckets: SERVING_SECONDS })
  const messages = metrics.histogram({ name: 'postern_message_duration_seconds', help: 'From the end of a message to its verdict, and to its being durable', labels: ['result'], buckets: SERVING_SECONDS })
  const deliveries = metrics.counter({ name: 'postern_deliveries_total', help: 'Messages stored, one for each account, by what the decision rested on', labels: ['reason'] })
  const rejections = metrics.counter({ name: 'postern_rejections_total', help: 'Senders, recipients and messages refused', labels: ['reason', 'code'] })
  const limited = metrics.counter({ name: 'postern_limited_total', help: 'Limits reached', labels: ['what'] })
  const logins = metrics.counter({ name: 'postern_authentication_total', help: 'Logins tried', labels: ['protocol', 'mechanism', 'result'] })
  const checks = metrics.counter({ name: 'postern_sender_checks_total', help: 'Results of SPF, DKIM (each signature), DMARC, ARC and the reverse name', labels: ['method', 'result'] })
  const blockLists = metrics.counter({ name: 'postern_dnsbl_total', help: 'Block lists asked for an address', labels: ['zone', 'result'] })
  const lookups = metrics.histogram({ name: 'postern_dns_query_duration_seconds', help: 'Questions to the domain name system, those answered from the cache included', labels: ['kind', 'result'], buckets: LOOKUP_SECONDS })
  const resolverEvents = metrics.counter({ name: 'postern_dns_events_total', help: 'What happened while name servers were asked', labels: ['event'] })
  const classifications = metrics.histogram({ name: 'postern_junk_classify_duration_seconds', help: 'Judging of content', labels: ['result'], buckets: JUDGING_SECONDS })
  const hooks = metrics.histogram({ name: 'postern_hook_duration_seconds', help: 'Hooks of the host application, by what they decided', labels: ['step', 'outcome'], buckets: SERVING_SECONDS })
  const trained = metrics.counter({ name: 'postern_junk_trained_total', help: 'Messages whose words were learned, or taken out again', labels: ['as'] })
  const reports = metrics.counter({ name: 'postern_reports_total', help: 'Reports about our domains that were stored', labels: ['kind'] })
  const errors = metrics.counter({ name: 'postern_errors_total', help: 'Faults nobody was waiting to hear of' }).of()

  // Six increments a message: their series are found once.
  const results = new Map<string, Counter>()
  const countCheck = (method: string, result: string): void => {
    const key = `${method} ${result}`
    let counter = results.get(key)
    if (counter === undefined) results.set(key, (counter = checks.of(method, result)))
    counter.add()
  }

  return {
    /** Counts what is told from here on. */
    follow(events: EventHub): void {
      events.on('connection', ({ protocol }) => {
        connections.of(protocol).add()
        open.of(protocol).add(1)
      })
      events.on('connection-end', ({ protocol, reason, octetsIn, octetsOut }) => {
        open.of(protocol).add(-1)
        ends.of(protocol, reason).add()
        octets.of(protocol, 'in').add(octetsIn)
        octets.of(protocol, 'out').add(octetsOut)
      })
      events.on('login', ({ protocol, mechanism, result }) => logins.of(protocol, MECHANISMS.has(mechanism) ? mechanism : 'other', result).add())
      events.on('received', ({ reason }) => deliveries.of(reason).add())
      events.on('rejected', ({ reason, reply }) => rejections.of(reason, String(reply.code)).add())
      events.on('limited', ({ what }) => limited.of(what).add())
      events.on('report', ({ kind }) => reports.of(kind).add())
      events.on('trained', ({ ham, spam, forgotten }) => {
        trained.of('ham').add(ham)
        trained.of('spam').add(spam)
        trained.of('forgotten').add(forgotten)
      })
      events.on('error', () => errors.add())
    },
    connectionRefused(protocol: Protocol): void {
      refusedConnections.of(protocol).add()
    },
    /** @param verb one the engine knows; undefined for what is none @param code of the reply, or the status of a completion */
    answered(protocol: Protocol, verb: string | undefined, code: string, durationMs: number): void {
      commands.of(protocol, verb ?? 'other', code).observe(durationMs / 1_000)
    },
    messageDecided(result: 'accepted' | 'refused' | 'fault', durationMs: number): void {
      messages.of(result).observe(durationMs / 1_000)
    },
    senderChecked({ spf, dkim, dmarc, arc, reverseName }: AnalysisSummary): void {
      countCheck('spf', spf)
      if (dkim.length === 0) countCheck('dkim', 'none')
      for (const { result } of dkim) countCheck('dkim', result)
      countCheck('dmarc', dmarc)
      countCheck('arc', arc)
      countCheck('iprev', reverseName)
    },
    blockListsAsked(found: readonly BlockListing[]): void {
      for (const { zone, result } of found) blockLists.of(zone, result).add()
    },
    resolverEvent(event: string): void {
      resolverEvents.of(event).add()
    },
    lookedUp(kind: string, result: string, durationMs: number): void {
      lookups.of(kind, result).observe(durationMs / 1_000)
    },
    hookAsked(step: string, outcome: HookOutcome, durationMs: number): void {
      hooks.of(step, outcome).observe(durationMs / 1_000)
    },
    classified(result: 'judged' | 'no-opinion' | 'failed', durationMs: number): void {
      classifications.of(result).observe(durationMs / 1_000)
    },
  }
}

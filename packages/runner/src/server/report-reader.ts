/**
 * Reads the reports that come by mail: fulfils core/delivery's `ReportReader`. A report counts when its message is
 * authenticated, it is about a domain of ours, and its period can be; anything else is ordinary mail.
 */
import { parseDomain } from '@postern/core/address'
import type { MessageEvidence } from '@postern/core/analysis'
import type { ReportReader } from '@postern/core/delivery'
import type { Directory } from '@postern/core/directory'
import type { Clock, Logger } from '@postern/core/host'
import { checkReport, readReport, type Report } from '@postern/core/reports'
import type { MailStore, SpooledMessage } from '@postern/core/store'
import type { EventHub } from './events.ts'

export interface ReportReaderHost {
  readonly store: Pick<MailStore, 'reports'>
  /** As it is when a message comes. */
  readonly directory: () => Directory
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventHub
}

/** A report that may be stored. */
interface BelievedReport {
  readonly report: Report
  /** Ours, at least one. */
  readonly domains: readonly string[]
}

/** LIMIT: of the message of a report; many receivers take ten megabytes. RFC 7489 §7.2.1.1 */
const MAX_MESSAGE_OCTETS = 15 * 1_048_576

export function createReportReader({ store, directory, clock, logger, events }: ReportReaderHost): ReportReader {
  /** Read once for all recipients, gone with the message. */
  const readings = new WeakMap<SpooledMessage, Promise<BelievedReport | undefined>>()
  /** LIMIT: one report is read at a time: each holds its message and what is unpacked of it in memory. */
  let turn: Promise<unknown> = Promise.resolve()

  function find(kind: Report['kind'], message: SpooledMessage, evidence: MessageEvidence): Promise<BelievedReport | undefined> {
    if (submitterOf(kind, evidence) === undefined) return Promise.resolve(undefined)
    let reading = readings.get(message)
    if (reading === undefined) {
      reading = turn.then(() => readBelieved(message))
      turn = reading.catch(() => undefined)
      readings.set(message, reading)
    }
    return reading.then((found) => (found?.report.kind === kind ? found : undefined))
  }

  async function readBelieved(message: SpooledMessage): Promise<BelievedReport | undefined> {
    if (message.sizeOctets > MAX_MESSAGE_OCTETS) {
      logger.info({ octets: message.sizeOctets }, 'A message to an address for reports is too large for one')
      return undefined
    }
    const reading = await readReport(message)
    if (reading.kind !== 'report') {
      logger.info(reading, 'A message to an address for reports holds none that can be read')
      return undefined
    }
    const { report } = reading
    const { isOurDomain } = directory()
    const { domains, objections } = checkReport(report, { isOurDomain: (name) => isOurDomain(parseDomain(name, { allowUnderscore: true }).unicode), now: clock.now() })
    if (objections.length === 0) return { report, domains }
    logger.info({ kind: report.kind, reportId: report.reportId, objections }, 'A report is not believed')
    return undefined
  }

  return {
    async recognises(kind, message, evidence) {
      return (await find(kind, message, evidence)) !== undefined
    },

    /** Rejects never: the message is delivered, and its sender must not send it again. */
    async store(kind, message, evidence) {
      const submitter = submitterOf(kind, evidence)
      try {
        const found = await find(kind, message, evidence)
        if (found === undefined || submitter === undefined) return
        const { report, domains } = found
        for (const domain of domains) {
          const { kind: outcome } = await store.reports.add({ report, domain, submitter, receivedMs: clock.now() })
          logger.debug({ kind, domain, submitter, outcome }, 'A report came')
          if (outcome === 'added') events.emit('report', { kind, domain, reporter: submitter })
        }
      } catch (cause) {
        logger.error({ err: cause, kind, submitter }, 'A report could not be stored')
      }
    },
  }
}

/**
 * The domain a report is authenticated as: that of From, which DMARC must pass for (RFC 7489 §7.2.1.1) or, for a TLS
 * report, a signature of that very domain by a key that may sign them (RFC 8460 §3).
 * @returns A-labels; undefined when nobody vouches for it
 */
function submitterOf(kind: Report['kind'], { dmarc, signedByFrom, header }: MessageEvidence): string | undefined {
  const isAuthenticated = kind === 'dmarc' ? dmarc.result === 'pass' : signedByFrom
  return isAuthenticated ? header.from?.domain.ascii : undefined
}

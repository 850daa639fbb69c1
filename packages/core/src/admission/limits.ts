/** Default limits of admission. Not configurable in files; an embedder's `limits` option replaces them. */
import type { WindowLimits } from './limiter.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

export type ClassLimits = WindowLimits['limits']

/** What may come from networks of three classes: narrow, middle, wide. */
export interface AdmissionLimits {
  /** New connections in a minute. */
  readonly connectionsPerMinute: ClassLimits
  /** Connections open at a time. */
  readonly openConnections: ClassLimits
  /** Failed logins in a minute, and in a day. */
  readonly failedLoginsPerMinute: ClassLimits
  readonly failedLoginsPerDay: ClassLimits
  /** Messages delivered to one account. */
  readonly messagesPerMinute: ClassLimits
  readonly messagesPerDay: ClassLimits
  /** Octets of messages delivered to one account. */
  readonly octetsPerMinute: ClassLimits
  readonly octetsPerDay: ClassLimits
}

const MEGABYTES_1000 = 1_000 * 1_048_576

export const defaultAdmissionLimits: AdmissionLimits = {
  connectionsPerMinute: [300, 900, 2_700],
  openConnections: [30, 90, 270],
  failedLoginsPerMinute: [10, 30, 90],
  failedLoginsPerDay: [50, 150, 450],
  messagesPerMinute: [500, 1_500, 4_500],
  messagesPerDay: [10_000, 30_000, 90_000],
  octetsPerMinute: [MEGABYTES_1000, 3 * MEGABYTES_1000, 9 * MEGABYTES_1000],
  octetsPerDay: [3 * MEGABYTES_1000, 9 * MEGABYTES_1000, 27 * MEGABYTES_1000],
}

/** No limits: for servers only their own developers reach. */
export const noAdmissionLimits: AdmissionLimits = {
  connectionsPerMinute: unlimited(),
  openConnections: unlimited(),
  failedLoginsPerMinute: unlimited(),
  failedLoginsPerDay: unlimited(),
  messagesPerMinute: unlimited(),
  messagesPerDay: unlimited(),
  octetsPerMinute: unlimited(),
  octetsPerDay: unlimited(),
}

function unlimited(): ClassLimits {
  return [Infinity, Infinity, Infinity]
}

export function connectionWindows(limits: AdmissionLimits): readonly WindowLimits[] {
  return [{ windowMs: MINUTE_MS, limits: limits.connectionsPerMinute }]
}

export function openConnectionWindows(limits: AdmissionLimits): readonly WindowLimits[] {
  return [{ windowMs: Number.POSITIVE_INFINITY, limits: limits.openConnections }]
}

export function failedLoginWindows(limits: AdmissionLimits): readonly WindowLimits[] {
  return [
    { windowMs: MINUTE_MS, limits: limits.failedLoginsPerMinute },
    { windowMs: DAY_MS, limits: limits.failedLoginsPerDay },
  ]
}

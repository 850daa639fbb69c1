/**
 * What this server says it can do: only what is built, and only what can be used at this moment. RFC 3501 §6.1.1,
 * §7.2.1
 */
import type { State } from './states.ts'

/** Extensions that work in every state they make sense in. */
const EXTENSIONS: readonly string[] = [
  'IMAP4rev1',
  'LITERAL+',
  'SASL-IR',
  'ID',
  'ENABLE',
  'IDLE',
  'NAMESPACE',
  'UNSELECT',
  'UIDPLUS',
  'MOVE',
  'SPECIAL-USE',
  'CREATE-SPECIAL-USE',
  'CHILDREN',
  'LIST-EXTENDED',
  'LIST-STATUS',
  'STATUS=SIZE',
]

/** What the capabilities of a moment depend on. */
export interface CapabilityFacts {
  readonly state: State
  /** STARTTLS can be given now. */
  readonly canStartTls: boolean
  /** Names of SASL mechanisms offered now, strongest first. */
  readonly mechanisms: readonly string[]
  /** Passwords may be sent as they are. */
  readonly passwordsAllowed: boolean
}

/** Names of all capabilities of the moment. */
export function listCapabilities(facts: CapabilityFacts): readonly string[] {
  const { state, canStartTls, mechanisms, passwordsAllowed } = facts
  if (state !== 'not-authenticated') return EXTENSIONS
  return [
    ...EXTENSIONS,
    ...(canStartTls ? ['STARTTLS'] : []),
    ...(passwordsAllowed ? [] : ['LOGINDISABLED']),
    ...mechanisms.map((name) => `AUTH=${name}`),
  ]
}

/**
 * What an SMTP conversation asks, answered from hooks, limits, the directory, the domain name system and the store. The
 * judgement of a message itself is core/delivery's.
 */
import type { ForwardPath } from '@postern/core/address'
import type { AnalysisSummary, Signal } from '@postern/core/analysis'
import { noSuchMailbox, receive, refusalByHook, type ReceiveHost, type ReceiveOutcome, type Reception, type Refusal } from '@postern/core/delivery'
import type { Directory } from '@postern/core/directory'
import type { OctetSink } from '@postern/core/host'
import { StoreError, type SpooledMessage } from '@postern/core/store'
import type { Envelope, MailParameters, MessageReply, Reply, SmtpBackend, SmtpPeer, Verdict } from '@postern/smtp/server'
import type { EventHub } from './events.ts'
import { messageContext, pathText, type Decision, type HookRunner, type SessionContext } from './hooks.ts'
import type { SenderChecks } from './sender-checks.ts'

export interface SmtpBackendHost extends Omit<ReceiveHost, 'directory' | 'messageHook' | 'deliverHook'> {
  /** The newest directory. */
  directory(): Directory
  readonly events: EventHub
  readonly hooks: HookRunner
  /** What is looked up before the data comes; absent where mail is taken from anybody, as by the development server. */
  readonly senderChecks?: SenderChecks | undefined
  /** Told what was found out about the sender of each message that was looked into. */
  readonly senderChecked?: ((summary: AnalysisSummary) => void) | undefined
  /** Told what became of each message, and how long that took from its end on. */
  readonly messageDecided?: ((result: 'accepted' | 'refused' | 'fault', durationMs: number) => void) | undefined
}

/** The backend, and what the server tells it. */
export interface MailBackend extends SmtpBackend {
  /** A conversation is over. */
  ended(id: string): void
}

/** What a conversation leaves behind for its next command. */
interface SessionState {
  readonly notes: SessionContext['notes']
  /** Aborted when it is over. */
  readonly closed: AbortController
  transaction: { readonly mail: MailParameters; recipients: number } | undefined
}

/** LIMIT: of unknown recipients: each is answered this much later than the one before, up to the last. */
const UNKNOWN_PAUSE_MS = [0, 1_000, 2_000, 5_000] as const

/** Mail from other servers: recipients by the directory, messages into the store. */
export function createSmtpBackend(host: SmtpBackendHost): MailBackend {
  const { hooks, senderChecks } = host
  const sessions = new Map<string, SessionState>()
  /** What the flow is given, for the directory of the last message. */
  let receiving: ReceiveHost | undefined

  function receiveHost(): ReceiveHost {
    const directory = host.directory()
    if (receiving?.directory !== directory) receiving = { ...host, directory }
    return receiving
  }

  function sessionOf(peer: SmtpPeer): SessionState {
    let state = sessions.get(peer.id)
    if (state === undefined) sessions.set(peer.id, (state = { notes: new Map(), closed: new AbortController(), transaction: undefined }))
    return state
  }

  function contextOf(peer: SmtpPeer, { notes }: SessionState): Omit<SessionContext, 'signal'> {
    const { remoteAddress, tls } = peer.connection
    return { id: peer.id, protocol: 'smtp', remoteAddress, tls: tls === undefined ? undefined : { protocol: tls.protocol, cipher: tls.cipher }, helo: peer.helo, notes }
  }

  function reject(peer: SmtpPeer, mail: MailParameters | undefined, to: readonly ForwardPath[], refusal: Refusal, outcome?: ReceiveOutcome): void {
    const envelope = { from: mail === undefined ? null : pathText(mail.reversePath), to: to.map((path) => pathText(path) ?? '') }
    const { code, enhanced, text, reason } = refusal
    const findings = outcome?.findings.flatMap(({ share, ...finding }) => {
      const { account } = share.destination
      return finding.kind === 'refuse' ? [{ account, reason: finding.refusal.reason, signals: finding.signals }] : [{ account, reason: finding.reason, signals: finding.signals }]
    })
    // A subject pass is for its sender alone.
    host.logger.info({ ...linePeer(peer), from: mail?.reversePath, to, code, enhanced, reason, told: reason === 'give-subjectpass' ? undefined : text, messageId: outcome?.evidence?.header.messageId, findings, analysis: outcome?.evidence?.summary }, 'Message refused')
    host.events.emit('rejected', { id: peer.id, envelope, reply: { code, enhanced, text }, reason, ...(outcome?.evidence === undefined ? {} : { analysis: outcome.evidence.summary }) })
    if (reason === 'rate') host.events.emit('limited', { what: 'rate', key: peer.connection.remoteAddress ?? '' })
  }

  /** A refusal before any data. */
  function turnAway(peer: SmtpPeer, mail: MailParameters | undefined, to: readonly ForwardPath[], refusal: Refusal, pauseMs = 0): Extract<Verdict, { kind: 'refuse' }> {
    reject(peer, mail, to, refusal)
    return { ...refuse(replyOf(refusal)), slow: refusal.slow, ...(pauseMs === 0 ? {} : { pauseMs }) }
  }

  /** Undefined: go on. Before the data there is nothing to discard: `discard` means to go on as well. */
  function stoppedBy(decision: Decision, peer: SmtpPeer, mail: MailParameters | undefined, to: readonly ForwardPath[]): Extract<Verdict, { kind: 'refuse' }> | undefined {
    const refusal = refusalByHook(decision)
    return refusal === undefined ? undefined : { ...turnAway(peer, mail, to, refusal), ...(decision.action === 'disconnect' ? { close: true } : {}) }
  }

  return {
    async connect(peer) {
      if (!hooks.has('connect')) return { kind: 'accept' }
      const refused = stoppedBy(await hooks.ask('connect', contextOf(peer, sessionOf(peer))), peer, undefined, [])
      return refused === undefined ? { kind: 'accept' } : { ...refused, close: true }
    },

    async mailFrom(peer, mail) {
      const state = sessionOf(peer)
      state.transaction = { mail, recipients: 0 }
      if (hooks.has('mailFrom')) {
        const decision = await hooks.ask('mailFrom', { ...contextOf(peer, state), from: pathText(mail.reversePath) })
        const refused = stoppedBy(decision, peer, mail, [])
        if (refused !== undefined) return refused
        if (decision.action === 'accept') return { kind: 'accept' }
      }
      const { signal } = state.closed
      const refusal = (await senderChecks?.helo(peer, signal)) ?? (await senderChecks?.mailFrom(mail.reversePath, signal))
      return refusal === undefined ? { kind: 'accept' } : turnAway(peer, mail, [], refusal)
    },

    async rcptTo(peer, mail, recipient) {
      const state = sessionOf(peer)
      const transaction = state.transaction?.mail === mail ? state.transaction : (state.transaction = { mail, recipients: 0 })
      const found = host.directory().findRecipient(recipient)
      let isVouchedFor = false
      if (hooks.has('rcptTo')) {
        const decision = await hooks.ask('rcptTo', { ...contextOf(peer, state), from: pathText(mail.reversePath), to: pathText(recipient) ?? '', known: found.kind === 'account' })
        const refused = stoppedBy(decision, peer, mail, [recipient])
        if (refused !== undefined) return refused
        isVouchedFor = decision.action === 'accept'
      }
      switch (found.kind) {
        case 'no-such-address': {
          const unknown = (state.notes.get(UNKNOWN) as number | undefined) ?? 0
          state.notes.set(UNKNOWN, unknown + 1)
          const pauseMs = UNKNOWN_PAUSE_MS[Math.min(unknown, UNKNOWN_PAUSE_MS.length - 1)]
          return turnAway(peer, mail, [recipient], noSuchMailbox, pauseMs)
        }
        case 'not-local':
          return turnAway(peer, mail, [recipient], { code: 550, enhanced: '5.7.1', text: 'Not a domain of this server, and it does not relay', reason: 'relay', slow: false })
        case 'account': {
          const refusal = transaction.recipients === 0 || isVouchedFor ? undefined : await senderChecks?.furtherRecipient(peer, mail, state.closed.signal)
          if (refusal !== undefined) return turnAway(peer, mail, [recipient], refusal)
          transaction.recipients += 1
          return { kind: 'accept' }
        }
      }
    },

    message(peer, envelope) {
      if (!host.store.accepting) return turnAway(peer, envelope, envelope.recipients, cannotStore)
      return { kind: 'sink', sink: messageSink(peer, envelope, sessionOf(peer)) }
    },

    ended(id) {
      sessions.get(id)?.closed.abort(new Error('The conversation is over'))
      sessions.delete(id)
    },
  }

  /** Spools a message and delivers it at its end; the reply of `end` is positive only when it is durable. */
  function messageSink(peer: SmtpPeer, envelope: Envelope, state: SessionState): OctetSink<MessageReply> {
    const spool = host.store.spool()
    return {
      write: (octets) => spool.write(octets),
      abort: (cause) => spool.abort(cause),
      async end() {
        const began = host.clock.monotonic()
        let result: 'accepted' | 'refused' | 'fault' = 'fault'
        const message = await spool.end()
        try {
          const reply = await take(message, peer, envelope, state)
          result = reply.code < 400 ? 'accepted' : 'refused'
          return reply
        } finally {
          message.release()
          host.messageDecided?.(result, host.clock.monotonic() - began)
        }
      },
    }
  }

  function withHooks(receiveBy: ReceiveHost, session: Omit<SessionContext, 'signal'>): ReceiveHost {
    return {
      ...receiveBy,
      messageHook: hooks.has('message') ? (context) => hooks.ask('message', messageContext(context, session)) : undefined,
      deliverHook: hooks.has('deliver')
        ? (context) => {
            const { account, mailbox, reason, signals } = context
            return hooks.ask('deliver', { ...messageContext(context, session), account, mailbox, reason, signals })
          }
        : undefined,
    }
  }

  /** @param state as it was when the data came: the conversation may be over meanwhile, and must not come to life again */
  async function take(message: SpooledMessage, peer: SmtpPeer, envelope: Envelope, state: SessionState): Promise<MessageReply> {
    const reception: Reception = {
      reversePath: envelope.reversePath,
      recipients: envelope.recipients,
      smtputf8: envelope.smtputf8,
      helo: peer.helo ?? 'unknown',
      extended: peer.extended,
      connection: peer.connection,
      id: peer.id,
      receivedAt: host.clock.now(),
    }
    const asked = hooks.has('message') || hooks.has('deliver') ? withHooks(receiveHost(), contextOf(peer, state)) : receiveHost()
    const outcome = await receive(message, reception, asked, state.closed.signal)
    if (outcome.evidence !== undefined) host.senderChecked?.(outcome.evidence.summary)
    if (outcome.kind === 'refused') {
      const { refusal, close } = outcome
      reject(peer, envelope, envelope.recipients, refusal, outcome)
      return { ...replyOf(refusal), slow: refusal.slow, close }
    }
    const { summary } = outcome.evidence
    if (outcome.deliveries.length === 0) {
      host.logger.info({ ...linePeer(peer), from: envelope.reversePath, to: envelope.recipients, messageId: outcome.evidence.header.messageId, analysis: summary }, 'Message discarded by a hook')
    }
    const { messageId } = outcome.evidence.header
    for (const { account, mailbox, uid, modseq, reason } of outcome.deliveries) {
      // Most servers keep no such lines, and this one is made for every message.
      if (host.logger.isLevelEnabled?.('info') !== false) {
        const line = { ...linePeer(peer), from: envelope.reversePath, to: envelope.recipients, messageId, account, mailbox, uid, sizeOctets: message.sizeOctets }
        host.logger.info({ ...line, reason, signals: signalsFor(account, outcome), analysis: summary }, 'Message stored')
      }
      host.events.emit('received', { id: peer.id, messageId, account, mailbox, uid, modseq, reason, analysis: summary })
    }
    return { code: 250, enhanced: '2.0.0', lines: [`Stored as ${peer.id}`] }
  }
}

const UNKNOWN = Symbol('unknown recipients')

/** What each line about a peer says of him; addresses go into it as values, which the log writes in both their forms. */
function linePeer({ id, connection, helo }: SmtpPeer): object {
  return { id, remoteAddress: connection.remoteAddress, helo, tls: connection.tls?.protocol }
}

/** What spoke for and against a message that an account got. */
function signalsFor(account: string, { findings }: ReceiveOutcome): readonly Signal[] | undefined {
  return findings.find(({ share }) => share.destination.account === account)?.signals
}

/** The disk is under its reserve, or a commit has failed: RFC 3463 §3.4 has one code for a full mail system. */
const cannotStore: Refusal = { code: 452, enhanced: '4.3.1', text: 'Mail can not be stored for now, try again later', reason: 'storage', slow: false }

function refuse(reply: Reply): Extract<Verdict, { kind: 'refuse' }> {
  return { kind: 'refuse', reply }
}

function replyOf({ code, enhanced, text }: Refusal): Reply {
  return { code, enhanced, lines: [text] }
}

/** What a peer is told when the store can't take a message: nothing of its inside. */
export function replyToStoreError(error: unknown): Reply {
  if (error instanceof StoreError && error.code === 'STORE_FULL') {
    return replyOf(cannotStore)
  }
  return { code: 451, enhanced: '4.3.0', lines: ['Local error, try again later'] }
}

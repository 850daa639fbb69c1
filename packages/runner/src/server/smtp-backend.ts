/** What an SMTP conversation asks, answered from the directory and the store. */
import { receive } from '@postern/core/delivery'
import type { Directory } from '@postern/core/directory'
import type { Clock, Logger, OctetSink } from '@postern/core/host'
import { StoreError, type MailStore, type SpooledMessage } from '@postern/core/store'
import type { Envelope, Reply, SmtpBackend, SmtpPeer } from '@postern/smtp/server'
import type { EventHub } from './events.ts'

export interface SmtpBackendHost {
  readonly store: MailStore
  /** The newest directory. */
  directory(): Directory
  readonly hostname: string
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventHub
}

/** Mail from other servers: recipients by the directory, messages into the store. */
export function createSmtpBackend(host: SmtpBackendHost): SmtpBackend {
  return {
    rcptTo(_peer, _mail, recipient) {
      switch (host.directory().findRecipient(recipient).kind) {
        case 'account':
          return { kind: 'accept' }
        case 'no-such-address':
          return refuse({ code: 550, enhanced: '5.1.1', lines: ['No such mailbox here'] })
        case 'not-local':
          return refuse({ code: 550, enhanced: '5.7.1', lines: ['Not a domain of this server, and it does not relay'] })
      }
    },
    message(peer, envelope) {
      if (!host.store.accepting) return refuse(cannotStore)
      return { kind: 'sink', sink: messageSink(peer, envelope, host) }
    },
  }
}

/** The disk is under its reserve, or a commit has failed: RFC 3463 §3.4 has one code for a full mail system. */
const cannotStore: Reply = { code: 452, enhanced: '4.3.1', lines: ['Mail can not be stored for now, try again later'] }

function refuse(reply: Reply): { readonly kind: 'refuse'; readonly reply: Reply } {
  return { kind: 'refuse', reply }
}

/** Spools a message and delivers it at its end; the reply of `end` is positive only when it is durable. */
function messageSink(peer: SmtpPeer, envelope: Envelope, host: SmtpBackendHost): OctetSink<Reply> {
  const spool = host.store.spool()
  return {
    write: (octets) => spool.write(octets),
    abort: (cause) => spool.abort(cause),
    async end() {
      const message = await spool.end()
      try {
        return await deliverMessage(message, peer, envelope, host)
      } finally {
        message.release()
      }
    },
  }
}

async function deliverMessage(message: SpooledMessage, peer: SmtpPeer, envelope: Envelope, host: SmtpBackendHost): Promise<Reply> {
  const deliveries = await receive(
    message,
    {
      reversePath: envelope.reversePath,
      recipients: envelope.recipients,
      smtputf8: envelope.smtputf8,
      helo: peer.helo ?? 'unknown',
      extended: peer.extended,
      connection: peer.connection,
      id: peer.id,
      receivedAt: host.clock.now(),
    },
    { store: host.store, directory: host.directory(), hostname: host.hostname },
  )
  let stored = 0
  for (const delivery of deliveries) {
    if (delivery.kind === 'no-such-account') continue
    stored += 1
    const { account, mailbox, uid, modseq } = delivery
    host.logger.info({ id: peer.id, account, mailbox, uid, sizeOctets: message.sizeOctets }, 'Message stored')
    host.events.emit('received', { id: peer.id, account, mailbox, uid, modseq })
  }
  // The account went away between RCPT and the end of the data.
  if (stored === 0) return { code: 550, enhanced: '5.1.1', lines: ['No such mailbox here'] }
  return { code: 250, enhanced: '2.0.0', lines: [`Stored as ${peer.id}`] }
}

/** What a peer is told when the store can't take a message: nothing of its inside. */
export function replyToStoreError(error: unknown): Reply {
  if (error instanceof StoreError && error.code === 'STORE_FULL') {
    return cannotStore
  }
  return { code: 451, enhanced: '4.3.0', lines: ['Local error, try again later'] }
}

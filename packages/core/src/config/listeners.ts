/** Where a server listens, and for what. Each service is on when its block is there. */
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { durationSchema, sizeSchema } from '../quantities.ts'

const port = z.int().min(0).max(65_535).describe('TCP port; 0 takes a free one')

const smtpService = z
  .strictObject({
    port: port.default(25),
    requireTls: z.boolean().default(false).describe('Refuse MAIL, RCPT and DATA before STARTTLS (530 5.7.0)'),
    maxMessageSize: sizeSchema({ min: 65_536, max: 1_073_741_824 }).default(104_857_600).describe('Largest message taken, announced with SIZE'),
    blockLists: z
      .array(z.string().min(1).max(200))
      .max(20)
      .default([])
      .describe('DNS block lists (RFC 5782) that senders nobody knows are looked up in, such as "bl.example.org"'),
    firstTimeSenderDelay: durationSchema({ max: 300_000 })
      .default(15_000)
      .describe('How long a message of a sender nobody knows waits before it is stored: holds back who sends many; 0 turns it off'),
  })
  .describe('Mail from other servers (RFC 5321)')

const imapService = z
  .strictObject({
    port: port.default(143),
    allowPlainLogin: z.boolean().default(false).describe('Take passwords without TLS; for loopback and tests'),
  })
  .describe('IMAP with STARTTLS (RFC 3501)')

const imapsService = z.strictObject({ port: port.default(993) }).describe('IMAP over TLS from the first octet (RFC 8314)')

const tls = z
  .strictObject({
    certificate: z.string().min(1).describe('PEM certificate chain: the text itself, or the path of a file'),
    key: z.string().min(1).describe('PEM private key: the text itself, or the path of a file'),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
  })
  .describe('Certificate for STARTTLS and for TLS listeners')

/** One set of IP addresses and the services on them. */
export const listenerSchema = z
  .strictObject({
    addresses: z
      .array(z.string().refine((text) => ipaddr.isValid(text), { error: 'Expected an IP address such as "127.0.0.1" or "::"' }))
      .min(1)
      .describe('IP addresses to listen on'),
    hostname: z.string().min(1).optional().describe('Name shown in greetings; default: the hostname of the server'),
    tls: tls.optional(),
    smtp: smtpService.optional(),
    imap: imapService.optional(),
    imaps: imapsService.optional(),
  })
  .superRefine((listener, context) => {
    if (listener.imaps !== undefined && listener.tls === undefined) {
      context.addIssue({ code: 'custom', path: ['imaps'], message: 'Needs a certificate under tls' })
    }
    if (listener.smtp?.requireTls === true && listener.tls === undefined) {
      context.addIssue({ code: 'custom', path: ['smtp', 'requireTls'], message: 'Needs a certificate under tls' })
    }
  })

export type ListenerConfig = z.output<typeof listenerSchema>

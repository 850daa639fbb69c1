/**
 * Every reply the server gives by itself, by name. Enhanced codes: RFC 3463, RFC 4954 §6, RFC 5248, RFC 6531 §3.5.
 * Not here: what the host answers (verdicts and results of messages are its own replies).
 */
import type { Reply } from './reply.ts'

export const ok: Reply = { code: 250, enhanced: '2.0.0', lines: ['OK'] }
export const senderOk: Reply = { code: 250, enhanced: '2.1.0', lines: ['Sender OK'] }
export const recipientOk: Reply = { code: 250, enhanced: '2.1.5', lines: ['Recipient OK'] }
export const startData: Reply = { code: 354, lines: ['End data with <CR><LF>.<CR><LF>'] }
export const goodbye: Reply = { code: 221, enhanced: '2.0.0', lines: ['Bye'] }
export const authenticated: Reply = { code: 235, enhanced: '2.7.0', lines: ['Authenticated'] }
export const helpText: Reply = { code: 214, enhanced: '2.0.0', lines: ['See RFC 5321'] }
export const notVerified: Reply = { code: 252, enhanced: '2.7.0', lines: ['Not telling; mail to it is accepted or refused at RCPT'] }

export const shuttingDown: Reply = { code: 421, enhanced: '4.3.2', lines: ['Shutting down'] }
export const timedOut: Reply = { code: 421, enhanced: '4.4.2', lines: ['Timed out'] }
export const tooManyErrors: Reply = { code: 421, enhanced: '4.7.0', lines: ['Too many errors'] }
export const tooManyAuthFailures: Reply = { code: 421, enhanced: '4.7.0', lines: ['Too many failed logins'] }
export const tooManyConnections: Reply = { code: 421, enhanced: '4.7.0', lines: ['Too many connections'] }
export const faultAtConnect: Reply = { code: 421, enhanced: '4.3.0', lines: ['Not now, try again later'] }

export const fault: Reply = { code: 451, enhanced: '4.3.0', lines: ['Something went wrong here, try again later'] }
export const storeBusy: Reply = { code: 451, enhanced: '4.3.0', lines: ['Too busy, try again later'] }
export const storeFull: Reply = { code: 452, enhanced: '4.3.1', lines: ['Out of storage space'] }
export const tooManyRecipients: Reply = { code: 452, enhanced: '4.5.3', lines: ['Too many recipients in one transaction'] }
export const tlsUnavailable: Reply = { code: 454, enhanced: '4.7.0', lines: ['TLS is not available'] }
export const authUnavailable: Reply = { code: 454, enhanced: '4.7.0', lines: ['Logins can not be checked now, try again later'] }

export const lineTooLong: Reply = { code: 500, enhanced: '5.5.0', lines: ['Line too long'] }
export const authLineTooLong: Reply = { code: 500, enhanced: '5.5.6', lines: ['Authentication line too long'] }
export const bareLineFeed: Reply = { code: 500, enhanced: '5.5.2', lines: ['Lines must end with CR LF'] }
export const controlCharacter: Reply = { code: 500, enhanced: '5.5.2', lines: ['Control character in command'] }
export const unknownCommand: Reply = { code: 500, enhanced: '5.5.1', lines: ['Unknown command'] }
export const notSmtp: Reply = { code: 500, enhanced: '5.5.2', lines: ['This is an SMTP server'] }
export const eightBitData: Reply = { code: 500, enhanced: '5.6.0', lines: ['8-bit data needs BODY=8BITMIME'] }
export const authCancelled: Reply = { code: 501, enhanced: '5.5.0', lines: ['Authentication cancelled'] }
export const badBase64: Reply = { code: 501, enhanced: '5.5.2', lines: ['Malformed base64'] }
export const malformedAuth: Reply = { code: 501, enhanced: '5.5.2', lines: ['Malformed authentication message'] }
export const notImplemented: Reply = { code: 502, enhanced: '5.5.1', lines: ['Not implemented'] }
export const badSequence: Reply = { code: 503, enhanced: '5.5.1', lines: ['Bad sequence of commands'] }
export const alreadyTls: Reply = { code: 503, enhanced: '5.5.1', lines: ['TLS is already active'] }
export const alreadyAuthenticated: Reply = { code: 503, enhanced: '5.5.1', lines: ['Already authenticated'] }
export const noAuthHere: Reply = { code: 503, enhanced: '5.5.1', lines: ['No authentication on this service'] }
export const unknownMechanism: Reply = { code: 504, enhanced: '5.5.4', lines: ['Mechanism not supported'] }
export const authRequired: Reply = { code: 530, enhanced: '5.7.0', lines: ['Authentication required'] }
export const tlsRequired: Reply = { code: 530, enhanced: '5.7.0', lines: ['Must issue a STARTTLS command first'] }
export const badCredentials: Reply = { code: 535, enhanced: '5.7.8', lines: ['Bad user name or password'] }
export const authNeedsTls: Reply = { code: 538, enhanced: '5.7.11', lines: ['Authentication needs TLS'] }
export const tooManyFailures: Reply = { code: 550, enhanced: '5.1.0', lines: ['Too many failed transactions'] }
export const senderNeedsUtf8: Reply = { code: 550, enhanced: '5.6.7', lines: ['Non-ASCII sender needs SMTPUTF8'] }
export const messageTooLarge: Reply = { code: 552, enhanced: '5.3.4', lines: ['Message too large'] }
export const recipientNeedsUtf8: Reply = { code: 553, enhanced: '5.6.7', lines: ['Non-ASCII recipient needs SMTPUTF8'] }
export const earlyTalker: Reply = { code: 554, enhanced: '5.5.0', lines: ['Wait for the greeting'] }
export const injectedBeforeTls: Reply = { code: 554, enhanced: '5.5.0', lines: ['STARTTLS must be the last command before TLS'] }
export const bareNewline: Reply = { code: 554, enhanced: '5.6.0', lines: ['Bare CR or LF in message'] }
export const unknownParameter: Reply = { code: 555, enhanced: '5.5.4', lines: ['Parameter not recognized'] }

/** Greeting. RFC 5321 §4.2, §4.3.1 */
export function greeting(hostname: string): Reply {
  return { code: 220, lines: [`${hostname} ESMTP Postern`] }
}

/** The go-ahead: the last word in the clear, with the id by which the conversation can be found should TLS fail. */
export function readyForTls(id: string): Reply {
  return { code: 220, enhanced: '2.0.0', lines: [`Ready to start TLS (${id})`] }
}

/** A chunk was taken, and is not the last. RFC 3030 §2 */
export function chunkTaken(octets: number): Reply {
  return { code: 250, enhanced: '2.0.0', lines: [`${octets} octets received`] }
}

/** A challenge, or the invitation to begin. RFC 4954 §4 @param base64 may be empty */
export function challenge(base64: string): Reply {
  return { code: 334, lines: [base64] }
}

/** A command whose arguments can't be read. @param expected name of the production that should have stood there */
export function syntaxError(expected: string): Reply {
  return { code: 501, enhanced: '5.5.2', lines: [`Expected ${expected}`] }
}

/** A parameter that is malformed, doubled, or has a value it can't have. */
export function badParameter(expected: string): Reply {
  return { code: 501, enhanced: '5.5.4', lines: [`Expected ${expected}`] }
}

/** @param expected name of the production that should have stood there */
export function badSender(expected: string): Reply {
  return { code: 501, enhanced: '5.1.7', lines: [`Malformed sender, expected ${expected}`] }
}

/** @param expected name of the production that should have stood there */
export function badRecipient(expected: string): Reply {
  return { code: 501, enhanced: '5.1.3', lines: [`Malformed recipient, expected ${expected}`] }
}

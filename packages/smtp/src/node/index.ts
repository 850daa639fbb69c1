/** SMTP on sockets and on any duplex stream. */
export type { SmtpConversation, SmtpListenAt, SmtpListener, SmtpListenOptions } from './listen.ts'
export { listenSmtp } from './listen.ts'
export type { SmtpServeOptions } from './serve.ts'
export { serveSmtp } from './serve.ts'
export type { ServerTls } from './tls-upgrade.ts'

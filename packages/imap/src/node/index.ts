/** IMAP on sockets and on any duplex stream. */
export type { ImapConversation, ImapListenAt, ImapListener, ImapListenOptions } from './listen.ts'
export { listenImap } from './listen.ts'
export type { ImapServeOptions } from './serve.ts'
export { serveImap } from './serve.ts'
export type { ServerTls } from './tls-upgrade.ts'

export type { Directory, Recipient } from './directory.ts'
export { createDirectory } from './directory.ts'
export type { DirectoryConfig, DirectoryIssue } from './directory-config.ts'
export { accountSchema, addressOf, checkDirectory, domainSchema } from './directory-config.ts'

export type { Authenticator, AuthenticatorOptions } from './authenticator.ts'
export { createAuthenticator } from './authenticator.ts'
export type { ClientExchangeOptions } from './client-exchange.ts'
export { createClientExchange, selectMechanism } from './client-exchange.ts'
export type { CramMd5Keys } from './cram-md5-keys.ts'
export type { StoredCredentials } from './credentials.ts'
export {
  CredentialsError,
  decodeCredentials,
  DEFAULT_ITERATIONS,
  encodeCredentials,
  MAX_ITERATIONS,
  MIN_ITERATIONS,
} from './credentials.ts'
export type { Derivation, DeriveOptions } from './derive-credentials.ts'
export { deriveCredentials } from './derive-credentials.ts'
export type { Hasher, HasherErrorCode, HashName } from './hasher.ts'
export { DIGEST_OCTETS, HasherError } from './hasher.ts'
export type { CredentialSource } from './lookup.ts'
export type {
  ClientExchange,
  ClientFailureReason,
  ClientStep,
  FailureReason,
  FinalStep,
  MechanismName,
  ServerExchange,
  Step,
} from './mechanism.ts'
export { MAX_MESSAGE_OCTETS, MECHANISMS } from './mechanism.ts'
export type { Preparation, PreparationFault } from './prepare.ts'
export { prepareLogin, preparePassword } from './prepare.ts'
export type { ScramKeys } from './scram-keys.ts'

export type { Address, ForwardPath, MailboxPath, ReversePath } from './address.ts'
export {
  addressKey,
  formatAddress,
  formatLocalpart,
  formatPath,
  isSameAddress,
  needsSmtpUtf8,
} from './address.ts'
export type { AddressErrorCode } from './address-syntax-error.ts'
export { AddressSyntaxError } from './address-syntax-error.ts'
export type { Domain } from './domain.ts'
export { isSameDomain, isWithinDomain, parseDomain } from './domain.ts'
export type { IpAddress, IpNetwork } from './ip-network.ts'
export {
  formatAddressLiteral,
  formatIpNetwork,
  isInNetwork,
  networkKeys,
  networkOf,
  octetsOf,
  parseAddressLiteral,
  parseIpAddress,
  parseIpNetwork,
} from './ip-network.ts'
export type { AddressOptions } from './parse-address.ts'
export { findPathEnd, parseAddress, parseForwardPath, parseLocalpart, parseReversePath } from './parse-address.ts'

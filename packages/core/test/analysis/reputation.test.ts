import { reputationOf, type SenderHistory } from '@postern/core/analysis'
import type { Judgement } from '@postern/core/store'
import { describe, expect, test } from 'vitest'

const NOW = 1_700_000_000
const DAY = 86_400
const YEAR = 365 * DAY

/** A judgement: `+` ham, `-` junk, `?` for one of mail that was not authenticated; then how many days ago, and from whom. */
function judged(text: string, daysAgo = 1, localpart = 1): Judgement {
  return { receivedSeconds: NOW - daysAgo * DAY, junk: text.includes('-'), validated: !text.includes('?'), localpart }
}

const nothing: SenderHistory = {
  fromAddress: [],
  fromDomain: [],
  fromOrganization: [],
  dkimDomains: [],
  mailFromAddress: [],
  mailFromDomain: [],
  heloDomain: [],
  networks: [[], [], []],
  wroteToAddress: undefined,
  wroteToDomain: undefined,
  wroteToOrganization: undefined,
}

const repeat = (text: string, times: number, daysAgo = 1): Judgement[] => Array.from({ length: times }, () => judged(text, daysAgo))
/** Junk of so many senders. */
const senders = (count: number): Judgement[] => Array.from({ length: count }, (_, n) => judged('-', 1, n))

type Row = readonly [what: string, history: Partial<SenderHistory>, validated: boolean, expected: object]

const ham = { junk: false, conclusive: true }
const junk = { junk: true, conclusive: true }
const leaning = { junk: true, conclusive: false }
const unknown = { junk: undefined, conclusive: false }

const ROWS: readonly Row[] = [
  ['nobody knows the sender', {}, true, { ...unknown, method: 'none', count: 0 }],
  ['newest of the address junk, the one before not', { fromAddress: [judged('-'), judged('+', 2)] }, true, { ...ham, method: 'msgfromfull', count: 2 }],
  ['two newest of the address junk', { fromAddress: [judged('-'), judged('-', 2), judged('+', 3)] }, true, { ...junk, method: 'msgfromfull' }],
  ['the only one of the address junk', { fromAddress: [judged('-')] }, true, { ...junk, method: 'msgfromfull', count: 1 }],
  ['unauthenticated, only such junk of the address', { fromAddress: [judged('-?')] }, false, { ...leaning, method: 'msgfromfull' }],
  ['unauthenticated, only authenticated ham of the address', { fromAddress: [judged('+')] }, false, { ...leaning, method: 'msgfromfull' }],
  ['unauthenticated, only authenticated junk of the address', { fromAddress: [judged('-')] }, false, { ...junk, method: 'msgfromfull' }],
  ['authenticated, the address known only unauthenticated', { fromAddress: [judged('-?')] }, true, { ...unknown, method: 'none' }],
  ['judgements of the address over three years old', { fromAddress: [judged('-', 3 * 365 + 1)] }, true, { ...unknown, method: 'none' }],
  ['wrote to the address, others of its domain are junk', { wroteToAddress: NOW - YEAR, fromDomain: repeat('-', 9) }, true, { ...ham, method: 'msgtofull' }],
  ['wrote to the address over three years ago', { wroteToAddress: NOW - 3 * YEAR - DAY }, true, { ...unknown, method: 'none' }],
  ['nine of ten of the domain ham', { fromDomain: [...repeat('+', 9), judged('-')] }, true, { ...ham, method: 'msgfromdomain', count: 10 }],
  ['four of five of the domain ham: not over 80 %', { fromDomain: [...repeat('+', 4), judged('-')] }, true, { ...unknown, method: 'msgfromdomain' }],
  ['half of the domain junk', { fromDomain: [...repeat('+', 5), ...repeat('-', 5)] }, true, { ...unknown, method: 'msgfromdomain' }],
  ['junk of three senders of the domain', { fromDomain: senders(3) }, true, { ...junk, method: 'msgfromdomain' }],
  ['junk of two senders of the domain', { fromDomain: senders(2) }, true, { ...leaning, method: 'msgfromdomain' }],
  ['only the twenty newest of a domain count', { fromDomain: [...repeat('+', 20), ...repeat('-', 80)] }, true, { ...ham, count: 20 }],
  ['judgements of the domain over two years old', { fromDomain: [judged('-', 2 * 365 + 1)] }, true, { ...unknown, method: 'none' }],
  ['unauthenticated in the name of a domain that authenticates', { fromDomain: [judged('+')] }, false, { ...leaning, method: 'msgfromdomain' }],
  ['wrote to the domain, the organization is junk', { wroteToDomain: NOW - DAY, fromOrganization: senders(5) }, true, { ...ham, method: 'msgtodomain' }],
  ['nine of ten of the organization ham', { fromOrganization: [...repeat('+', 9), judged('-')] }, true, { ...ham, method: 'msgfromorgdomain' }],
  ['junk of three senders of the organization', { fromOrganization: senders(3) }, true, { ...junk, method: 'msgfromorgdomain' }],
  ['wrote to the organization', { wroteToOrganization: NOW - DAY, dkimDomains: [repeat('-', 5)] }, true, { ...ham, method: 'msgtoorgdomain' }],
  ['one ham of the signing domain', { dkimDomains: [[judged('+')]] }, true, { ...ham, method: 'dkimspf', count: 1 }],
  ['one junk of the signing domain', { dkimDomains: [[judged('-')]] }, true, { ...leaning, method: 'dkimspf' }],
  ['two junk of the signing domain', { dkimDomains: [repeat('-', 2)] }, true, { ...junk, method: 'dkimspf' }],
  ['the signing domain mixed', { dkimDomains: [[judged('-'), judged('+')]] }, true, { ...unknown, method: 'dkimspf' }],
  ['one signing domain ham, another junk', { dkimDomains: [[judged('+')], repeat('-', 9)] }, true, { ...unknown, method: 'dkimspf' }],
  ['signing domain ham, reverse-path junk', { dkimDomains: [[judged('+')]], mailFromAddress: repeat('-', 3) }, true, { ...unknown, method: 'dkimspf' }],
  ['of the reverse-path the address goes before the domain', { mailFromAddress: [judged('+')], mailFromDomain: repeat('-', 9) }, true, { ...ham, method: 'dkimspf' }],
  ['the domain of the reverse-path', { mailFromDomain: repeat('-', 2) }, true, { ...junk, method: 'dkimspf' }],
  ['the name in EHLO', { heloDomain: repeat('-', 2) }, true, { ...junk, method: 'dkimspf' }],
  ['signing domain judged over half a year ago', { dkimDomains: [[judged('+', 183)]] }, true, { ...unknown, method: 'none' }],
  ['two junk of the address it came from', { networks: [repeat('-', 2), [], []] }, true, { ...junk, method: 'ip1', count: 2 }],
  ['one junk of the address it came from', { networks: [[judged('-')], [], []] }, true, { ...leaning, method: 'ip1' }],
  ['four junk of the middle network', { networks: [[], repeat('-', 4), []] }, true, { ...leaning, method: 'ip2' }],
  ['five junk of the middle network', { networks: [[], repeat('-', 5), []] }, true, { ...junk, method: 'ip2' }],
  ['nine junk of the wide network', { networks: [[], [], repeat('-', 9)] }, true, { ...leaning, method: 'ip3' }],
  ['ten junk of the wide network', { networks: [[], [], repeat('-', 10)] }, true, { ...junk, method: 'ip3' }],
  ['ten ham of the wide network', { networks: [[], [], repeat('+', 10)] }, true, { ...ham, method: 'ip3' }],
  ['the narrow network mixed hides the wide one', { networks: [[judged('-'), judged('+')], [], repeat('-', 10)] }, true, { ...unknown, method: 'ip1' }],
  ['network judged over a quarter year ago', { networks: [repeat('-', 5, 92), [], []] }, true, { ...unknown, method: 'none' }],
]

describe('reputationOf', () => {
  test.each(ROWS)('%s', (_, history, validated, expected) => {
    expect(reputationOf({ ...nothing, ...history }, validated, NOW)).toMatchObject(expected)
  })
})

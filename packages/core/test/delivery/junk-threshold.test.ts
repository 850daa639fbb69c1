/** From which probability on a message is junk: the account's own word, else the filter's, else the usual one. */
import { expect, it } from 'vitest'
import { createReceivingHost } from './receiving-host.ts'

const text = 'From: Ann <ann@example.com>\r\nTo: bob@example.org\r\nSubject: hello\r\n\r\nHello\r\n'

it.each([
  { account: undefined, filter: undefined, probability: 0.94, code: 250 },
  { account: undefined, filter: undefined, probability: 0.97, code: 451 },
  { account: undefined, filter: 0.65, probability: 0.6, code: 250 },
  { account: undefined, filter: 0.65, probability: 0.7, code: 451 },
  { account: 0.8, filter: 0.65, probability: 0.7, code: 250 },
  { account: 0.8, filter: 0.65, probability: 0.85, code: 451 },
  { account: 0.5, filter: undefined, probability: 0.6, code: 451 },
])('account $account, filter $filter, probability $probability: $code', async ({ account, filter, probability, code }) => {
  const classifier = { classify: async () => ({ probability, significant: true, ...(filter === undefined ? {} : { threshold: filter }) }) }
  const accounts = { bob: { addresses: ['bob@example.org'], subjectPassPeriod: 0, ...(account === undefined ? {} : { junkThreshold: account }) } }
  const host = await createReceivingHost({ domains: { 'example.org': {} }, accounts }, { host: { classifier } })
  const outcome = await host.receive(text, ['bob@example.org'])
  expect(outcome.kind === 'refused' ? outcome.refusal.code : 250).toBe(code)
})

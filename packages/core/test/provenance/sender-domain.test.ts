import { createMemoryResolver } from '@postern/core/conformance'
import { expect, test } from 'vitest'
// The room's index is shared by many files.
import { checkSenderDomain } from '../../src/provenance/sender-domain.ts'

const zone = {
  'mx.example': ['MX 10 a.mx.example', 'MX 20 b.mx.example'],
  'b.mx.example': ['AAAA 2001:db8::1'],
  'plain.example': ['A 192.0.2.1'],
  'null.example': ['MX 0 .', 'A 192.0.2.1'],
  'dead.example': ['MX 10 gone.example'],
  'text.example': ['TXT only text'],
  'shaky.example': ['MX 10 slow.example'],
}

test.each([
  ['mx.example', 'pass'],
  ['plain.example', 'pass'],
  ['null.example', 'null-mx'],
  ['dead.example', 'no-host'],
  ['text.example', 'no-host'],
  ['nowhere.example', 'no-host'],
  ['shaky.example', 'temperror'],
  ['broken.example', 'temperror'],
  ['a..b', 'no-host'],
])('%s: %s', async (domain, result) => {
  const resolver = createMemoryResolver(zone)
  resolver.fail('slow.example', 'TIMEOUT')
  resolver.fail('broken.example', 'SERVFAIL')
  expect(await checkSenderDomain(domain, { resolver })).toBe(result)
})

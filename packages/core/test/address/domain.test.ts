import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { AddressSyntaxError, isSameDomain, isWithinDomain, parseDomain } from '../../src/address/index.ts'

describe('domains', () => {
  test.each([
    ['example.com', 'example.com', 'example.com'],
    ['EXAMPLE.Com', 'example.com', 'example.com'],
    ['localhost', 'localhost', 'localhost'],
    ['1and1.com', '1and1.com', '1and1.com'],
    ['1.2.3.4.example', '1.2.3.4.example', '1.2.3.4.example'],
    ['r3---sn-abc.example', 'r3---sn-abc.example', 'r3---sn-abc.example'],
    ['bücher.example', 'xn--bcher-kva.example', 'bücher.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example', 'bücher.example'],
    ['bu\u0308cher.example', 'xn--bcher-kva.example', 'bücher.example'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example', 'bücher.example'],
    ['straße.example', 'xn--strae-oqa.example', 'straße.example'],
    ['例え.テスト', 'xn--r8jz45g.xn--zckzah', '例え.テスト'],
    ['例え。テスト', 'xn--r8jz45g.xn--zckzah', '例え.テスト'],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
  ])('%s', (text, ascii, unicode) => {
    expect(parseDomain(text)).toEqual({ ascii, unicode })
  })

  test.each([
    ['', 'empty'],
    ['.', 'dot only'],
    ['.example', 'leading dot'],
    ['example.com.', 'trailing dot'],
    ['a..b', 'empty label'],
    ['-a.example', 'leading hyphen'],
    ['a-.example', 'trailing hyphen'],
    ['-ü.example', 'leading hyphen in a U-label'],
    ['ü-.example', 'trailing hyphen in a U-label'],
    ['a_b.example', 'underscore'],
    ['ü_b.example', 'underscore in a U-label'],
    ['a b.example', 'space'],
    ['a\u0000.example', 'NUL'],
    ['a\r\n.example', 'line end'],
    ['ex%61mple.com', 'percent escape'],
    ['a@b.example', 'at sign'],
    ['a/b', 'slash'],
    ['a:25', 'port'],
    ['[1.2.3.4]', 'literal'],
    ['1.2.3.4', 'IPv4 address'],
    ['１.２.３.４', 'IPv4 address in full-width digits'],
    ['example.123', 'numeric top level'],
    ['0x7f000001', 'hexadecimal IPv4 address'],
    ['example.0x', 'hexadecimal last label'],
    ['xn--a.example', 'A-label that is no Punycode'],
    ['xn--abc-.example', 'A-label of ASCII'],
    ['xn--a-ecp.example', 'A-label of what is not allowed'],
    ['\u00ad.example', 'label that maps to nothing'],
    ['אa.example', 'directions mixed in a label'],
    ['a\u200db.example', 'joiner without context'],
    ['\ud800.example', 'lone surrogate'],
  ])('%j is refused: %s', (text) => {
    expect(() => parseDomain(text)).toThrow(expect.objectContaining({ code: 'ADDRESS_SYNTAX' }))
  })

  test.each([
    [`${'a'.repeat(64)}.example`, 'label'],
    [`${'ü'.repeat(70)}.example`, 'A-label'],
    [`${'a.'.repeat(127)}`.slice(0, -1).padEnd(254, 'b'), 'name'],
    ['a'.repeat(100_000), 'text'],
  ])('too long: %.20s… (%s)', (text) => {
    expect(() => parseDomain(text)).toThrow(expect.objectContaining({ code: 'ADDRESS_TOO_LONG' }))
  })

  it('takes a name of 253 octets', () => {
    const name = `${'a'.repeat(49)}.`.repeat(5) + 'abc'
    expect(name).toHaveLength(253)
    expect(parseDomain(name).ascii).toBe(name)
  })

  it('takes underscores where asked to', () => {
    expect(parseDomain('my_host.example', { allowUnderscore: true }).ascii).toBe('my_host.example')
    expect(() => parseDomain('my host.example', { allowUnderscore: true })).toThrow(AddressSyntaxError)
  })

  it('compares by A-labels', () => {
    expect(isSameDomain(parseDomain('BÜCHER.example'), parseDomain('xn--bcher-kva.example'))).toBe(true)
    expect(isSameDomain(parseDomain('a.example'), parseDomain('b.example'))).toBe(false)
    expect(isWithinDomain(parseDomain('mail.a.example'), parseDomain('a.example'))).toBe(true)
    expect(isWithinDomain(parseDomain('nota.example'), parseDomain('a.example'))).toBe(false)
  })

  it('is canonical: both forms of a domain read as the same domain', () => {
    const label = fc.oneof(fc.stringMatching(/^[a-z0-9]{1,10}$/), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }))
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), (labels) => {
        const domain = parsed(labels.join('.'))
        if (domain === undefined) return
        expect(domain.ascii).toMatch(/^[a-z0-9.-]+$/)
        expect(parseDomain(domain.ascii)).toEqual(domain)
        expect(parseDomain(domain.unicode)).toEqual(domain)
      }),
      { numRuns: 500 },
    )
  })
})

/** The domain, or undefined for text that isn't one; any other error goes through. */
function parsed(text: string): ReturnType<typeof parseDomain> | undefined {
  try {
    return parseDomain(text)
  } catch (error) {
    expect(error).toBeInstanceOf(AddressSyntaxError)
    return undefined
  }
}

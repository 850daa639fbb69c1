import { describe, expect, it } from 'vitest'
import { bodyWords, namesOf } from './names.ts'

const rows: readonly (readonly [name: string, text: string, words: readonly string[]])[] = [
  ['words of three letters and more', 'To be or not to be, that is the question', ['not', 'that', 'the', 'question']],
  ['apostrophes inside of words, not around them', "don't 'quote' the boys' don’t", ["don't", 'quote', 'the', 'boys', 'don’t']],
  ['signs of money and loudness', 'only $99 now! 100% free!!', ['only', '$99', 'now!', '100%', 'free!!']],
  ['addresses with their domains', 'mail joe@shop.example today', ['mail', 'joe@shop.example', '@shop.example', 'today']],
  ['networks of addresses', 'from 192.0.2.77 here', ['from', '192.0.2.77', '192', '192.0', '192.0.2', 'here']],
  ['URLs with host, domains and path', 'see https://www.shop.example:8080/buy/now?id=1', ['see', 'https', 'url:https:', 'url::8080', 'url:example', 'url:shop.example', 'url:www.shop.example', 'url:buy', 'url:now']],
  ['hosts that are hidden', 'http://bank.example@%77%77w.shop.example/', ['http', 'url:http:', 'url:user@', 'url:example', 'url:shop.example', 'url:www.shop.example']],
  ['hosts that are addresses', 'http://192.0.2.9/xy', ['http', 'url:http:', 'url:address', 'url:192.0.2.9', 'url:192.0.2', 'url:192.0', 'url:192']],
  ['what is invisible cuts no word', 'vi\u200bag\u00adra', ['vi\u200bag\u00adra']],
  ['scripts without spaces in twos', '無料です', ['無料', '料で', 'です']],
  ['a lone character of them', 'abc 無 def', ['abc', '無', 'def']],
  ['Thai', 'ฟรี', ['ฟร', 'รี']],
  ['characters beyond the basic plane, one by one', 'win 💰💰🎁', ['win', '💰', '🎁']],
  ['numberings are passed over', 'order 8A3F99120C today', ['order', 'today']],
  ['other alphabets', 'Бесплатно сегодня, Δωρεάν', ['Бесплатно', 'сегодня', 'Δωρεάν']],
]

describe('words of a text', () => {
  it.each(rows)('%s', (_, text, words) => {
    expect(bodyWords(text)).toEqual(words)
  })

  it.each([
    ['case', 'FREE Offer', 'free offer'],
    ['full width', 'Ｆｒｅｅ', 'free'],
    ['mathematical letters', '𝐅𝐫𝐞𝐞', 'free'],
    ['invisible characters', 'fr\u200bee', 'free'],
  ])('%s makes no other word', async (_, one, other) => {
    const { readMessageWords } = await import('../../src/words/index.ts')
    const keysOf = (text: string): Uint32Array => readMessageWords(Buffer.from(`Subject: x\n\n${text}`)).keys
    expect(keysOf(one)).toEqual(keysOf(other))
  })

  it('pairs neighbours, and in fields those with one word between', () => {
    const names = namesOf('Subject: buy cheap pills now\n\nbuy cheap pills now')
    for (const pair of ['buy cheap', 'pills now', 'subject:buy cheap', 'subject:buy … pills']) expect(names).toContain(pair)
    expect(names).not.toContain('buy … pills')
    expect(names).not.toContain('subject:buy … … now')
  })

  it('reads nothing of an earlier text', () => {
    expect(bodyWords('see http://shop.example/')).toContain('url:shop.example')
    expect(bodyWords('see http')).toEqual(['see', 'http'])
    expect(bodyWords('wide 無料です here and more')).toContain('です')
    expect(bodyWords('wide 無')).toEqual(['wide', '無'])
  })

  it.each([
    ['ASCII', 'word'],
    ['Latin', 'grüße'],
  ])('reads long texts to their end, %s', (_, last) => {
    expect(bodyWords(`${'same '.repeat(4_000)}${'x '.repeat(50_000)}${last}`)).toContain(last)
  })

  it('knows a long word by its beginning and its length', () => {
    expect(bodyWords('a'.repeat(500))).toEqual([`${'a'.repeat(80)}…`])
    expect(bodyWords(`${'a'.repeat(500)} ${'a'.repeat(501)} ${'a'.repeat(5000)}`)).toHaveLength(2)
  })
})

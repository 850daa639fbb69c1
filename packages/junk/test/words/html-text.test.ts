import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEntities } from '../../src/words/html-entities.ts'
import { readHtml } from '../../src/words/html-text.ts'

const rows: readonly (readonly [name: string, html: string, text: string])[] = [
  ['inline tags cut no word', 'V<b>ia</b>gr<font color=red>a</font>', 'Viagra'],
  ['comments cut no word', 'Vi<!-- > x -->agra', 'Viagra'],
  ['blocks do', 'one<p>two<br>three', 'one two three'],
  ['tags nobody knows do', 'one<x-y>two', 'one two'],
  ['references', 'caf&eacute; &#65;&#x42;&lt; &amp;amp; &unknown; &nbsp', 'café AB< &amp; &unknown; \u00a0'],
  ['broken references', '&#0; &#xD800; &#99999999;', '\ufffd \ufffd \ufffd'],
  ['scripts and styles are no text', 'a<script>if (1 < 2) x()</script>b<STYLE>p {}</STYLE >c', 'a b c'],
  ['a script that never ends', 'a<script>x', 'a '],
  ['a tag that never ends', 'a<a href="x', 'a'],
  ['a comment that never ends', 'a<!-- x', 'a'],
  ['a lone bracket', '1 < 2 <3', '1 < 2 <3'],
  ['text beside images', '<img alt="free money" src=x>', ' free money '],
  ['hidden text', '<div style="display:none">hidden</div><font color=#fff>white</font>', ' hidden white'],
  ['declarations', '<!DOCTYPE html><?xml?>x', 'x'],
]

describe('text of HTML', () => {
  it.each(rows)('%s', (_, html, text) => {
    expect(readHtml(html).text.replaceAll(/ {2,}/g, ' ')).toBe(text)
  })

  it('tells where it points to', () => {
    const { urls } = readHtml('<a href="http://a.example/?x=1&amp;y=2">x</a><img src=http://b.example/i.gif><body background=\'c\'><a name=d>')
    expect(urls).toEqual(['http://a.example/?x=1&y=2', 'http://b.example/i.gif', 'c'])
  })

  it('never throws and never makes more of less', () => {
    const pieces = fc.constantFrom('<', '>', '</', '<!--', '-->', '<a href=', '"', "'", '=', '&', '&#', ';', '<script>', '</script', ' ', 'x', '/')
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (given) => {
        const html = given.join('')
        expect(readHtml(html).text.length).toBeLessThanOrEqual(2 * html.length)
        expect(decodeEntities(html).length).toBeLessThanOrEqual(html.length)
      }),
    )
  })
})

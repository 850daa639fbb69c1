import { describe, expect, it } from 'vitest'
import { feedback, METADATA, outcome, POLICY, read, readDmarc, record } from './report-files.ts'

describe('a DMARC report', () => {
  it('is read whole', async () => {
    const results =
      '<auth_results><dkim><domain>Example.ORG</domain><selector>s1</selector><result>pass</result><human_result>fine</human_result></dkim>' +
      '<spf><domain>bounce.example.com</domain><scope>mfrom</scope><result>softfail</result></spf></auth_results>'
    expect(await readDmarc(feedback(record('2001:DB8:0:0::1', 12, results)))).toEqual({
      kind: 'dmarc',
      organization: 'Reporter',
      contact: 'd@example.com',
      reportId: 'r1',
      beginSeconds: 1_700_000_000,
      endSeconds: 1_700_086_399,
      errors: [],
      policy: { domain: 'example.org', p: 'reject' },
      rows: [
        {
          sourceIp: '2001:db8::1',
          count: 12,
          disposition: 'none',
          dkim: 'pass',
          spf: 'fail',
          overrides: [],
          headerFrom: 'example.org',
          dkimResults: [{ domain: 'example.org', selector: 's1', result: 'pass', comment: 'fine' }],
          spfResults: [{ domain: 'bounce.example.com', scope: 'mfrom', result: 'softfail' }],
        },
      ],
      omittedRows: 0,
      omittedMessages: 0,
    })
  })

  const written: readonly (readonly [what: string, xml: string])[] = [
    ['in another order', `<feedback>${record()}${POLICY}${METADATA}</feedback>`],
    ['without a declaration', feedback(record(), '')],
    ['after blank lines', feedback(record(), '\r\n\n <?xml version="1.0"?>')],
    ['after a byte order mark', feedback(record(), '\ufeff<?xml version="1.0"?>')],
    ['in a namespace', feedback().replace('<feedback>', '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">')],
    ['under a prefix', feedback().replaceAll(/<(\/?)(\w)/g, '<$1d:$2').replace('<d:feedback', '<d:feedback xmlns:d="urn:x"')],
    ['within another element', `<xs:schema xmlns:xs="urn:x">${feedback(record(), '')}</xs:schema>`],
    ['before what is no XML any more', `${feedback()}\n-- \nSent by a script & more`],
    ['with comments and CDATA', feedback(record().replace('192.0.2.1', '<!-- where -->192.0.<![CDATA[2.1]]>'))],
    ['with elements nobody knows', feedback(`<x:more xmlns:x="urn:y"><record>1</record></x:more><new><record/></new>${record()}`)],
  ]
  for (const [what, xml] of written) {
    it(`is read when written ${what}`, async () => {
      expect(await readDmarc(xml)).toEqual(await readDmarc(feedback()))
    })
  }

  const encodings: readonly (readonly [label: string, octets: Uint8Array])[] = [
    ['UTF-16 that says so', Buffer.from(`\ufeff${feedback(record(), '<?xml version="1.0" encoding="UTF-16"?>')}`, 'utf16le')],
    ['ISO 8859-1', Buffer.from(feedback(record(), '<?xml version="1.0" encoding="iso-8859-1"?>').replace('Reporter', 'R\u00fcporter'), 'latin1')],
    ['UTF-8 that says it is UTF-16', Buffer.from(feedback(record(), '<?xml version="1.0" encoding="utf-16"?>').replace('Reporter', 'R\u00fcporter'))],
  ]
  for (const [label, octets] of encodings) {
    it(`is read in ${label}`, async () => {
      const { organization, rows } = await readDmarc(new Uint8Array(octets))
      expect(organization).toMatch(/^R(e|\u00fc)porter$/)
      expect(rows).toHaveLength(1)
    })
  }

  const values: readonly (readonly [what: string, from: string, to: string, expected: object])[] = [
    ['a word of a draft', '<disposition>none<', '<disposition>pass<', { rows: [{ disposition: 'pass' }] }],
    ['a word in capitals', '<dkim>pass<', '<dkim> PASS <', { rows: [{ dkim: 'pass' }] }],
    ['a domain with a dot at its end', '<domain>example.org<', '<domain>Example.org.<', { policy: { domain: 'example.org' } }],
    ['a domain in U-labels', '<domain>example.org<', '<domain>b\u00fccher.example<', { policy: { domain: 'xn--bcher-kva.example' } }],
    ['a header_from that is no domain', '<header_from>example.org<', '<header_from>not a domain!<', { rows: [{ headerFrom: 'not a domain!' }] }],
    ['a reason without anything', '</policy_evaluated>', '<reason><type/><comment/></reason></policy_evaluated>', { rows: [{ overrides: [] }] }],
    ['a reason of its own', '</policy_evaluated>', '<reason><type>whim</type></reason></policy_evaluated>', { rows: [{ overrides: [{ type: 'other' }] }] }],
    [
      'results in old words',
      '</record>',
      '<auth_results><dkim><result>hardfail</result></dkim><spf><result>Whatever</result></spf></auth_results></record>',
      { rows: [{ dkimResults: [{ domain: '', result: 'fail' }], spfResults: [{ domain: '', result: 'unknown' }] }] },
    ],
    ['controls and what turns writing round', '>Reporter<', '>Rep\u202eor\u0085ter\u2066<', { organization: 'Rep or ter' }],
    ['escapes of XML', '>Reporter<', '>&lt;b&gt; &amp; &#x52;&quot;<', { organization: '<b> & R"' }],
    ['a name that is too long', '>Reporter<', `>${'n'.repeat(5_000)}<`, { organization: 'n'.repeat(255) }],
    ['errors it tells of', '</report_metadata>', '<error>first</error><error> </error></report_metadata>', { errors: ['first'] }],
  ]
  for (const [what, from, to, expected] of values) {
    it(`may have ${what}`, async () => {
      expect(await readDmarc(feedback().replace(from, to))).toMatchObject(expected)
    })
  }

  it('has no value for a word nobody knows', async () => {
    const [row] = (await readDmarc(feedback().replace('<disposition>none<', '<disposition>whatever<'))).rows
    expect(row).not.toHaveProperty('disposition')
  })

  const broken: readonly (readonly [what: string, xml: string, code: string])[] = [
    ['metadata', feedback().replace(METADATA, ''), 'REPORT_FIELD'],
    ['a policy', feedback().replace(POLICY, ''), 'REPORT_FIELD'],
    ['records', feedback(''), 'REPORT_FIELD'],
    ['a name of its reporter', feedback().replace('>Reporter<', '> <'), 'REPORT_FIELD'],
    ['an id', feedback().replace('<report_id>r1</report_id>', ''), 'REPORT_FIELD'],
    ['an id of a length', feedback().replace('>r1<', `>${'r'.repeat(513)}<`), 'REPORT_FIELD'],
    ['a begin', feedback().replace('<begin>1700000000</begin>', ''), 'REPORT_FIELD'],
    ['an end that is a number', feedback().replace('>1700086399<', '>tomorrow<'), 'REPORT_FIELD'],
    ['an end that is not below zero', feedback().replace('>1700086399<', '>-1<'), 'REPORT_FIELD'],
    ['an end within thousands of years', feedback().replace('>1700086399<', '>100000000000<'), 'REPORT_FIELD'],
    ['a domain', feedback().replace('<domain>example.org</domain>', '<domain>no domain</domain>'), 'REPORT_FIELD'],
    ['a p', feedback().replace('<p>reject</p>', '<p>destroy</p>'), 'REPORT_FIELD'],
    ['an address', feedback(record('192.0.2.1.5')), 'REPORT_FIELD'],
    ['a count', feedback(record('192.0.2.1', '')), 'REPORT_FIELD'],
    ['a count of messages', feedback(record('192.0.2.1', '1e3')), 'REPORT_FIELD'],
    ['a count that can be', feedback(record('192.0.2.1', '9999999999999999')), 'REPORT_FIELD'],
    ['a header_from', feedback().replace('<header_from>example.org</header_from>', ''), 'REPORT_FIELD'],
    ['an end of the root', feedback().replace('</feedback>', ''), 'REPORT_SYNTAX'],
    ['ends of its elements in order', feedback().replace('</policy_evaluated></row>', '</row></policy_evaluated>'), 'REPORT_SYNTAX'],
    ['escapes that XML knows', feedback().replace('>Reporter<', '>&nbsp;<'), 'REPORT_SYNTAX'],
    ['a feedback', '<html><body>Not found</body></html>', 'REPORT_KIND'],
    ['anything', '<', 'REPORT_SYNTAX'],
    ['an encoding that is known', feedback(record(), '<?xml version="1.0" encoding="klingon"?>'), 'REPORT_CHARSET'],
  ]
  for (const [what, xml, code] of broken) {
    it(`is none without ${what}`, async () => {
      expect(await outcome(read(xml))).toBe(code)
    })
  }

  it('keeps 5,000 rows and counts the others', async () => {
    const { rows, omittedRows, omittedMessages } = await readDmarc(feedback(Array.from({ length: 5_010 }, (_, at) => record('192.0.2.1', at)).join('')))
    expect(rows).toHaveLength(5_000)
    expect([omittedRows, omittedMessages]).toEqual([10, 50_045])
  })

  it('keeps rows of 2 MiB of text and counts the others', async () => {
    const dkim = `<dkim><domain>${'d'.repeat(240)}</domain><selector>${'s'.repeat(240)}</selector><result>pass</result><human_result>${'h'.repeat(240)}</human_result></dkim>`
    const large = record('192.0.2.1', 2, `<auth_results>${dkim.repeat(60)}</auth_results>`)
    const { rows, omittedRows, omittedMessages } = await readDmarc(feedback(large.repeat(100)))
    expect(rows[0]?.dkimResults).toHaveLength(50)
    expect(JSON.stringify(rows).length).toBeLessThan(2.1 * 1_048_576)
    expect(rows.length).toBeGreaterThan(20)
    expect([rows.length + omittedRows, omittedMessages]).toEqual([100, 2 * omittedRows])
  })
})

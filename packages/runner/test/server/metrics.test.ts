/** What a server counts, by what it does in earnest. */
import type { Metrics } from '@postern/core/host'
import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../src/host/metrics.ts'
import { LineClient } from '../durability/child-server.ts'
import { createReceivingServer, letter, SENDER_IP, type ReceivingServer } from './receiving/receiving-server.ts'
import { SmtpClient } from './receiving/smtp-client.ts'

/** Value of a series, written as Prometheus writes it; undefined when there is none. */
async function read(running: ReceivingServer, series: string): Promise<number | undefined> {
  const line = (await running.server.metrics.text()).split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

describe('a server counts', () => {
  it('mail that comes, what becomes of it and what was found out about it', async () => {
    await using running = await createReceivingServer({}, { zone: { 'deny.example': ['MX 0 .'] } })
    const client = await SmtpClient.over(running.server, SENDER_IP).greet()
    expect(await read(running, 'postern_open_connections{protocol="smtp"}')).toBe(1)
    expect((await running.hurry(client.send(letter('one')))).value).toMatch(/^250 /)
    expect(await client.send(letter('two'), { to: ['nobody@example.org'] })).toMatch(/^550 /)
    expect(await client.send(letter('three'), { from: 'x@deny.example' })).toMatch(/^550 /)
    await client.quit()
    const expected = {
      'postern_connections_total{protocol="smtp"}': 1,
      'postern_open_connections{protocol="smtp"}': 0,
      'postern_connection_ends_total{protocol="smtp",reason="quit"}': 1,
      'postern_deliveries_total{reason="no-bad-signals"}': 1,
      'postern_rejections_total{reason="unknown-recipient",code="550"}': 1,
      'postern_rejections_total{reason="sender-domain",code="550"}': 1,
      'postern_sender_checks_total{method="spf",result="pass"}': 1,
      'postern_sender_checks_total{method="dkim",result="none"}': 1,
      'postern_sender_checks_total{method="dmarc",result="pass"}': 1,
      'postern_sender_checks_total{method="arc",result="none"}': 1,
      'postern_sender_checks_total{method="iprev",result="pass"}': 1,
      'postern_message_duration_seconds_count{result="accepted"}': 1,
      'postern_command_duration_seconds_count{protocol="smtp",verb="EHLO",code="250"}': 1,
      'postern_command_duration_seconds_count{protocol="smtp",verb="MAIL",code="250"}': 2,
      'postern_command_duration_seconds_count{protocol="smtp",verb="MAIL",code="550"}': 1,
      'postern_command_duration_seconds_count{protocol="smtp",verb="DATA",code="354"}': 1,
      'postern_command_duration_seconds_count{protocol="smtp",verb="DATA",code="250"}': 1,
      'postern_dns_query_duration_seconds_count{kind="PTR",result="found"}': 1,
      'postern_junk_classify_duration_seconds_count{result="no-opinion"}': 1,
      'postern_errors_total': 0,
    }
    const found: Record<string, number | undefined> = {}
    for (const series of Object.keys(expected)) found[series] = await read(running, series)
    expect(found).toEqual(expected)
    expect(await read(running, 'postern_connection_octets_total{protocol="smtp",direction="in"}')).toBeGreaterThan(200)
  })

  it('how long answers took by the clock, waiting for peers left out', async () => {
    await using running = await createReceivingServer({}, { hooks: { rcptTo: async () => new Promise((resolve) => setImmediate(() => void running.clock.advance(300).then(() => resolve()))) } })
    const client = await SmtpClient.over(running.server, SENDER_IP).greet()
    await running.clock.advance(5_000)
    await client.command('MAIL FROM:<sender@example.com>')
    await running.clock.advance(5_000)
    await client.command('RCPT TO:<ada@example.org>')
    client.destroy()
    expect(await read(running, 'postern_command_duration_seconds_sum{protocol="smtp",verb="MAIL",code="250"}')).toBe(0)
    expect(await read(running, 'postern_command_duration_seconds_sum{protocol="smtp",verb="RCPT",code="250"}')).toBeCloseTo(0.3, 5)
  })

  it('no word of a stranger: verbs nobody knows are counted together', async () => {
    await using running = await createReceivingServer()
    const client = await SmtpClient.over(running.server, SENDER_IP).greet()
    for (let n = 0; n < 5; n += 1) await running.hurry(client.command(`XVERB${n} <evil@example.com>`))
    client.destroy()
    const first = SmtpClient.over(running.server, SENDER_IP)
    await first.reply()
    await first.command('XFIRST')
    first.destroy()
    const text = await running.server.metrics.text()
    expect(text).not.toMatch(/XVERB|XFIRST|evil|192\.0\.2|example\.com/)
    expect(text).toMatch(/verb="other",code="500"/)
  })

  it('logins, IMAP commands, limits and refused connections', async () => {
    await using running = await createReceivingServer({}, { passwords: true, limits: { connectionsPerMinute: [2, 99, 999], failedLoginsPerMinute: [1, 9, 27] } })
    await running.server.listen()
    const imap = await LineClient.connect(running.port('imap'))
    await imap.line()
    const say = async (text: string): Promise<string | undefined> => {
      imap.send(`a ${text}\r\n`)
      return (await running.hurry(imap.tagged('a'))).value?.at(-1)
    }
    expect(await say('LOGIN ada "correct horse battery"')).toMatch(/^a OK/)
    expect(await say('SELECT INBOX')).toMatch(/^a OK/)
    expect(await say('UID SEARCH ALL')).toMatch(/^a OK/)
    expect(await say('XNONE')).toMatch(/^a BAD/)
    imap.destroy()
    const bad = await LineClient.connect(running.port('imap'))
    await bad.line()
    for (const word of ['wrong', 'wrong']) {
      const decided = running.server.once('login').catch(() => {})
      bad.send(`b LOGIN ada ${word}\r\n`)
      // Only the answer waits for the clock; the minute in which failures are counted must not pass while passwords are hashed.
      const answer = bad.tagged('b')
      await Promise.race([answer, decided])
      await running.hurry(answer)
    }
    bad.destroy()
    // The counting begins anew.
    await running.clock.advance(60_000)
    const more = [await LineClient.connect(running.port('imap')), await LineClient.connect(running.port('imap')), await LineClient.connect(running.port('imap'))]
    expect((await Promise.all(more.map((each) => each.line()))).map((line) => line?.slice(0, 4))).toEqual(['* OK', '* OK', '* BY'])
    for (const each of more) each.destroy()
    expect(await read(running, 'postern_authentication_total{protocol="imap",mechanism="LOGIN",result="ok"}')).toBe(1)
    expect(await read(running, 'postern_authentication_total{protocol="imap",mechanism="LOGIN",result="bad"}')).toBe(1)
    expect(await read(running, 'postern_limited_total{what="login"}')).toBe(1)
    expect(await read(running, 'postern_limited_total{what="connection"}')).toBe(1)
    expect(await read(running, 'postern_refused_connections_total{protocol="imap"}')).toBe(1)
    expect(await read(running, 'postern_command_duration_seconds_count{protocol="imap",verb="UID SEARCH",code="OK"}')).toBe(1)
    expect(await read(running, 'postern_command_duration_seconds_count{protocol="imap",verb="other",code="BAD"}')).toBe(1)
  })

  it('hooks by what they decided, and those that failed or took too long', async () => {
    const answers = [() => undefined, () => ({ action: 'reject' }), () => { throw new Error('broken') }, () => ({ action: 'perhaps' }), () => new Promise(() => {})] as const
    let asked = 0
    await using running = await createReceivingServer({}, { hooks: { mailFrom: { timeout: 2_000, run: () => answers[asked++ % answers.length]?.() as never } } })
    const client = await SmtpClient.over(running.server, SENDER_IP).greet()
    for (const reply of [/^250/, /^550/, /^451/, /^451/, /^451/]) {
      expect((await running.hurry(client.command('MAIL FROM:<sender@example.com>'))).value).toMatch(reply)
      await running.hurry(client.command('RSET'))
    }
    client.destroy()
    for (const [outcome, count] of [['continue', 1], ['reject', 1], ['failed', 2], ['late', 1]] as const) {
      expect(await read(running, `postern_hook_duration_seconds_count{step="mailFrom",outcome="${outcome}"}`), outcome).toBe(count)
    }
    expect(await read(running, 'postern_hook_duration_seconds_sum{step="mailFrom",outcome="late"}')).toBe(2)
  })

  it('block lists by zone', async () => {
    await using running = await createReceivingServer(
      { listeners: { local: { addresses: ['127.0.0.1'], smtp: { port: 0, firstTimeSenderDelay: 0, blockLists: ['bl.example'] } } } },
      { zone: { '2.0.0.127.bl.example': ['A 127.0.0.2'], '1.0.0.127.bl.example': [], '9.0.0.127.bl.example': ['A 127.0.0.2'] } },
    )
    await running.server.listen()
    const client = await (await SmtpClient.connect(running.port('smtp'), '127.0.0.9')).greet()
    expect((await running.hurry(client.send(letter('hi', { from: 'x@nospf.example' }), { from: 'x@nospf.example' }))).value).toMatch(/^451 /)
    client.destroy()
    expect(await read(running, 'postern_dnsbl_total{zone="bl.example",result="listed"}')).toBe(1)
    expect(await read(running, 'postern_rejections_total{reason="dns-blocklisted",code="451"}')).toBe(1)
  })

  it('what the process tells of itself', async () => {
    await using running = await createReceivingServer()
    expect(await read(running, 'postern_store_accepting')).toBe(1)
    expect(await read(running, 'postern_resident_memory_bytes')).toBeGreaterThan(1e7)
    await new Promise((resolve) => setTimeout(resolve, 120))
    const until = performance.now() + 300
    while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 120))
    const worst = await read(running, 'postern_event_loop_delay_seconds{quantile="1"}')
    expect(worst).toBeGreaterThan(0.15)
    expect(worst).toBeLessThan(30)
  })
})

describe('metrics of a host application', () => {
  it('take the place of the registry', async () => {
    const made: string[] = []
    const counted: string[] = []
    const own: Metrics = {
      counter({ name }) {
        made.push(name)
        return { of: (...values) => ({ add: () => void counted.push([name, ...values].join(' ')) }) }
      },
      gauge: ({ name }) => (made.push(name), { of: () => ({ set() {}, add() {} }) }),
      histogram: ({ name }) => (made.push(name), { of: () => ({ observe() {} }) }),
    }
    await using running = await createReceivingServer({}, { metrics: own })
    const client = await SmtpClient.over(running.server, SENDER_IP).greet()
    await running.hurry(client.send(letter('one')))
    await client.quit()
    expect(counted).toContain('postern_connections_total smtp')
    expect(counted).toContain('postern_deliveries_total no-bad-signals')
    expect(made, 'nobody reads gauges that are looked at').not.toContain('postern_event_loop_delay_seconds')
    for (const name of made) expect(name).toMatch(/^postern_[a-z_]+$/)
    expect(new Set(made).size, 'each family is asked for once').toBe(made.length)
    expect(await running.server.metrics.text()).toBe('')
  })

  it('can be added to', async () => {
    await using running = await createReceivingServer()
    running.server.metrics.counter({ name: 'app_letters_total', help: 'Letters' }).of().add(3)
    expect(await read(running, 'app_letters_total')).toBe(3)
  })

  it('may be shared by servers that begin and end', async () => {
    const shared = createMetrics()
    for (const count of [1, 2]) {
      await using running = await createReceivingServer({}, { metrics: shared })
      const client = await SmtpClient.over(running.server, SENDER_IP).greet()
      await client.quit()
      expect(await read(running, 'postern_connections_total{protocol="smtp"}')).toBe(count)
      expect(await read(running, 'postern_store_accepting')).toBe(1)
    }
    expect(() => shared.counter({ name: 'postern_connections_total', help: 'Other labels', labels: ['x'] })).toThrow(/already been registered/)
  })
})

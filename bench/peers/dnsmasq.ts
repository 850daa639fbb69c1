/** Debian's dnsmasq as the name server of a bench: it answers from records it is given and asks nobody. */
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const PROGRAM = '/usr/sbin/dnsmasq'

export const hasDnsmasq = existsSync(PROGRAM)

/** A record: `mx example.org mx.example.org`, `txt example.org v=spf1 -all`, `a mx.example.org 127.0.0.1`, `ptr 1.0.0.127.in-addr.arpa mx.example.org`. */
export type DnsRecord = readonly [kind: 'a' | 'mx' | 'ptr' | 'txt', owner: string, data: string]

/** LIMIT: octets of one string of a TXT record. RFC 1035 §3.3.14 */
const STRING_OCTETS = 255

export async function startDnsmasq(dir: string, port: number, records: readonly DnsRecord[]): Promise<{ readonly address: string; readonly stop: () => Promise<void> }> {
  const config = join(dir, 'dnsmasq.conf')
  const lines = ['no-resolv', 'no-hosts', 'bind-interfaces', 'listen-address=127.0.0.1', `port=${port}`, 'local-ttl=3600', 'cache-size=0', 'local=/#/', ...records.map(formatRecord)]
  writeFileSync(config, `${lines.join('\n')}\n`)
  const child = spawn(PROGRAM, ['--keep-in-foreground', '--user=root', `--conf-file=${config}`, `--pid-file=${join(dir, 'dnsmasq.pid')}`], { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  const isUp = await Promise.race([answers(port), ended.then(() => false)])
  if (!isUp) throw new Error('dnsmasq did not start')
  return {
    address: `127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

function formatRecord([kind, owner, data]: DnsRecord): string {
  switch (kind) {
    case 'a':
      return `host-record=${owner},${data}`
    case 'mx':
      return `mx-host=${owner},${data},10`
    case 'ptr':
      return `ptr-record=${owner},${data}`
    case 'txt': {
      const strings = data.match(new RegExp(`.{1,${STRING_OCTETS}}`, 'g')) ?? ['']
      return `txt-record=${owner},${strings.map((text) => `"${text}"`).join(',')}`
    }
  }
}

/** Whether somebody answers on a port within five seconds. */
async function answers(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  // A question for the A record of "a.": RFC 1035 §4.1.
  const question = Buffer.from('00010100000100000000000001610000010001', 'hex')
  const answered = once(socket, 'message').then(() => true)
  socket.on('error', () => {})
  for (let tries = 0; tries < 100; tries += 1) {
    socket.send(question, port, '127.0.0.1')
    if (await Promise.race([answered, delay(50, false)])) {
      socket.close()
      return true
    }
  }
  socket.close()
  return false
}

/** Other people's name servers for tests: Knot with a signed zone, Unbound that validates, dnsmasq that forwards. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ZoneText } from '@postern/core/conformance'

export interface DnsProgram {
  /** `127.0.0.1:5353` */
  readonly address: string
  readonly port: number
  close(): Promise<void>
}

export interface KnotServer extends DnsProgram {
  /** The DS record of the zone's key, as a trust anchor has it. */
  readonly trustAnchor: string
}

/** Path of a program where Debian has it; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  return ['/usr/sbin', '/usr/bin'].map((dir) => join(dir, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Knot with one zone that it signs itself; what is said to another zone than that is refused. */
export async function startKnot(zone: string, records: ZoneText): Promise<KnotServer> {
  const { dir, port } = await place()
  const config = join(dir, 'knot.conf')
  await writeFile(join(dir, 'zone'), zoneFile(zone, records), 'latin1')
  await writeFile(
    config,
    `server:
    listen: 127.0.0.1@${port}
    rundir: ${dir}
database:
    storage: ${dir}
log:
  - target: stderr
    any: error
policy:
  - id: own
    algorithm: ecdsap256sha256
    single-type-signing: on
zone:
  - domain: ${zone}
    storage: ${dir}
    file: zone
    zonefile-sync: -1
    dnssec-signing: on
    dnssec-policy: own
`,
  )
  const child = spawn(findProgram('knotd') as string, ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  const server = await running(child, dir, port, zone)
  const { stdout } = await promisify(execFile)(findProgram('keymgr') as string, ['-c', config, zone, 'ds'])
  const trustAnchor = stdout.split('\n').find((line) => / 13 2 /.test(line))
  if (trustAnchor === undefined) throw new Error(`No DS record: ${stdout}`)
  return { ...server, trustAnchor }
}

/** Unbound that asks `upstream` for the zone and validates by the anchor. */
export async function startUnbound(zone: string, upstream: DnsProgram, trustAnchor: string): Promise<DnsProgram> {
  const { dir, port } = await place()
  const config = join(dir, 'unbound.conf')
  await writeFile(
    config,
    `server:
  interface: 127.0.0.1
  port: ${port}
  directory: "${dir}"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  num-threads: 1
  do-not-query-localhost: no
  module-config: "validator iterator"
  local-zone: "test." nodefault
  trust-anchor: "${trustAnchor}"
stub-zone:
  name: "${zone}"
  stub-addr: 127.0.0.1@${upstream.port}
remote-control:
  control-enable: no
`,
  )
  return running(spawn(findProgram('unbound') as string, ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] }), dir, port)
}

/** dnsmasq that forwards all questions to `upstream`. */
export async function startDnsmasq(upstream: DnsProgram): Promise<DnsProgram> {
  const { dir, port } = await place()
  const args = ['--keep-in-foreground', '--conf-file=/dev/null', '--no-hosts', '--no-resolv', '--bind-interfaces', '--listen-address=127.0.0.1', `--port=${port}`, `--server=127.0.0.1#${upstream.port}`, '--pid-file=', '--user=', '--cache-size=0', '--log-facility=-']
  return running(spawn(findProgram('dnsmasq') as string, args, { stdio: ['ignore', 'ignore', 'pipe'] }), dir, port)
}

async function place(): Promise<{ readonly dir: string; readonly port: number }> {
  for (;;) {
    const tcp = createServer().listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const { port } = tcp.address() as AddressInfo
    const udp = createSocket('udp4').bind(port, '127.0.0.1')
    const isFree = await once(udp, 'listening').then(
      () => true,
      () => false,
    )
    udp.close()
    tcp.close()
    if (isFree) return { dir: await mkdtemp(join(tmpdir(), 'postern-dns-')), port }
  }
}

/** Waits until the server answers a question about `zone` without failure, or any question. */
async function running(child: ChildProcess, dir: string, port: number, zone?: string): Promise<DnsProgram> {
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString('latin1')).slice(-4_000)
  })
  const program: DnsProgram = {
    address: `127.0.0.1:${port}`,
    port,
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      await rm(dir, { recursive: true, force: true })
    },
  }
  for (let tries = 0; tries < 200; tries += 1) {
    if (await answers(port, zone)) return program
    if (child.exitCode !== null) break
  }
  await program.close()
  throw new Error(`The name server did not start: ${errors}`)
}

/** One question, waited for 50 ms at most. */
function answers(port: number, zone: string | undefined): Promise<boolean> {
  const labels = (zone ?? '').split('.').filter((label) => label !== '')
  const name = Buffer.concat([...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`)), Uint8Array.of(0)])
  const query = Buffer.concat([Uint8Array.of(7, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0), name, Uint8Array.of(0, 48, 0, 1)])
  const socket = createSocket('udp4')
  return new Promise((resolve) => {
    const done = (ready: boolean): void => {
      clearTimeout(timer)
      socket.removeAllListeners('message')
      socket.close()
      resolve(ready)
    }
    const timer = setTimeout(() => done(false), 50)
    socket.on('error', () => undefined)
    socket.on('message', (packet) => {
      // With a zone, its DNSKEY record must be there: it is signed by then.
      if (zone === undefined || (((packet[3] as number) & 0xf) === 0 && packet.readUInt16BE(6) > 0)) done(true)
    })
    socket.send(query, port, '127.0.0.1')
  })
}

function zoneFile(zone: string, records: ZoneText): string {
  const lines = [`$TTL 300`, `${zone}. SOA ns.${zone}. hostmaster.${zone}. 1 3600 600 86400 120`]
  for (const [owner, texts] of Object.entries(records)) {
    for (const text of texts) {
      const [kind = '', ...words] = text.split(' ')
      lines.push(`${owner}. ${kind} ${rdata(kind, words)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function rdata(kind: string, words: readonly string[]): string {
  const rest = words.join(' ')
  if (kind === 'TXT') return (rest.match(/[^]{1,255}/g) ?? []).map(quoted).join(' ')
  if (kind === 'CAA') return `${words[0]} ${words[1]} ${quoted(words.slice(2).join(' '))}`
  const isLastAName = ['CNAME', 'NS', 'PTR', 'MX', 'SRV'].includes(kind)
  return isLastAName && !rest.endsWith('.') ? `${rest}.` : rest
}

function quoted(text: string): string {
  return `"${text.replace(/[^ !#-[\]-~]/g, (character) => `\\${String(character.charCodeAt(0)).padStart(3, '0')}`)}"`
}

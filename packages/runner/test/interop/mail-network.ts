/**
 * A network of its own for mail programs that find each other by DNS: namespaces of network, mounts and processes,
 * addresses of RFC 5737 on its loopback, a name server for `/etc/resolv.conf` there. Nothing of it can be reached from
 * outside, and nothing in it outlives the process that holds it. Needs root, as entering namespaces does.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findProgram } from '../host/dns-programs.ts'
import { runProgram, type Ran } from './local-server.ts'

/** Who has which address there. */
export const ADDRESSES = { dns: '198.51.100.53', server: '198.51.100.1', postfix: '198.51.100.10', exim: '198.51.100.20' } as const

export interface MailNetwork {
  /** Goes with the network; everybody may enter it. */
  readonly dir: string
  /** Runs a program in the network to its end; at most 60 s. */
  run(program: string, args: readonly string[], options?: { readonly input?: string; readonly env?: Readonly<Record<string, string>> }): Promise<Ran>
  /** Starts a program in the network; it ends with it at the latest. */
  start(program: string, args: readonly string[]): ChildProcess
  /** Ends all that runs there. */
  close(): Promise<void>
}

const PROGRAMS = ['unshare', 'nsenter', 'ip', 'dnsmasq'] as const
const NAMESPACES = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']

/** @returns why there can be no such network here, or undefined */
export function findObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  const missing = PROGRAMS.find((program) => findProgram(program) === undefined)
  if (missing !== undefined) return `${missing} is not installed`
  const tried = spawnSync('unshare', [...NAMESPACES, 'sh', '-c', 'ip link set lo up && mount --bind /dev/null /etc/resolv.conf'], { timeout: 10_000 })
  return tried.status === 0 ? undefined : 'namespaces are not permitted'
}

/** @param zone arguments of dnsmasq that say what there is: `--host-record=…`; every other name does not exist */
export async function startMailNetwork(zone: readonly string[]): Promise<MailNetwork> {
  const dir = await mkdtemp(join(tmpdir(), 'postern-network-'))
  await chmod(dir, 0o755)
  const holder = await holdNamespaces(dir)
  const enter = ['net', 'mnt', 'pid_for_children'].map((name, at) => `--${['net', 'mount', 'pid'][at]}=/proc/${holder.pid}/ns/${name}`)
  // A mount namespace is entered at its root.
  const inside = (program: string, args: readonly string[]): string[] => [...enter, '--', 'env', '-C', process.cwd(), program, ...args]
  const network: MailNetwork = {
    dir,
    run: (program, args, options) => runProgram('nsenter', inside(program, args), options),
    start: (program, args) => spawn('nsenter', inside(program, args), { stdio: ['pipe', 'pipe', 'pipe'] }),
    async close() {
      if (holder.exitCode === null && holder.signalCode === null) {
        holder.kill('SIGKILL')
        await once(holder, 'exit')
      }
      await rm(dir, { recursive: true, force: true, maxRetries: 3 })
    },
  }
  try {
    await startNameServer(network, zone)
  } catch (error) {
    await network.close()
    throw error
  }
  return network
}

/** The first process of the namespaces; when it ends, or nobody is left to write to it, all in them are ended. */
async function holdNamespaces(dir: string): Promise<ChildProcess> {
  await writeFile(join(dir, 'resolv.conf'), `nameserver ${ADDRESSES.dns}\noptions timeout:2 attempts:2\n`)
  await copyFile('/etc/passwd', join(dir, 'passwd'))
  await copyFile('/etc/group', join(dir, 'group'))
  // Debian's Exim looks its user up; where it is only unpacked, nobody has made one.
  if (!(await readFile(join(dir, 'passwd'), 'utf8')).includes('\nDebian-exim:')) {
    await writeFile(join(dir, 'passwd'), 'Debian-exim:x:64916:64916::/nonexistent:/usr/sbin/nologin\n', { flag: 'a' })
    await writeFile(join(dir, 'group'), 'Debian-exim:x:64916:\n', { flag: 'a' })
  }
  const script = [
    'set -e',
    'ip link set lo up',
    ...Object.values(ADDRESSES).map((address) => `ip addr add ${address}/32 dev lo`),
    ...['resolv.conf', 'passwd', 'group'].map((name) => `mount --bind "$1/${name}" /etc/${name}`),
    'echo ready',
    'exec cat',
  ].join('\n')
  const holder = spawn('unshare', [...NAMESPACES, 'sh', '-c', script, 'sh', dir], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(holder, 'exit').then(() => undefined)
  const first = await Promise.race([once(createInterface(holder.stdout as NodeJS.ReadableStream), 'line'), ended])
  if (first === undefined) throw new Error('The namespaces could not be made')
  return holder
}

async function startNameServer(network: MailNetwork, zone: readonly string[]): Promise<void> {
  const child = network.start('dnsmasq', [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--no-hosts',
    '--no-resolv',
    '--bind-interfaces',
    `--listen-address=${ADDRESSES.dns}`,
    '--pid-file=',
    '--user=',
    '--cache-size=0',
    '--log-facility=-',
    '--local=/#/',
    ...zone,
  ])
  let log = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString('latin1')).slice(-4_000)
  })
  const ended = once(child, 'exit').then(() => 'ended' as const)
  const started = new Promise<'started'>((resolve) => {
    // It has its sockets by the time it says so.
    child.stderr?.on('data', () => {
      if (log.includes('started, version')) resolve('started')
    })
  })
  if ((await Promise.race([started, ended])) === 'ended') throw new Error(`The name server did not start: ${log}`)
}

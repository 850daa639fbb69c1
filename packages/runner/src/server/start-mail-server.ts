/** Makes a mail server from a configuration and what stands in for the real things; listens on nothing yet. */
import { join } from 'node:path'
import type { ForwardPath } from '@postern/core/address'
import { defaultAdmissionLimits } from '@postern/core/admission'
import { gatherNothing } from '@postern/core/analysis'
import { ConfigError, parseConfig, type Config, type ConfigInput } from '@postern/core/config'
import { ArrivalsRegister } from '@postern/core/delivery'
import type { Directory } from '@postern/core/directory'
import { BlockLists } from '@postern/core/provenance'
import { createAuthenticator, decodeCredentials, type Authenticator, type Hasher } from '@postern/core/sasl'
import type { Clock, Logger, Random, Resolver } from '@postern/core/host'
import type { MailStore } from '@postern/core/store'
import { systemClock } from '../host/clock.ts'
import { createHashingWorker } from '../host/hashing-worker.ts'
import { createLogger, guardLogger } from '../host/log.ts'
import { systemRandom } from '../host/random.ts'
import { createResolver } from '../host/resolver.ts'
import { lmdbStore } from '../store/lmdb-store.ts'
import { CREDENTIALS, ServerAccounts } from './accounts.ts'
import { Admission } from './admission.ts'
import { openConnectionIds } from './connection-ids.ts'
import { createConnectionLog } from './connection-log.ts'
import { EventHub } from './events.ts'
import { answerLookUps, createEvidenceGatherer } from './evidence-gatherer.ts'
import { filingPolicyOf } from './filing-policy.ts'
import { HookRunner } from './hooks.ts'
import { checkJunkFilters, createJunkService } from './junk-service.ts'
import type { MailServerOptions } from './mail-server.ts'
import { MessageThread } from './message-thread.ts'
import { createServerMetrics } from './metrics.ts'
import { watchProcess } from './metrics-process.ts'
import { timeClassifier, timeResolver } from './metrics-timing.ts'
import type { SmtpService } from './listeners.ts'
import { createReportReader } from './report-reader.ts'
import { RunningServer } from './running-server.ts'
import { loadSecretFile } from './secret-file.ts'
import { createSenderChecks } from './sender-checks.ts'
import { createSmtpBackend, type MailBackend, type SmtpBackendHost } from './smtp-backend.ts'

/** What only our own programs put into a server. */
export interface Internals {
  /** Stands between engine and backend. */
  readonly smtpBackend?: (backend: MailBackend) => MailBackend
  readonly authenticator?: (authenticator: Authenticator) => Authenticator
  /** Passwords of accounts that have none yet. */
  readonly passwords?: Readonly<Record<string, string>>
  /** Cost of deriving a password; a test server takes less. */
  readonly iterations?: number
}

/** The secret that unknown login names are answered by: they must not be told apart by other answers after a restart. */
const DECOY_FILE = 'install.key'
const DECOY_OCTETS = 32
/** LIMIT: hashings that wait; each takes the worker about 50 ms, so the last waits some seconds. */
const MAX_QUEUED_HASHINGS = 100

/** @throws {ConfigError} with every issue  Rejects with `StoreError` when the store can't be opened */
export async function startMailServer(input: ConfigInput, options: MailServerOptions, internals: Internals = {}): Promise<RunningServer> {
  const { config, issues } = parseConfig(input)
  if (config === undefined) throw new ConfigError(issues)
  const junkIssues = checkJunkFilters(config)
  if (junkIssues.length > 0) throw new ConfigError(junkIssues)
  const clock = options.clock ?? systemClock
  const random = options.random ?? systemRandom
  const mainLogger = guardLogger(options.logger ?? createLogger({ level: 'warn' }))
  // Loaded only where it is asked for: who keeps metrics himself does not need it.
  const registry = options.metrics ?? (await import('../host/metrics.ts')).createMetrics()
  const metrics = createServerMetrics(registry)
  const hasher = createHashingWorker({ maxQueued: MAX_QUEUED_HASHINGS })
  const store = options.store ?? (await openStore(config, { clock, random, logger: mainLogger }))
  let stopWatching = (): void => {}
  try {
    stopWatching = watchProcess(registry, () => store.accepting)
    // After the store, which alone may make the data directory.
    const connectionIds = await openConnectionIds(config.dataDir, { random, nowMs: clock.now() })
    const logger = createConnectionLog(mainLogger, connectionIds)
    const events = new EventHub()
    metrics.follow(events)
    events.on('error', ({ error, where }) => logger.error({ err: error, where }, 'Unexpected error'))
    const ownResolver = options.resolver === undefined ? createResolver({ clock, random, onEvent: metrics.resolverEvent }) : undefined
    const resolver = timeResolver(ownResolver ?? (options.resolver as Resolver), clock, metrics)
    const thread = new MessageThread({ logger })
    thread.serve('lookUp', answerLookUps(resolver))
    const junk = await createJunkService({ store, thread, clock, logger, events, directory: () => accounts.directory, baseline: config.junkBaseline })
    const accounts: ServerAccounts = new ServerAccounts(config, {
      store,
      hasher,
      random,
      clock,
      hostname: config.hostname,
      hostnames: [config.hostname, ...Object.values(config.listeners).flatMap(({ smtp, hostname }) => (smtp === undefined || hostname === undefined ? [] : [hostname]))],
      legacyMechanisms: options.legacyMechanisms ?? false,
      retrain: (account, asked) => junk.trainer.retrain(account, asked),
      ...(internals.iterations === undefined ? {} : { iterations: internals.iterations }),
    })
    await accounts.prepare()
    for (const [name, password] of Object.entries(internals.passwords ?? {})) {
      if ((await store.secret(name, CREDENTIALS)) === undefined) await (await accounts.get(name))?.setPassword(password)
    }
    const authenticator = options.authenticator ?? createStoreAuthenticator(config, accounts, {
      store,
      hasher,
      random,
      clock,
      decoySecret: config.dataDir === undefined ? random(DECOY_OCTETS) : await loadSecretFile(join(config.dataDir, DECOY_FILE), DECOY_OCTETS, random),
      legacyMechanisms: options.legacyMechanisms ?? false,
      iterations: internals.iterations,
    })
    store.usePolicy((account) => filingPolicyOf(account, () => accounts.directory))
    const limits = { ...defaultAdmissionLimits, ...options.limits }
    const hooks = new HookRunner(options.hooks === undefined ? [] : [options.hooks].flat(), { clock, logger, events, hookAsked: metrics.hookAsked })
    const { hostname } = config
    const receiving: Omit<SmtpBackendHost, 'gather' | 'blockLists' | 'firstTimeSenderDelayMs'> = {
      store,
      directory: () => accounts.directory,
      hostname,
      clock,
      random,
      logger,
      events,
      hooks,
      messageDecided: metrics.messageDecided,
      arrivals: new ArrivalsRegister(limits),
      classifier: timeClassifier(options.classifier ?? junk.classifier, clock, metrics),
      reports: createReportReader({ store, directory: () => accounts.directory, clock, logger, events }),
    }
    const senderChecks = createSenderChecks({ resolver, clock, hostname })
    const isOfMachine = options.clock === undefined && options.random === undefined
    const gather = createEvidenceGatherer({
      resolver,
      random,
      hostname,
      thread: isOfMachine ? thread : undefined,
      wantsWords: ({ recipients }) => options.classifier === undefined && recipients.some((path) => isFiltered(path, accounts.directory)),
      readings: junk.readings,
    })
    const createTrustingBackend = (): MailBackend =>
      createSmtpBackend({ ...receiving, gather: (message, header, facts, reception) => gatherNothing(message, header, facts, reception, { hostname }), firstTimeSenderDelayMs: 0 })
    const createCheckingBackend = (settings: SmtpService | undefined): MailBackend => {
      const lists = new BlockLists(settings?.blockLists ?? [], { resolver, clock })
      return createSmtpBackend({
        ...receiving,
        gather,
        senderChecks,
        senderChecked: metrics.senderChecked,
        async blockLists(remoteAddress, signal) {
          const found = await lists.check(remoteAddress, signal)
          metrics.blockListsAsked(found)
          return found.flatMap(({ zone, result }) => (result === 'listed' ? [zone] : []))
        },
        firstTimeSenderDelayMs: settings?.firstTimeSenderDelay ?? 0,
      })
    }
    const server = new RunningServer({
      config,
      clock,
      random,
      logger,
      store,
      hasher,
      events,
      accounts,
      junk,
      pedantic: config.pedantic,
      connectionIds,
      registry,
      metrics,
      stopWatching,
      authenticator: internals.authenticator?.(authenticator) ?? authenticator,
      admission: new Admission(limits, { clock, events }),
      createBackend: (from) => {
        const backend = config.checkSenders && from !== 'host' ? createCheckingBackend(from) : createTrustingBackend()
        return internals.smtpBackend?.(backend) ?? backend
      },
      thread,
      closeResolver: async () => ownResolver?.close(),
    })
    await junk.trainer.start()
    options.signal?.addEventListener('abort', () => void server.close({ drain: 0 }), { once: true })
    return server
  } catch (error) {
    stopWatching()
    await store.close()
    await hasher.close()
    throw error
  }
}

function isFiltered(path: ForwardPath, directory: Directory): boolean {
  const found = directory.findRecipient(path)
  return found.kind === 'account' && directory.settingsOf(found.destination.account)?.junkFilter.enabled === true
}

function openStore(config: Config, host: { readonly clock: Clock; readonly random: Random; readonly logger: Logger }): Promise<MailStore> {
  if (config.dataDir === undefined) {
    throw new ConfigError([{ severity: 'error', path: ['dataDir'], code: 'missing', text: 'Is missing (a directory, unless a store is given in code)' }])
  }
  return lmdbStore({ dir: config.dataDir, reserveOctets: config.diskReserve, ...host })
}

/** Logins are checked against the credentials in the store. */
function createStoreAuthenticator(
  config: Config,
  accounts: ServerAccounts,
  host: {
    readonly store: MailStore
    readonly hasher: Hasher
    readonly random: Random
    readonly clock: Clock
    readonly decoySecret: Uint8Array
    readonly legacyMechanisms: boolean
    readonly iterations: number | undefined
  },
): Authenticator {
  const { store, hasher, random, clock, decoySecret, legacyMechanisms, iterations } = host
  return createAuthenticator({
    source: {
      async find(login) {
        const account = accounts.directory.findLogin(login)
        // Looked for under unknown names too: what is asked of the store must not tell which names exist.
        const octets = await store.secret(account ?? login, CREDENTIALS)
        return account === undefined || octets === undefined ? undefined : { account, credentials: decodeCredentials(octets) }
      },
    },
    hasher,
    random,
    clock,
    hostname: config.hostname,
    decoySecret,
    ...(iterations === undefined ? {} : { iterations }),
    mechanisms: legacyMechanisms ? ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN'] : ['SCRAM-SHA-256', 'PLAIN', 'LOGIN'],
  })
}

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Approvals, openAuditTrail, startAdmin } from '#admin'
import { API_FRAMES, API_PACK } from '#api'
import { errorText, formatMoney, NadiError, SystemClock, SystemRandom } from '#base'
import { type Config, type ConfigPlaces, ensureSecret, loadConfig, placesFrom } from '#config'
import type { ListenerStatus } from '#listener'
import { TcpAcceptor, TcpDialer } from '#net'
import { CardVault } from '#switch'
import { Health, type Log, Metrics, pinoLog } from '#telemetry'
import { tellingEnds } from './ends.ts'
import { httpFrames } from './http-frames.ts'
import { type Keys, openKeys } from './keys.ts'
import { Lab } from './lab.ts'
import { keepWatchdog, notifySystemd } from './notify.ts'
import { type PartnerApi, partnerApi } from './partner-api.ts'
import { openStore, type Store } from './store.ts'
import { wire, type Wired } from './wire.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const ADMIN_TOKEN_BYTES = 32

/**
 * The daemon's life: everything is opened from the bottom up, runs until SIGTERM or SIGINT, and is
 * ended from the top down, finishing what it owes. Resolves with the exit code.
 */
export async function runDaemon(overrides: readonly string[] = []): Promise<number> {
  const places = placesFrom(process.env, ROOT, overrides)
  const loaded = loadConfig(places)
  if ('problems' in loaded) {
    for (const { path, text } of loaded.problems) console.error(`${path}: ${text}`)
    console.error(`nothing was started: ${loaded.problems.length} problem(s)`)
    return 1
  }
  const { config } = loaded
  const clock = new SystemClock()
  const { level, file } = config.log
  const log = pinoLog({ clock, level, file, fields: { node: config.node.name } })
  stopOnBugs(log)
  try {
    await live(config, places, clock, log)
    return 0
  } catch (error) {
    const hint = error instanceof NadiError ? error.message : errorText(error)
    log.error('the daemon failed', { error: hint })
    console.error(`nadi: ${hint}`)
    return 1
  } finally {
    log.flush()
  }
}

async function live(
  config: Config,
  places: ConfigPlaces,
  clock: SystemClock,
  log: Log,
): Promise<void> {
  const stopped = stopSignal()
  const random = new SystemRandom()
  const version = readVersion()
  const metrics = new Metrics(clock, { version, node: config.node.name })
  metrics.watchProcess()
  const health = new Health(clock)
  health.start()

  const store = await openStore(config, { clock, random, log, metrics })
  const { journal, requests, webhooks } = store
  const keys = await openKeys(config, store.keyRecords, { clock, random, log })
  let api: PartnerApi | undefined
  const observer = tellingEnds(metrics, (partner, id) => api?.noteEnd(partner, id))
  const vault = new CardVault(store.cardKey, random)
  const wired = wire(
    config,
    {
      clock,
      random,
      log,
      journal,
      observer,
      vault,
      ...(keys && { hsm: keys.hsm, keyring: zone => keys.store.zone(zone) }),
      dialer: ({ host, port }) => new TcpDialer({ host, port }),
      acceptor: ({ host, port, limits }) =>
        new TcpAcceptor({ host, port, bytesPendingMax: limits.bytesPendingMax }),
    },
    await journal.newestId(),
  )
  const around = { clock, random, log, version, journal, requests, webhooks, vault }
  api = partnerApi(config, { ...around, switch: wired.switch })
  const lab = new Lab(config, places.protocolsFolder, clock, log)
  const listeners = [...wired.listeners, ...wired.callbacks, ...api.servers, ...api.snaps]
  gather(metrics, wired, listeners, store)
  if (keys) gatherKeys(metrics, keys)
  watch(health, listeners, store)
  const admin = await startAdmin({
    ...config.admin,
    token: config.admin.token && ensureSecret(config.admin.token, random, ADMIN_TOKEN_BYTES),
    approvals: new Approvals(config.admin.approve, clock, random),
    node: { ...config.node, version },
    clock,
    log,
    audit: await openAuditTrail(resolve(config.data.varFolder, 'audit.log')),
    journal,
    switch: wired.switch,
    links: new Map([...wired.destinations].map(([name, { link }]) => [name, link])),
    listeners: new Map(listeners.map(listener => [listener.name, listener])),
    packs: new Map([
      ...config.packs,
      ...[...config.httpPacks].map(([name, pack]) => [name, httpFrames(pack)] as const),
      [API_PACK, API_FRAMES],
    ]),
    partners: config.partners,
    products: config.products,
    webhooks: api.desk,
    keysOf: api.keysOf,
    ...(keys && { keys: keys.store }),
    exchangeOf: zone => wired.securities.get(zone)?.exchange,
    zones: new Set([
      ...wired.destinations.keys(),
      ...listeners.map(({ name }) => name),
      ...wired.securities.keys(),
    ]),
    metrics,
    health: { live: () => health.healthz().reasons, ready: () => health.readyz().reasons },
  })
  lab.start()
  for (const { link } of wired.destinations.values()) link.start()
  await openDeposits(config, wired, log)
  const recovered = await wired.switch.recover()
  if (recovered > 0) log.info('open txns are taken up again', { count: recovered })
  await api.dispatcher.start()
  for (const listener of listeners) await listener.listen()
  await notifySystemd('READY=1')
  const endWatchdog = keepWatchdog(clock, () => health.healthz().ok)
  say(config, listeners, store, admin.address)

  const why = await stopped
  log.info('stopping', { why })
  await notifySystemd('STOPPING=1')
  await finish(config, wired, listeners, clock)
  await api.stop()
  await admin.close()
  await lab.stop()
  await keys?.close()
  await store.close()
  endWatchdog()
  health.stop()
  log.info('stopped')
}

/** A way in, of whatever kind. */
type Way = {
  readonly name: string
  drain(deadlineMs: number): Promise<void>
  status(): ListenerStatus
}

/** Takes nothing new, finishes what is owed within the limit, signs off. */
async function finish(
  { drainMs }: Config,
  wired: Wired,
  listeners: readonly Way[],
  clock: SystemClock,
): Promise<void> {
  const deadlineMs = clock.nowMs() + drainMs
  for (const security of wired.securities.values()) security.stop()
  const doors = Promise.all(listeners.map(listener => listener.drain(deadlineMs)))
  await wired.switch.drain(deadlineMs)
  await doors
  await Promise.all([...wired.destinations.values()].map(({ link }) => link.drain(deadlineMs)))
}

/** What the configuration gives a partner at its first start, booked once. */
async function openDeposits({ partners }: Config, wired: Wired, log: Log): Promise<void> {
  for (const { id, openingDepositMinor: amount } of partners.values()) {
    if (amount === undefined) continue
    const booked = await wired.switch.deposit(id, amount, 'configuration', 'opening', 'opening')
    if (booked === 'booked')
      log.info('opening deposit', { partner: id, amount: formatMoney(amount) })
  }
}

function gather(
  metrics: Metrics,
  wired: Wired,
  listeners: readonly Way[],
  { journal }: Store,
): void {
  metrics.collect({
    links: () => [...wired.destinations.values()].map(({ link }) => link.status()),
    listeners: () => listeners.map(listener => listener.status()),
    journal: () => ({ available: journal.available, queue: journal.waiting }),
    safDepth: () => wired.switch.owed.reduce((sum, { later, ready }) => sum + later + ready, 0),
    callbacks: () => [...wired.desks].map(([link, { counts }]) => ({ link, counts })),
    security: () => [...wired.securities].map(([zone, { counts }]) => ({ zone, counts })),
    openTxns: () => journal.openSummary(),
    balances: () => journal.balances(),
  })
}

function gatherKeys(metrics: Metrics, { hsm, store }: Keys): void {
  metrics.collect({ hsm: () => hsm.status(), keys: () => store.figures() })
}

function watch(health: Health, listeners: readonly Way[], { journal }: Store): void {
  health.needs('journal', () => journal.available || 'cannot make anything durable')
  for (const listener of listeners)
    health.needs(`listener ${listener.name}`, () => listener.status().address !== '' || 'not open')
}

/** What the lab sells: over frames, and over HTTP with a callback. */
const TRIED: readonly (readonly [product: string, command: string])[] = [
  ['pln-postpaid', '  npx nadi pay pln-postpaid 999900000015'],
  ['pulsa-telkomsel', '  npx nadi pay pulsa-telkomsel 999900000960 --amount 10000'],
]

/** What it listens on, and what to try: for the person at the terminal. */
function say(
  config: Config,
  listeners: readonly Way[],
  { where }: Store,
  adminAddress: string,
): void {
  const lines = [
    `nadi ${readVersion()} is up.`,
    ...listeners.map(listener => {
      const { name, address } = listener.status()
      const pack = config.listeners.find(each => each.name === name)?.pack
      const isForBillers = config.callbacks.some(each => each.name === name)
      const isForBanks = config.snaps.some(each => each.name === name)
      if (isForBanks) return `  banks      ${address.padEnd(21)} SNAP BI`
      if (isForBillers) return `  billers    ${address.padEnd(21)} callbacks`
      return `  partners   ${address.padEnd(21)} ${pack ?? 'HTTP API, /docs'}`
    }),
    `  operators  ${adminAddress.padEnd(21)} /metrics /healthz /readyz`,
    ...config.links.map(
      ({ name, host, port, pack }) =>
        `  link ${name.padEnd(5)} ${`${host}:${port}`.padEnd(21)} ${pack}`,
    ),
    ...config.httpLinks.map(
      ({ name, place, pack }) => `  link ${name.padEnd(5)} ${place.url.padEnd(21)} ${pack}`,
    ),
    `  data       ${where}`,
    `  log        ${config.log.file ?? 'standard output'}`,
    '',
    'Try, in another terminal:',
    ...TRIED.filter(([product]) => config.products.has(product)).map(([, command]) => command),
    '  npx nadi txn list',
    '  npx nadi ledger audit',
    '',
  ]
  console.log(lines.join('\n'))
}

function stopSignal(): Promise<string> {
  return new Promise(resolve => {
    process.once('SIGTERM', () => resolve('SIGTERM'))
    process.once('SIGINT', () => resolve('SIGINT'))
  })
}

/** A bug must not go on: the process ends, systemd starts it again, and recovery goes to work. */
function stopOnBugs(log: Log & { flush(): void }): void {
  const stop = (error: unknown): void => {
    log.error('a bug: the process ends', {
      error: errorText(error),
      stack: error instanceof Error ? error.stack : undefined,
    })
    log.flush()
    console.error(error)
    process.exit(70)
  }
  process.on('uncaughtException', stop)
  process.on('unhandledRejection', stop)
}

function readVersion(): string {
  const text = readFileSync(resolve(ROOT, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ApiLimits,
  type ApiParts,
  type ApiPartner,
  ApiServer,
  HttpSender,
  MemoryRequests,
  MemoryWebhooks,
  openapi,
  WebhookDesk,
  WebhookDispatcher,
  type WebhookTarget,
} from '#api'
import { rupiah, Secret, SystemClock, SystemRandom } from '#base'
import { type Config, loadConfig, placesFrom } from '#config'
import { MemoryJournal } from '#journal'
import { MemoryNetwork, TcpAcceptor, TcpDialer } from '#net'
import type { Pack } from '#pack'
import { Book, SimulatedBiller } from '#sim'
import { NO_OBSERVER, type Switch } from '#switch'
import { NO_LOG } from '#telemetry'
import { tellingEnds } from '../../src/daemon/ends.ts'
import { wire } from '../../src/daemon/wire.ts'
import { Till } from '../simulation/till.ts'
import { ApiClient, type Key } from './client.ts'
import { answerProblems, type Document } from './conforms.ts'

export const ROOT = new URL('../..', import.meta.url).pathname

/** Two partners with a key each; the second has little money. */
export const KEYS: Readonly<Record<'first' | 'second', Key>> = {
  first: { id: 'first-key', secret: new Secret('a-secret-of-the-first-partner-for-tests') },
  second: { id: 'second-key', secret: new Secret('a-secret-of-the-second-partner-for-tests') },
}
export const [FIRST, SECOND] = ['4519001', '4519002'] as const

export type LabOptions = {
  readonly parts?: Partial<ApiParts>
  readonly limits?: Partial<ApiLimits>
  readonly targets?: ReadonlyMap<string, WebhookTarget>
  readonly retriesMs?: readonly number[]
  /** How long a partner's server may take; else so long that no test depends on it. */
  readonly sendTimeoutMs?: number
  readonly partner?: Partial<ApiPartner>
}

/** The switch, the biller, the ISO listener and the API in this process, on real sockets; no database. */
export type Lab = {
  readonly config: Config
  readonly switch: Switch
  readonly journal: MemoryJournal
  readonly clock: SystemClock
  readonly api: ApiServer
  readonly address: string
  readonly document: Document
  readonly store: MemoryWebhooks
  readonly dispatcher: WebhookDispatcher
  readonly desk: WebhookDesk
  /** What any answer to any client of this lab had against the document. */
  readonly problems: string[]
  client(key?: Key): ApiClient
  /** A till of the first partner on the ISO listener, signed on. */
  till(): Promise<Till>
  close(): Promise<void>
}

export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-api-'))
  const config = labConfig(folder)
  const clock = new SystemClock()
  const random = new SystemRandom()
  const log = NO_LOG
  const network = new MemoryNetwork({ clock, random })
  const journal = new MemoryJournal({ clock })
  const biller = new SimulatedBiller({
    pack: config.packs.get('pln-2003-115') as Pack,
    acceptor: network.acceptor('pln'),
    clock,
    random,
    book: new Book({}),
    log,
    timing: { deadlineMs: 500, lateByMs: 50, slowByMs: 200 },
  })
  await biller.listen()
  const ended = tellingEnds(NO_OBSERVER, (partner, id) => dispatcher.noteEnd(partner, id))
  const wired = wire(config, {
    clock,
    random,
    log,
    journal,
    observer: ended,
    dialer: () => network.dialer('pln', 'nadi'),
    acceptor: () => new TcpAcceptor({ host: '127.0.0.1', port: 0 }),
  })
  for (const listener of wired.listeners) await listener.listen()
  for (const { link } of wired.destinations.values()) link.start()
  await wired.switch.deposit(FIRST, rupiah(1_000_000_000_000n), 'lab', 'opening')
  await wired.switch.deposit(SECOND, rupiah(1_000), 'lab', 'opening')

  const store = new MemoryWebhooks()
  const dispatcher = new WebhookDispatcher({
    store,
    looks: wired.switch.looks,
    targets: options.targets ?? new Map(),
    sender: new HttpSender(clock, options.sendTimeoutMs ?? 120_000),
    options: { retriesMs: options.retriesMs ?? [30, 60], keepMs: 3_600_000 },
    clock,
    random,
    log,
  })
  await dispatcher.start()
  const [listener] = config.apis
  if (!listener) throw new Error('the lab has no HTTP listener')
  const api = new ApiServer({
    ...listener,
    port: 0,
    tls: undefined,
    version: '0.0.0',
    clock,
    random,
    log,
    journal,
    switch: wired.switch,
    partners: partnersOf(config, options.partner),
    products: config.products,
    requests: new MemoryRequests(),
    ...options.parts,
    limits: { ...listener.limits, ...options.limits },
  })
  const { address } = await api.listen()
  const document = openapi('0.0.0') as Document
  const problems: string[] = []
  const iso = wired.listeners[0]?.status().address ?? ''
  await upOf(clock, wired.destinations.get('pln'))
  return {
    config,
    switch: wired.switch,
    journal,
    clock,
    api,
    address,
    document,
    store,
    dispatcher,
    desk: new WebhookDesk(store, journal, clock, () => dispatcher.nudge()),
    problems,
    client: (key = KEYS.first) =>
      new ApiClient(address, key, (method, target, reply) =>
        problems.push(...answerProblems(document, method, target, reply)),
      ),
    async till() {
      const [host = '', port] = iso.split(':')
      const dialer = new TcpDialer({ host, port: Number(port) })
      const pack = config.packs.get('pln-2003-111') as Pack
      const identity = {
        bank: '4519999',
        partner: FIRST,
        switcher: 'SWX0001',
        terminal: '0LOKET0000000001',
      }
      const till = new Till(dialer, pack, clock, identity, () => {})
      if (!(await till.open())) throw new Error('the till cannot sign on')
      return till
    },
    async close() {
      const soonMs = clock.nowMs() + 1000
      await api.drain(soonMs)
      await dispatcher.stop()
      await Promise.all(wired.listeners.map(each => each.drain(soonMs)))
      await Promise.all([...wired.destinations.values()].map(({ link }) => link.drain(soonMs)))
      await biller.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The lab's own configuration in a hurry, with a second partner. */
function labConfig(varFolder: string): Config {
  const result = loadConfig(placesFrom({ NADI_VAR: varFolder }, ROOT, []))
  if ('problems' in result) throw new Error(JSON.stringify(result.problems, undefined, 1))
  const { config } = result
  const products = new Map(
    [...config.products].map(([code, product]) => {
      const { policy } = product
      const fast = { spacingMs: 20, answerTimeoutMs: 500, recoveryTimeoutMs: 300 }
      return [code, { ...product, policy: { ...policy, ...fast } }] as const
    }),
  )
  const first = config.partners.get(FIRST)
  if (!first) throw new Error('the lab has no such partner')
  const partners = new Map([...config.partners, [SECOND, { ...first, id: SECOND }] as const])
  const settings = { ...config.settings, askerPatienceMs: 1500 }
  return { ...config, products, partners, settings }
}

function partnersOf(
  { partners }: Config,
  change: Partial<ApiPartner> = {},
): ReadonlyMap<string, ApiPartner> {
  const identity = (key: Key) => ({
    bank: '4519999',
    switcher: 'SWX0001',
    terminal: '0LOKET0000000001',
    channel: '6021',
    keys: new Map([[key.id, key.secret]]),
    certificates: new Set<string>(),
  })
  const [first, second] = [partners.get(FIRST), partners.get(SECOND)]
  if (!first || !second) throw new Error('the lab has two partners')
  return new Map<string, ApiPartner>([
    [FIRST, { ...first, api: identity(KEYS.first), ...change }],
    [SECOND, { ...second, api: identity(KEYS.second) }],
  ])
}

async function upOf(clock: SystemClock, destination?: { readonly up: boolean }): Promise<void> {
  const isUp = (): boolean => destination?.up ?? false
  while (!isUp())
    await new Promise<void>(resolve => {
      clock.at(clock.nowMs() + 5, resolve)
    })
}

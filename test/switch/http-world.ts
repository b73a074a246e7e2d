import { request as call } from 'undici'
import { localTime, minor, rupiah, Secret, SystemClock, SystemRandom } from '#base'
import { MemoryJournal, MemoryStore, type StoredTxn } from '#journal'
import { HttpLink, type HttpLinkOptions } from '#link'
import { CallbackListener } from '#listener'
import type { Message } from '#message'
import type { HttpPack } from '#pack'
import {
  CallbackDesk,
  HttpDestination,
  httpDialectOf,
  NO_OBSERVER,
  OwnNumbers,
  type Product,
  Switch,
} from '#switch'
import { askSwitch } from '../../src/conformance/ask.ts'
import { LeasedClock } from '../../src/conformance/lease.ts'
import { type Got, HTTP_OPTIONS, reply, ScriptedServer } from '../link/http-world.ts'
import { ListLog } from '../link/world.ts'
import { handPack, sealedCallback } from './hand-pack.ts'

const PARTNER = '4519001'
export const KEY = 'a-key-that-nobody-may-see'

const NO_FEE = { biller: 0n, switch: 0n, partner: 0n }

export function product(code: string, more: Partial<Product> = {}): Product {
  return {
    code,
    enabled: true,
    biller: 'biller',
    links: ['biller'],
    hours: undefined,
    minMinor: rupiah(1_000),
    maxMinor: rupiah(1_000_000),
    denominationsMinor: code === 'topup' ? new Set([rupiah(10_000), rupiah(25_000)]) : undefined,
    feeInside: false,
    inquiryTimeoutMs: 5_000,
    policy: {
      recovery: 'check',
      attemptsMax: 3,
      spacingMs: 30,
      answerTimeoutMs: 5_000,
      recoveryTimeoutMs: 5_000,
      reversalWindowMs: 0,
    },
    fee: { adminPerBillMinor: minor(0n), insideAmount: false, shares: NO_FEE },
    ...more,
  }
}

/** What the biller says to a request: a body to answer with, or something worse. */
export type Manner = (got: Got, asked: Record<string, unknown>, path: string) => void

export const saying =
  (code: string, more: Record<string, unknown> = {}): Manner =>
  (got, { own }) =>
    reply(got, JSON.stringify({ own, code, ...more }))

/** A bill of Rp 50.000 for whoever asks, and then as it is told by path. */
export function manners(by: Readonly<Record<string, Manner>>): Manner {
  const bill = saying('ok', { amount: 5_000_000, name: 'BUDI' })
  return (got, asked, path) =>
    (by[path] ?? (path === '/inquiry' ? bill : saying('ok')))(got, asked, path)
}

export type Life = Awaited<ReturnType<typeof life>>

/** What outlives a process: the biller, and what is durable. */
export class Biller {
  readonly server = new ScriptedServer(got => this.#serve(got))
  readonly store = new MemoryStore()
  manner: Manner
  port = 0

  constructor(manner: Manner) {
    this.manner = manner
  }

  get paths(): string[] {
    return this.server.got.map(({ head }) => head.split(' ')[1] ?? '')
  }

  owns(): unknown[] {
    return this.server.got
      .filter(({ body }) => body !== '{}')
      .map(({ body }) => asJson(body)['own'])
  }

  async listen(): Promise<void> {
    this.port = await this.server.listen()
  }

  #serve(got: Got): void {
    const path = got.head.split(' ')[1] ?? ''
    this.manner(got, asJson(got.body), path)
  }
}

/** Empty where a dialect of a test speaks otherwise. */
function asJson(body: string): Record<string, unknown> {
  return body.startsWith('{') ? (JSON.parse(body) as Record<string, unknown>) : {}
}

/** One life of the process: a switch with links over HTTP, and a way in for callbacks. */
export async function life(
  biller: Biller,
  {
    products = [product('bill'), product('topup')],
    pack = handPack({ key: new Secret(KEY) }),
    options = {},
    urls = [`http://127.0.0.1:${biller.port}`],
  }: {
    products?: readonly Product[]
    pack?: HttpPack
    options?: Partial<HttpLinkOptions>
    /** One link each: `biller`, `biller-2` … */
    urls?: readonly string[]
  } = {},
) {
  const clock = new LeasedClock(new SystemClock())
  const random = new SystemRandom()
  const log = new ListLog()
  const journal = new MemoryJournal({ clock, store: biller.store })
  const numbers = new OwnNumbers(clock, 0)
  const ends = urls.map((url, at) => {
    const link = new HttpLink<Message>({
      name: at === 0 ? 'biller' : `biller-${at + 1}`,
      place: { url },
      dialect: httpDialectOf(pack, numbers, clock),
      options: { ...HTTP_OPTIONS, ...options },
      clock,
      random,
      log,
    })
    return new HttpDestination({ link, pack, identity: undefined, numbers, clock })
  })
  const partner = {
    id: PARTNER,
    blocked: false,
    banks: new Set(['451']),
    switchers: new Set(['SWX0001']),
    terminals: new Set(['T1']),
    products: new Set(products.map(({ code }) => code)),
  }
  const settings = {
    node: 0,
    cutoverMs: 86_400_000,
    referencePrefix: 'NAD',
    openMax: 100,
    inquiriesMax: 100,
    askerPatienceMs: 10_000,
    recoveriesMax: 10,
  }
  const theSwitch = new Switch(
    {
      settings,
      clock,
      random,
      log,
      journal,
      partners: new Map([[PARTNER, partner]]),
      products: new Map(products.map(one => [one.code, one])),
      destinations: new Map(ends.map(end => [end.name, end])),
      observer: NO_OBSERVER,
    },
    await journal.newestId(),
  )
  const desk = new CallbackDesk({
    destination: ends[0] as HttpDestination,
    pack,
    numbers,
    clock,
    log,
    lookUp: (to, answer) => theSwitch.lateAnswer(to, answer),
  })
  const listener = new CallbackListener(
    {
      name: 'callbacks',
      host: '127.0.0.1',
      port: 0,
      tls: undefined,
      limits: CALLBACK_LIMITS,
      routes: [
        {
          prefix: '/biller',
          mayCall: peer => peer === '127.0.0.1',
          turnedAway: () => desk.turnedAway(),
          take: frame => desk.take(frame),
        },
      ],
    },
    { clock, log },
  )
  const { address } = await listener.listen()
  for (const { link } of ends) link.start()
  await theSwitch.deposit(PARTNER, rupiah(1_000_000), 'test', 'opening', 'opening')

  let trace = 0
  /** What a partner is told. */
  const ask = async (message: Partial<Message> & Pick<Message, 'kind'>): Promise<Message> => {
    const told = await askSwitch(theSwitch, clock, PARTNER, {
      direction: 'request',
      repeat: false,
      trace: String(++trace),
      sentAt: localTime(clock.nowMs()),
      bank: '451',
      partner: PARTNER,
      switcher: 'SWX0001',
      terminal: 'T1',
      ...message,
    })
    if (!told) throw new Error('no answer')
    return told
  }
  const inquire = (code: string, more: Partial<Message> = {}): Promise<Message> =>
    ask({ kind: 'inquiry', product: code, customer: { id: '0811' }, ...more })
  const pay = (told: Message, amountMinor = told.amountMinor): Promise<Message> => {
    const { outcome: _, adminMinor: __, ...quote } = told
    return ask({
      ...quote,
      kind: 'payment',
      direction: 'request',
      trace: String(++trace),
      ...(amountMinor !== undefined && { amountMinor }),
    })
  }
  const buy = async (code: string, amountMinor = rupiah(10_000)): Promise<Message> =>
    pay(await inquire(code, code === 'topup' ? { amountMinor } : {}))
  const payments = async (): Promise<StoredTxn[]> => {
    const rows = await journal.list({ kind: 'payment', limit: 100 })
    const found = await Promise.all(rows.map(({ partner: owner, id }) => journal.find(owner, id)))
    return found.filter(one => one !== undefined)
  }
  const until = async (what: () => boolean | Promise<boolean>): Promise<void> => {
    for (let i = 0; i < 1000 && !(await what()); i++)
      await new Promise<void>(resolve => {
        clock.at(clock.nowMs() + 5, resolve)
      })
  }
  /** Waits until the only payment is in this state. */
  const becomes = async (tag: string): Promise<StoredTxn> => {
    await until(async () => (await payments()).every(one => one.tag === tag))
    return (await payments())[0] as StoredTxn
  }
  /** As the biller calls back; resolves with the status of the answer. */
  const tell = async (told: Record<string, unknown>, atMs = clock.nowMs()): Promise<number> => {
    const { headers, body } = sealedCallback(pack, told, atMs)
    return post(headers, body)
  }
  const post = async (
    headers: Record<string, string>,
    body: string | Uint8Array,
  ): Promise<number> => {
    const answer = await call(`http://${address}/biller/told`, { method: 'POST', headers, body })
    await answer.body.dump()
    return answer.statusCode
  }
  const end = async (): Promise<void> => {
    await listener.drain(clock.nowMs())
    for (const { link } of ends) await link.drain(clock.nowMs())
    await journal.close()
    clock.end()
  }
  return {
    ends,
    journal,
    theSwitch,
    desk,
    log,
    clock,
    ask,
    inquire,
    pay,
    buy,
    payments,
    becomes,
    tell,
    post,
    until,
    end,
  }
}

const CALLBACK_LIMITS = {
  bodyBytesMax: 4096,
  headerBytesMax: 4096,
  connectionsMax: 16,
  connectionsPerPeerMax: 16,
  inFlightMax: 16,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 5_000,
  idleTimeoutMs: 5_000,
  answerTimeoutMs: 300,
}

/** A biller that listens, and goes when the test does. */
export async function biller(
  t: { teardown(run: () => unknown): unknown },
  manner: Manner,
): Promise<Biller> {
  const one = new Biller(manner)
  await one.listen()
  t.teardown(() => one.server.close())
  return one
}

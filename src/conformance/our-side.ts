import { type AmountMinor, type Clock, localTime, minor, type Random, rupiah } from '#base'
import { type Evidence, MemoryJournal, MemoryStore, type Story, type StoredTxn } from '#journal'
import { DialedLink, HttpLink, type HttpLinkOptions } from '#link'
import type { Message } from '#message'
import { TcpDialer } from '#net'
import type { HttpPack, Pack } from '#pack'
import {
  CallbackDesk,
  type Destination,
  dialectOf,
  FrameDestination,
  HttpDestination,
  httpDialectOf,
  type Identity,
  NO_OBSERVER,
  OwnNumbers,
  type Product,
  Switch,
} from '#switch'
import type { Log } from '#telemetry'
import type { Ears } from './ears.ts'
import type { Place } from './place.ts'
import type { Subject } from './subjects.ts'

export type OurSideOptions = {
  readonly pack: Pack | HttpPack
  readonly place: Place
  readonly subject: Subject
  /** How long the other side has to answer a payment; its inquiries have longer. */
  readonly patienceMs: number
  /** Where callbacks come in, in dialects that have them. */
  readonly ears?: Ears
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

const LINK = 'counterpart'
/** Who we are where the samples do not say. */
export const LAB: Identity = {
  bank: '4519999',
  partner: '4519001',
  switcher: 'SWX0001',
  terminal: '0LOKET0000000001',
}
const NO_FEE = { biller: 0n, switch: 0n, partner: 0n }
const SPACING_MS = 30

/**
 * A switch of ours with one link to the counterpart and a journal in memory: the real code from the
 * partner's request to the wire, for one payment.
 */
export class OurSide {
  readonly #options: OurSideOptions
  readonly #identity: Identity
  readonly #journal: MemoryJournal
  readonly #numbers: OwnNumbers
  readonly #destination: Destination
  readonly #switch: Switch
  #trace = 0

  constructor(options: OurSideOptions) {
    const { clock, random, log, subject } = options
    this.#options = options
    const { bank, partner, switcher, terminal } = { ...LAB, ...subject.asks }
    this.#identity = { bank, partner, switcher, terminal }
    this.#journal = new MemoryJournal({ clock, store: new MemoryStore() })
    this.#numbers = new OwnNumbers(clock, 0)
    this.#destination = this.#makeDestination()
    const product = this.#product()
    const facts = {
      id: partner,
      blocked: false,
      banks: new Set([bank]),
      switchers: new Set([switcher]),
      terminals: new Set([terminal]),
      products: new Set([product.code]),
    }
    this.#switch = new Switch({
      settings: SETTINGS,
      clock,
      random,
      log,
      journal: this.#journal,
      partners: new Map([[partner, facts]]),
      products: new Map([[product.code, product]]),
      destinations: new Map([[LINK, this.#destination]]),
      observer: NO_OBSERVER,
    })
    if (options.ears) options.ears.desk = this.#desk()
  }

  get up(): boolean {
    return this.#destination.up
  }

  get lastError(): string | undefined {
    return this.#destination.link.status().lastError
  }

  async start(): Promise<void> {
    this.#destination.link.start()
    const { partner } = this.#identity
    await this.#switch.deposit(partner, rupiah(1_000_000_000_000), 'test', 'opening', 'opening')
  }

  /** What the partner would be told; undefined when nothing is. */
  inquire(asks: Partial<Message>): Promise<Message | undefined> {
    const { product, buysMinor, unasked } = this.#options.subject
    const amount = unasked && buysMinor !== undefined ? { amountMinor: buysMinor } : {}
    return this.#ask({ ...asks, ...amount, kind: 'inquiry', product })
  }

  pay(told: Message): Promise<Message | undefined> {
    const { outcome: _, adminMinor: __, ...quote } = told
    const { buysMinor } = this.#options.subject
    const bought = buysMinor ?? told.amountMinor
    return this.#ask({
      ...quote,
      kind: 'payment',
      direction: 'request',
      ...(bought !== undefined && { amountMinor: bought }),
      ...(told.token && { token: { ...told.token, option: 0 } }),
    })
  }

  async payment(): Promise<StoredTxn | undefined> {
    const [row] = await this.#journal.list({ kind: 'payment', limit: 1 })
    return row && this.#journal.find(row.partner, row.id)
  }

  /** Of the inquiry, then of the payment. */
  async stories(): Promise<readonly Story[]> {
    const rows = await this.#journal.list({ limit: 10 })
    const stories = await Promise.all(
      rows.map(({ partner, id }) => this.#journal.story(partner, id)),
    )
    return stories
      .filter(story => story !== undefined)
      .filter(({ kind }) => kind !== 'deposit')
      .toSorted((a, b) => a.openedAtMs - b.openedAtMs)
  }

  /** What is still held of the deposit, and what the audit finds wrong. */
  async money(): Promise<{
    readonly heldMinor: AmountMinor
    readonly problems: readonly string[]
  }> {
    const { heldMinor, problems } = await this.#journal.audit()
    return { heldMinor, problems: problems.map(({ text }) => text) }
  }

  async end(): Promise<void> {
    const nowMs = this.#options.clock.nowMs()
    await this.#destination.link.drain(nowMs + 200)
    await this.#journal.close()
  }

  #ask(message: Partial<Message> & Pick<Message, 'kind'>): Promise<Message | undefined> {
    const { clock } = this.#options
    return new Promise(resolve => {
      const answers = new Map<Evidence, Message>()
      const evidence = (direction: 'in' | 'out'): Evidence => ({
        atMs: clock.nowMs(),
        side: 'source',
        direction,
        via: 'test',
        pack: 'test',
        bytes: new Uint8Array(1),
      })
      const partner = this.#identity.partner
      this.#switch.accept({
        message: {
          direction: 'request',
          repeat: false,
          ...this.#identity,
          channel: '6021',
          ...message,
          trace: String(++this.#trace).padStart(12, '0'),
          sentAt: localTime(clock.nowMs()),
        },
        atMs: clock.nowMs(),
        sessionPartner: partner,
        evidence: evidence('in'),
        write(answer) {
          const written = evidence('out')
          answers.set(written, answer)
          return written
        },
        send: written => resolve(answers.get(written)),
        drop: () => resolve(undefined),
      })
    })
  }

  #desk(): CallbackDesk | undefined {
    const { pack, clock, log } = this.#options
    if (!('transport' in pack) || !(this.#destination instanceof HttpDestination)) return undefined
    return new CallbackDesk({
      destination: this.#destination,
      pack,
      numbers: this.#numbers,
      clock,
      log,
      lookUp: (to, answer) => this.#switch.lateAnswer(to, answer),
    })
  }

  #makeDestination(): Destination {
    const { pack, place, clock, random, log, patienceMs } = this.#options
    const common = { name: LINK, clock, random, log }
    if ('transport' in pack) {
      if (place.tag !== 'http') throw new TypeError('a dialect over HTTP is reached by a URL')
      const link = new HttpLink<Message>({
        ...common,
        place,
        dialect: httpDialectOf(pack, this.#numbers, clock),
        options: httpOptions(patienceMs),
      })
      return new HttpDestination({ link, pack, identity: undefined, numbers: this.#numbers, clock })
    }
    if (place.tag !== 'tcp') throw new TypeError('frames go to a host and port')
    const link = new DialedLink<Message>({
      ...common,
      dialer: new TcpDialer(place),
      dialect: dialectOf(pack, this.#identity, clock),
      options: {
        inFlightMax: 8,
        dialTimeoutMs: 5_000,
        signOnTimeoutMs: 5_000,
        echoIdleMs: Math.max(500, patienceMs),
        echoTimeoutMs: Math.max(200, patienceMs),
        reconnectMinMs: 20,
        reconnectMaxMs: 100,
        lateMemoryMs: 300_000,
        lateMemoryMax: 100,
      },
    })
    return new FrameDestination(link, pack, this.#identity, clock)
  }

  #product(): Product {
    const { subject, patienceMs } = this.#options
    const { product: code, buysMinor, recovery } = subject
    return {
      code,
      enabled: true,
      biller: 'counterpart',
      links: [LINK],
      hours: undefined,
      minMinor: minor(1n),
      maxMinor: rupiah(1_000_000_000),
      denominationsMinor: buysMinor === undefined ? undefined : new Set([buysMinor]),
      feeInside: false,
      inquiryTimeoutMs: patienceMs,
      policy: {
        recovery: recovery.policy,
        attemptsMax: ATTEMPTS_MAX,
        spacingMs: SPACING_MS,
        answerTimeoutMs: patienceMs,
        recoveryTimeoutMs: patienceMs,
        reversalWindowMs: 0,
      },
      fee: { adminPerBillMinor: minor(0n), insideAmount: false, shares: NO_FEE },
    }
  }
}

/** Enough for every scenario that ends at all. */
const ATTEMPTS_MAX = 3

const SETTINGS = {
  node: 0,
  cutoverMs: 86_400_000,
  referencePrefix: 'NAD',
  openMax: 100,
  inquiriesMax: 100,
  askerPatienceMs: 60_000,
  recoveriesMax: 10,
}

function httpOptions(patienceMs: number): HttpLinkOptions {
  return {
    inFlightMax: 8,
    connectTimeoutMs: 5_000,
    tlsTimeoutMs: 5_000,
    headersTimeoutMs: patienceMs,
    bodyTimeoutMs: patienceMs,
    lateWaitMs: patienceMs,
    headerBytesMax: 16_384,
    bodyBytesMax: 262_144,
    keepAliveMs: 4_000,
    tokenTimeoutMs: 5_000,
    reconnectMinMs: 20,
    reconnectMaxMs: 100,
    // One payment is under way; a bad counterpart is what is wanted here.
    circuit: {
      countMax: 1_000,
      windowMs: 60_000,
      countMin: 1_000,
      failureRate: 1,
      coolDownMs: 100,
      probes: 2,
    },
    lateMemoryMs: 300_000,
    lateMemoryMax: 100,
  }
}

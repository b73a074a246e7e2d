import {
  between,
  chance,
  oneOf,
  type Random,
  rupiah,
  SeededRandom,
  settled,
  type TxnId,
  VirtualClock,
} from '#base'
import { type Config, loadConfig } from '#config'
import { wire, type Wired } from '#daemon'
import { type Journal, MemoryJournal, MemoryStore } from '#journal'
import type { Message } from '#message'
import { type MemoryFaults, MemoryNetwork, NO_FAULTS } from '#net'
import type { Pack } from '#pack'
import { Book, SimulatedBiller } from '#sim'
import type { Observer } from '#switch'
import { NO_LOG } from '#telemetry'
import type { TxnTag } from '#txn'
import { MortalClock } from './mortal-clock.ts'
import { type Habits, Shopper, type Ticket } from './shopper.ts'
import { StoreWatch } from './store-watch.ts'
import { compareBooks } from './three-books.ts'
import { Till } from './till.ts'

const START_MS = Date.UTC(2026, 10, 20, 2, 0, 0)
const SWITCH = 'switch'
const BILLER = 'biller'

export type WorldOptions = {
  readonly seed: number
  readonly payments: number
  readonly tills?: number
  /** 0 is a calm day; 1 is the worst. */
  readonly trouble?: number
  /** Breaks a law on purpose, to show that it would be noticed. */
  readonly sabotage?: Sabotage
}

/**
 *   hasty     the journal says durable before it is (law 1)
 *   forgetful what is open is not taken up after a crash (law 2)
 *   none      nothing is broken
 */
export type Sabotage = 'hasty' | 'forgetful' | 'none'

export type WorldReport = {
  readonly seed: number
  readonly inquiries: number
  readonly payments: number
  readonly paid: number
  readonly declined: number
  readonly reversed: number
  readonly resolvedByHand: number
  readonly switchCrashes: number
  readonly billerCrashes: number
  readonly cuts: number
  readonly stalls: number
  readonly journalOutages: number
  readonly steps: number
  readonly virtualMs: number
  readonly violations: readonly string[]
}

/**
 * The real switch, wired as the daemon wires it, between simulated tills and a simulated biller,
 * in invented time. One seed decides every delay, drop, cut and crash; what must always be so is
 * looked at after every step, and in the end three books are compared.
 */
export class SimulatedWorld {
  readonly #options: Required<WorldOptions>
  readonly #clock = new VirtualClock(START_MS)
  readonly #random: Random
  readonly #network: MemoryNetwork
  readonly #config: Config
  readonly #packs: ReadonlyMap<string, Pack>
  readonly #store = new MemoryStore()
  readonly #watch = new StoreWatch(this.#store)
  readonly #book = new Book()
  readonly #violations: string[] = []
  readonly #lastTag = new Map<TxnId, TxnTag>()
  readonly #counts = {
    switchCrashes: 0,
    billerCrashes: 0,
    cuts: 0,
    stalls: 0,
    journalOutages: 0,
    resolvedByHand: 0,
    steps: 0,
  }
  readonly #shoppers: Shopper[] = []
  #life: Life | undefined
  #biller: SimulatedBiller | undefined
  #calm = false

  constructor({ seed, payments, tills = 8, trouble = 1, sabotage = 'none' }: WorldOptions) {
    this.#options = { seed, payments, tills, trouble, sabotage }
    this.#random = new SeededRandom(seed)
    this.#network = new MemoryNetwork({ clock: this.#clock, random: this.#random })
    this.#config = labConfig()
    this.#packs = this.#config.packs
  }

  async run(): Promise<WorldReport> {
    this.#setFaults()
    await this.#startBiller()
    await this.#startSwitch()
    this.#scheduleTrouble()
    const shopping = this.#openShops()
    await this.#until(shopping)
    this.#calm = true
    this.#network.setFaults(NO_FAULTS)
    await this.#until(this.#settleAll())
    await this.#compareBooks()
    return this.#report()
  }

  // ── the parts ──────────────────────────────────────────────────────────────────────────────

  async #startBiller(): Promise<void> {
    this.#biller = new SimulatedBiller({
      pack: this.#watchful(this.#pack('pln-2003-115')),
      acceptor: this.#network.acceptor(BILLER),
      clock: this.#clock,
      random: this.#random,
      book: this.#book,
    })
    await this.#biller.listen()
  }

  /** The biller's ear: no payment may be heard that has no durable intent and hold (law 1). */
  #watchful(pack: Pack): Pack {
    const read: Pack['read'] = frame => {
      const heard = pack.read(frame)
      if (heard.tag === 'message' && heard.message.kind === 'payment') {
        const wrong = this.#watch.mayLeave(heard.message.trace)
        if (wrong !== undefined) this.#violate(wrong)
      }
      return heard
    }
    return {
      name: pack.name,
      framing: pack.framing,
      codec: pack.codec,
      conversation: pack.conversation,
      recovery: pack.recovery,
      products: pack.products,
      traceDigits: pack.traceDigits,
      makeReference: pack.makeReference,
      carries: (kind, product) => pack.carries(kind, product),
      read,
      write: message => pack.write(message),
      writeReject: (reject, reason) => pack.writeReject(reject, reason),
      matchKey: message => pack.matchKey(message),
      codeOf: reason => pack.codeOf(reason),
      meaningOf: (kind, code) => pack.meaningOf(kind, code),
      describe: (frame, options) => pack.describe(frame, options),
    }
  }

  async #startSwitch(): Promise<void> {
    const clock = new MortalClock(this.#clock)
    const journal = new MemoryJournal({
      clock: this.#clock,
      store: this.#store,
      commitDelayMs: () => between(this.#random, 1, 5),
    })
    const wired = wire(
      this.#config,
      {
        clock,
        random: this.#random,
        log: NO_LOG,
        journal: this.#options.sabotage === 'hasty' ? hasty(journal) : journal,
        observer: this.#observer(),
        dialer: () => this.#network.dialer(BILLER, SWITCH),
        acceptor: () => this.#network.acceptor(SWITCH),
      },
      await journal.newestId(),
    )
    this.#life = { wired, journal, clock }
    for (const partner of this.#config.partners.keys()) {
      const amount = partner.endsWith('3') ? rupiah(60_000_000) : rupiah(1_000_000_000_000)
      await this.#advance(wired.switch.deposit(partner, amount, 'world', 'opening', 'opening'))
    }
    if (this.#options.sabotage !== 'forgetful') await this.#advance(wired.switch.recover())
    for (const { link } of wired.destinations.values()) link.start()
    for (const listener of wired.listeners) await listener.listen()
  }

  /** kill -9: timers never fire, connections break, what was not durable is gone. */
  async #crashSwitch(): Promise<void> {
    const life = this.#life
    if (!life) return
    this.#life = undefined
    this.#counts.switchCrashes++
    life.clock.die()
    life.journal.crash(() => chance(this.#random, 0.5))
    await this.#network.acceptor(SWITCH).close()
    this.#network.cut(SWITCH)
  }

  async #crashBiller(): Promise<void> {
    if (!this.#biller) return
    this.#counts.billerCrashes++
    const biller = this.#biller
    this.#biller = undefined
    await biller.close()
    this.#network.cut(BILLER)
  }

  #openShops(): Promise<unknown> {
    const { tills, payments } = this.#options
    const partners = [...this.#config.partners.values()]
    const habits: Habits = {
      patienceMs: 12_000,
      impatient: 0.1,
      persistent: 0.3,
      regretful: 0.1,
      clumsy: 0.03,
    }
    const more = (): boolean => this.#payments < payments
    for (let i = 0; i < tills; i++) {
      const partner = partners[i % partners.length] as (typeof partners)[0]
      const identity = {
        bank: [...partner.banks][0] as string,
        partner: partner.id,
        switcher: [...partner.switchers][0] as string,
        terminal: [...partner.terminals][0] as string,
      }
      const till = new Till(
        this.#network.dialer(SWITCH, `till-${i}`),
        this.#pack('pln-2003-111'),
        this.#clock,
        identity,
        text => this.#violate(text),
      )
      this.#shoppers.push(new Shopper(till, partner.id, this.#clock, this.#random, habits))
    }
    return Promise.all(this.#shoppers.map(shopper => shopper.shop(more)))
  }

  // ── trouble ────────────────────────────────────────────────────────────────────────────────

  #setFaults(): void {
    const { trouble } = this.#options
    const some = (most: number): number => this.#random.next() * most * trouble
    const partnersSide: MemoryFaults = {
      latencyMs: [1, 20],
      fragment: 0.2,
      merge: 0.2,
      garbage: some(0.001),
      cut: some(0.003),
      stall: 0,
      refuse: some(0.02),
      unreachable: 0,
    }
    const billersSide: MemoryFaults = {
      latencyMs: [1, 60],
      fragment: 0.2,
      merge: 0.2,
      garbage: some(0.003),
      cut: some(0.005),
      stall: some(0.002),
      refuse: some(0.1),
      unreachable: some(0.05),
    }
    this.#network.setFaults(partnersSide, SWITCH)
    this.#network.setFaults(billersSide, BILLER)
  }

  #scheduleTrouble(): void {
    const { trouble } = this.#options
    if (trouble === 0) return
    const every = (fromMs: number, toMs: number, run: () => Promise<void> | void): void => {
      const again = (): void => {
        this.#clock.at(this.#clock.nowMs() + between(this.#random, fromMs, toMs) / trouble, () => {
          if (this.#calm) return
          void run()
          again()
        })
      }
      again()
    }
    every(3_000, 30_000, () => this.#pauseSwitch())
    every(5_000, 40_000, () => this.#pauseBiller())
    every(2_000, 15_000, () => {
      this.#counts.cuts++
      this.#network.cut(oneOf(this.#random, [SWITCH, BILLER]))
    })
    every(5_000, 40_000, () => {
      this.#counts.stalls++
      this.#network.stall(BILLER)
    })
    every(4_000, 30_000, () => this.#pauseJournal())
    every(3_000, 20_000, () => {
      if (this.#biller)
        this.#biller.chaos = {
          ...this.#biller.chaos,
          drop: this.#random.next() * 0.2 * trouble,
          duplicate: this.#random.next() * 0.2 * trouble,
        }
    })
  }

  async #pauseSwitch(): Promise<void> {
    await this.#crashSwitch()
    await this.#sleep(between(this.#random, 100, 5_000))
    if (!this.#life) await this.#startSwitch()
  }

  async #pauseBiller(): Promise<void> {
    await this.#crashBiller()
    await this.#sleep(between(this.#random, 100, 8_000))
    if (!this.#biller) await this.#startBiller()
  }

  async #pauseJournal(): Promise<void> {
    const journal = this.#life?.journal
    this.#counts.journalOutages++
    journal?.setAvailable(false)
    await this.#sleep(between(this.#random, 50, 4_000))
    journal?.setAvailable(true)
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────

  /** Steps until the promise is settled; after every step what must always be so is looked at. */
  async #until(promise: Promise<unknown>): Promise<void> {
    const end: { reached: boolean; failure?: unknown } = { reached: false }
    promise.then(
      () => (end.reached = true),
      (failure: unknown) => Object.assign(end, { reached: true, failure }),
    )
    await settled()
    while (!end.reached) {
      if (!this.#clock.step(Infinity)) throw new Error('the world stands still')
      this.#counts.steps++
      await settled()
      const wrong = this.#watch.money()
      if (wrong !== undefined) this.#violate(wrong)
    }
    if (end.failure !== undefined) throw end.failure
  }

  /** A promise of the switch that needs time to pass, awaited from within the world's own steps. */
  async #advance<T>(promise: Promise<T>): Promise<T> {
    if (this.#counts.steps === 0) {
      await this.#until(promise)
      this.#counts.steps = 0
    }
    return promise
  }

  #sleep(forMs: number): Promise<void> {
    return new Promise(resolve => {
      this.#clock.at(this.#clock.nowMs() + forMs, resolve)
    })
  }

  // ── what must be so ────────────────────────────────────────────────────────────────────────

  #observer(): Observer {
    return {
      inquiryEnded() {},
      paymentAnswered() {},
      oddAnswer() {},
      paymentChanged: (id, _product, _partner, from, to) => {
        const last = this.#lastTag.get(id)
        if (last === 'declined' || last === 'reversed') this.#violate(`${id}: ${last} became ${to}`)
        if (last === 'paid' && to !== 'reversing') this.#violate(`${id}: paid became ${to}`)
        if (from === to) this.#violate(`${id}: no change`)
        this.#lastTag.set(id, to)
      },
    }
  }

  #violate(text: string): void {
    if (this.#violations.length < 20)
      this.#violations.push(`at ${this.#clock.nowMs() - START_MS} ms: ${text}`)
  }

  /** Faults have stopped: every payment comes to its end, and every partner hears of it. */
  async #settleAll(): Promise<void> {
    while (!this.#life || !this.#biller) await this.#sleep(100)
    this.#biller.chaos = { ...this.#biller.chaos, drop: 0, duplicate: 0 }
    this.#life.journal.setAvailable(true)
    await this.#sleep(60_000)
    await this.#resolveSuspects()
    const endMs = this.#clock.nowMs() + 600_000
    const enough = (): boolean => this.#clock.nowMs() > endMs
    await Promise.all(this.#shoppers.map(shopper => shopper.settle(enough)))
    await this.#sleep(60_000)
    await this.#resolveSuspects()
  }

  /** What a person does: looks into the biller's book, and tells the switch. */
  async #resolveSuspects(): Promise<void> {
    const life = this.#life as Life
    for (const { id, partner } of await life.journal.list({ state: 'suspect', limit: 100_000 })) {
      const stored = await life.journal.find(partner, id)
      const sent = stored && sentOf(stored.records)
      const paid = sent !== undefined && this.#billerHasPaid(sent)
      await life.wired.switch.resolve(
        id,
        paid ? 'paid' : 'reversed',
        'operator',
        "the biller's book",
      )
      this.#counts.resolvedByHand++
    }
  }

  #billerHasPaid(sent: Message): boolean {
    for (const payment of this.#book.entries())
      if (payment.trace === sent.trace && payment.sentAt === sent.sentAt)
        return payment.state === 'paid'
    return false
  }

  async #compareBooks(): Promise<void> {
    const { journal } = this.#life as Life
    const biller = this.#book.entries()
    const billerOf = (product: string): string => this.#config.products.get(product)?.biller ?? ''
    const tickets = this.#tickets()
    for (const { kind, text } of await compareBooks({ journal, biller, tickets, billerOf }))
      this.#violate(`${kind}: ${text}`)
  }

  get #payments(): number {
    return this.#shoppers.reduce((sum, { tickets }) => sum + tickets.length, 0)
  }

  #tickets(): Ticket[] {
    return this.#shoppers.flatMap(({ tickets }) => tickets)
  }

  #pack(name: string): Pack {
    return this.#packs.get(name) as Pack
  }

  #report(): WorldReport {
    const tags = [...this.#store.txns.values()]
      .filter(({ head }) => head.kind === 'payment')
      .map(({ tag }) => tag)
    const count = (tag: string): number => tags.filter(each => each === tag).length
    return {
      seed: this.#options.seed,
      inquiries: this.#shoppers.reduce((sum, { inquiries }) => sum + inquiries, 0),
      payments: this.#payments,
      paid: count('paid'),
      declined: count('declined'),
      reversed: count('reversed'),
      ...this.#counts,
      virtualMs: this.#clock.nowMs() - START_MS,
      violations: this.#violations,
    }
  }
}

/** Says committed at once, and commits afterwards. */
function hasty(journal: MemoryJournal): Journal {
  const commit: Journal['commit'] = async commit => {
    void journal.commit(commit).catch(() => {})
    return { tag: 'committed' }
  }
  return new Proxy(journal, {
    get: (target, name) => {
      const value: unknown = name === 'commit' ? commit : Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** One life of the switch's process. */
type Life = { readonly wired: Wired; readonly journal: MemoryJournal; readonly clock: MortalClock }

function sentOf(records: readonly { readonly data?: unknown }[]): Message | undefined {
  return records
    .map(({ data }) => (data as { sent?: Message } | undefined)?.sent)
    .findLast(sent => sent)
}

/** The lab's own configuration, with three partners; the third one has little money. */
function labConfig(): Config {
  const places = { confFolder: 'conf', protocolsFolder: 'protocols', varFolder: 'var', env: {} }
  const loaded = loadConfig(places)
  if ('problems' in loaded)
    throw new Error(loaded.problems.map(({ path, text }) => `${path}: ${text}`).join('\n'))
  const { config } = loaded
  const [lab] = config.partners.values()
  if (!lab) throw new Error('the lab has no partner')
  const partners = ['4519001', '4519002', '4519003'].map(id => ({
    ...lab,
    id,
    mayDialFrom: () => true,
  }))
  return { ...config, partners: new Map(partners.map(partner => [partner.id, partner])) }
}

import { type AmountMinor, localTime, rupiah } from '#base'
import { MemoryJournal, MemoryStore, type Story, type StoredTxn } from '#journal'
import type { Message } from '#message'
import {
  CallbackDesk,
  type Destination,
  HttpDestination,
  type Identity,
  NO_OBSERVER,
  OwnNumbers,
  Switch,
} from '#switch'
import { askSwitch } from './ask.ts'
import type { Ears } from './ears.ts'
import { destinationFor, LAB, LINK, type LinkParts, productFor, SETTINGS } from './our-parts.ts'
import type { Subject } from './subjects.ts'

export type OurSideOptions = LinkParts & {
  readonly subject: Subject
  /** Where callbacks come in, in dialects that have them. */
  readonly ears?: Ears
}

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
    this.#destination = destinationFor(options, this.#identity, this.#numbers)
    const product = productFor(subject, options.patienceMs, [LINK])
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
    return askSwitch(this.#switch, clock, this.#identity.partner, {
      direction: 'request',
      repeat: false,
      ...this.#identity,
      channel: '6021',
      ...message,
      trace: String(++this.#trace).padStart(12, '0'),
      sentAt: localTime(clock.nowMs()),
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
}

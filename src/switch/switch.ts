import { type AmountMinor, businessDate, formatTxnId, NadiError, type TxnId, TxnIds } from '#base'
import type { Journal, TxnHead } from '#journal'
import type { Answer } from '#link'
import { bookDeposit } from '#ledger'
import { type Message, type Outcome, type Reason, respond } from '#message'
import { StoreAndForward } from '#saf'
import { customerOf } from '#screening'
import { refuse, sendAnswer } from './answer.ts'
import type { Destination } from './destination.ts'
import { Driver } from './drive.ts'
import type { Incoming } from './incoming.ts'
import { Inquiries } from './inquiries.ts'
import { InquiryDesk } from './inquire.ts'
import { type Late, Latecomers } from './latecomers.ts'
import { Live } from './live.ts'
import { Looks } from './look.ts'
import type { SwitchParts } from './options.ts'
import type { TxnTag } from '#txn'
import { contentOf, Payment, paymentKey, requestData, revive } from './payment.ts'
import { planPayment, type Refused } from './pipeline.ts'
import { readReference } from './reference.ts'
import { Refusals } from './refusals.ts'

/**
 * The switch: what partners ask comes in by `accept`, whatever it came by; every payment is
 * brought to a definite end. All that it knows of the outside are the parts it is made of.
 */
export class Switch {
  /** What a partner may look up of its own. */
  readonly looks: Looks
  readonly #parts: SwitchParts
  readonly #journal: Journal
  readonly #ids: TxnIds
  readonly #inquiries: Inquiries
  readonly #desk: InquiryDesk
  readonly #live: Live
  readonly #driver: Driver
  readonly #refusals: Refusals
  readonly #saf: StoreAndForward
  readonly #latecomers: Latecomers
  #draining = false

  /** `newest` is the newest id of the journal, so that ids keep rising. */
  constructor(parts: SwitchParts, newest?: TxnId) {
    const { settings, clock, journal, products, destinations } = parts
    this.#parts = parts
    this.#journal = journal
    this.#ids = new TxnIds(clock, settings.node, newest)
    this.#inquiries = new Inquiries(
      journal,
      products,
      settings.referencePrefix,
      settings.inquiriesMax,
    )
    this.looks = new Looks(parts, this.#inquiries)
    this.#desk = new InquiryDesk(parts, this.#inquiries, this.#ids)
    this.#saf = new StoreAndForward(
      clock,
      name => destinations.get(name)?.up ?? false,
      settings.recoveriesMax,
    )
    this.#live = new Live(
      stored => revive(stored, products),
      (first, late) => this.#join(first, late),
    )
    this.#refusals = new Refusals(parts, this.#ids)
    this.#driver = new Driver(parts, this.#live, this.#saf, this.#refusals)
    this.#latecomers = new Latecomers(parts, this.#live, this.#driver)
    for (const [name, { link }] of destinations) link.onState(() => this.#saf.nudge(name))
  }

  /** One request of a partner. Whatever happens, it is answered once, or its line is gone. */
  accept(incoming: Incoming): void {
    if (this.#draining) return refuse(incoming, 'unavailable', this.#parts.log)
    switch (incoming.message.kind) {
      case 'inquiry':
        return this.#inquire(incoming)
      case 'payment':
        return void this.#pay(incoming)
      case 'reversal':
      case 'advice':
        return void this.#askAbout(incoming, incoming.message.kind)
      case 'status':
      case 'sign-on':
      case 'sign-off':
      case 'echo':
        return refuse(incoming, 'format-error', this.#parts.log)
    }
  }

  /** After a crash, or when another node's txns are taken over: every open txn gets `restarted`. */
  async recover(): Promise<number> {
    let count = 0
    for await (const stored of this.#journal.open()) {
      // A suspect payment waits for a person, not for us.
      if (stored.tag === 'suspect' || this.#live.byId(stored.id)) continue
      const payment = this.#live.of(stored)
      if (!payment) {
        this.#parts.log.error('an open txn cannot be taken up: its product is not configured', {
          txn: formatTxnId(stored.id),
          product: stored.product,
        })
        continue
      }
      this.#driver.post(payment, { name: 'restarted', event: { tag: 'restarted' } })
      count++
    }
    return count
  }

  /** An answer of a destination to a payment that its link does not remember. */
  lateAnswer(destination: Destination, answer: Answer<Message>): Promise<Late> {
    return this.#latecomers.tell(destination, answer)
  }

  /** A person's decision about a suspect payment. Throws TXN_NOT_FOUND, TXN_NOT_SUSPECT. */
  async resolve(id: TxnId, as: 'paid' | 'reversed', by: string, reason: string): Promise<void> {
    const stored = await this.#journal.findAnywhere(id)
    const payment = stored?.kind === 'payment' ? this.#live.of(stored) : undefined
    if (!payment) throw new NadiError('TXN_NOT_FOUND', { path: formatTxnId(id) })
    if (payment.state.tag !== 'suspect') {
      this.#live.leave(payment)
      throw new NadiError('TXN_NOT_SUSPECT', { path: formatTxnId(id), actual: payment.state.tag })
    }
    await new Promise<void>(applied => {
      const event = { tag: 'resolved', as } as const
      this.#driver.post(payment, { name: 'resolved', event, data: { by, reason }, applied })
    })
    if (tagOf(payment) !== as)
      throw new NadiError('TXN_NOT_SUSPECT', { path: formatTxnId(id), actual: tagOf(payment) })
  }

  /** Tops a deposit up; negative takes back. The same key is booked once. */
  async deposit(
    partner: string,
    amountMinor: AmountMinor,
    by: string,
    reason: string,
    key?: string,
  ): Promise<'booked' | 'booked-before' | 'insufficient-funds'> {
    const atMs = this.#parts.clock.nowMs()
    const head: TxnHead = {
      id: this.#ids.next(),
      partner,
      businessDate: businessDate(atMs, this.#parts.settings.cutoverMs),
      kind: 'deposit',
      product: 'deposit',
      customer: '',
      amountMinor,
      ...(key !== undefined && { key: `deposit ${key}` }),
    }
    const result = await this.#journal.commit({
      head,
      expects: 0,
      records: [{ atMs, event: 'deposited', tag: 'booked', data: { by, reason } }],
      tag: 'booked',
      state: { tag: 'booked' },
      postings: [bookDeposit(amountMinor)],
      owes: undefined,
    })
    if (result.tag === 'insufficient-funds') return result.tag
    return result.tag === 'committed' ? 'booked' : 'booked-before'
  }

  /** Takes nothing new; resolves when no payment is on its way any more, or at the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true
    const { clock } = this.#parts
    while (clock.nowMs() < deadlineMs && (this.sending > 0 || this.#desk.inFlight > 0))
      await new Promise<void>(resolve => {
        clock.at(clock.nowMs() + 20, resolve)
      })
  }

  /** Payments whose request is on its way: somebody waits for an answer. */
  get sending(): number {
    let count = 0
    for (const { state } of this.#live.all()) if (state.tag === 'sending') count++
    return count
  }

  get inMemory(): { payments: number; inquiries: number } {
    return { payments: this.#live.size, inquiries: this.#desk.inFlight }
  }

  get owed(): ReturnType<StoreAndForward['depths']> {
    return this.#saf.depths()
  }

  // ── inquiries, payments, and what is asked about them ──────────────────────────────────────

  #inquire(incoming: Incoming): void {
    if (this.#desk.inFlight >= this.#parts.settings.openMax)
      return refuse(incoming, 'unavailable', this.#parts.log)
    this.#desk.accept(incoming)
  }

  async #pay(incoming: Incoming): Promise<void> {
    const { message, sessionPartner } = incoming
    const partner = message.partner ?? ''
    const inquiryId = this.#inquiryOf(message)
    // What is under way is told to nobody who speaks in another one's name.
    const running =
      inquiryId !== undefined &&
      partner === sessionPartner &&
      this.#live.byKey(partner, paymentKey(inquiryId))
    if (running) return this.#again(running, incoming)
    if (this.#live.size >= this.#parts.settings.openMax || !this.#journal.available)
      return this.#refusals.now(incoming, 'unavailable')
    const inquiry = await this.#gather(incoming, () =>
      inquiryId === undefined ? undefined : this.#inquiries.find(partner, inquiryId),
    )
    if (inquiry === FAILED) return
    const plan = planPayment(incoming, inquiry, this.#parts)
    if (plan.tag === 'refuse') return this.#refuseNew(incoming, inquiry?.id, plan)
    // Somebody may have begun the same one while we looked the inquiry up.
    const begun = this.#live.byKey(partner, paymentKey(inquiryId as TxnId))
    if (begun) return this.#again(begun, incoming)
    const { product, price, toBiller, routes } = plan
    const payment = new Payment({
      head: {
        id: this.#ids.next(),
        partner,
        businessDate: plan.businessDate,
        kind: 'payment',
        product: product.code,
        customer: customerOf(message),
        amountMinor: price.amountMinor,
        key: paymentKey(inquiryId as TxnId),
        content: contentOf(message),
      },
      product,
      price,
      request: requestData(message),
      sent: toBiller,
      openedAtMs: incoming.atMs,
    })
    payment.carried = incoming.carried
    this.#inquiries.spend(inquiryId as TxnId)
    this.#live.enter(payment)
    const frames = [incoming.evidence]
    const applied = (): void => {
      if (payment.version > 0) this.#inquiries.forget(inquiryId as TxnId)
    }
    const entry = { name: 'admitted', event: { tag: 'admitted', routes } as const, frames, applied }
    this.#driver.ask(payment, entry, incoming, 'payment')
  }

  /**
   * A no to what is new. What was let in before has its answer already (law 4), whatever would be
   * said to it now: the link may be down, the day over, the partner blocked.
   */
  async #refuseNew(
    incoming: Incoming,
    inquiryId: TxnId | undefined,
    { reason, rule }: Refused,
  ): Promise<void> {
    const { message, sessionPartner } = incoming
    const own = message.partner === sessionPartner
    const stored = await this.#gather(incoming, () =>
      own && inquiryId !== undefined
        ? this.#journal.findByKey(sessionPartner, paymentKey(inquiryId))
        : undefined,
    )
    if (stored === FAILED) return
    const first = stored?.content === contentOf(message) ? this.#live.of(stored) : undefined
    if (!first) return this.#refusals.recorded(incoming, reason, rule)
    this.#again(first, incoming)
  }

  /** The same request again gets the first one's answer; another one for the same inquiry, a no. */
  #again(first: Payment, incoming: Incoming): void {
    if (contentOf(incoming.message) !== first.head.content) {
      const reason = first.state.tag === 'paid' ? 'already-paid' : 'reference-mismatch'
      return void this.#refusals.recorded(incoming, reason, 'same-content')
    }
    const entry = { name: 'asked-again', frames: [incoming.evidence] }
    this.#driver.ask(first, entry, incoming, 'payment')
  }

  #join(first: Payment, late: Payment): void {
    for (const asker of late.askers.splice(0)) {
      asker.callOff()
      this.#again(first, asker.incoming)
    }
  }

  /** A partner's own reversal or advice: answered from the journal, never by a second send of ours. */
  async #askAbout(incoming: Incoming, question: 'reversal' | 'advice'): Promise<void> {
    const { message, sessionPartner, evidence } = incoming
    const partner = message.partner ?? ''
    if (partner !== sessionPartner) return refuse(incoming, 'party-mismatch', this.#parts.log)
    const inquiryId = this.#inquiryOf(message)
    const key = inquiryId === undefined ? undefined : paymentKey(inquiryId)
    const found = await this.#gather(incoming, async () => {
      if (key === undefined) return undefined
      const known = this.#live.byKey(partner, key)
      if (known) return known
      const stored = await this.#journal.findByKey(partner, key)
      return stored && this.#live.of(stored)
    })
    if (found === FAILED) return
    if (!found) return this.#say(incoming, { meaning: 'nothing', reason: 'no-payment' })
    const differs = question === 'reversal' ? differsFrom(found, message) : undefined
    if (differs || message.amountMinor !== found.head.amountMinor) {
      this.#live.leave(found)
      return refuse(incoming, differs ?? 'amount-invalid', this.#parts.log)
    }
    const frames = [evidence]
    if (question === 'advice')
      return this.#driver.ask(found, { name: 'advice-asked', frames }, incoming, question)
    const { reversalWindowMs } = found.product.policy
    const allowed =
      reversalWindowMs > 0 &&
      incoming.atMs - found.openedAtMs <= reversalWindowMs &&
      found.head.businessDate === businessDate(incoming.atMs, this.#parts.settings.cutoverMs)
    const event = { tag: 'undo-asked', allowed } as const
    this.#driver.ask(found, { name: 'undo-asked', event, frames }, incoming, question)
  }

  /** Looks something up; when the journal is away the request gets an immediate no. */
  async #gather<T>(
    incoming: Incoming,
    look: () => Promise<T | undefined> | undefined,
  ): Promise<T | undefined | typeof FAILED> {
    try {
      return await look()
    } catch (error) {
      if (!(error instanceof NadiError)) throw error
      if (incoming.message.kind !== 'payment')
        this.#say(incoming, { meaning: 'unknown', reason: 'timeout' })
      else this.#refusals.now(incoming, 'unavailable')
      return FAILED
    }
  }

  #inquiryOf({ reference }: Message): TxnId | undefined {
    return readReference(this.#parts.settings.referencePrefix, reference?.switching ?? '')
  }

  #say(incoming: Incoming, outcome: Outcome): void {
    sendAnswer(incoming, respond(incoming.message, outcome), this.#parts.log)
  }
}

const FAILED = Symbol('failed')

/** A reversal must name the very payment that it reverses (DE56), not only its inquiry. */
function differsFrom(
  { request, head }: Payment,
  { original, ...message }: Message,
): Reason | undefined {
  if (original?.trace !== request.trace || original.sentAt !== request.sentAt)
    return 'reference-mismatch'
  return customerOf(message) === head.customer ? undefined : 'reference-mismatch'
}

/** Asked anew after an await: the state has moved on meanwhile. */
function tagOf({ state }: Payment): TxnTag {
  return state.tag
}

import { between, chance, type Clock, oneOf, type Random, rupiah } from '#base'
import type { Message } from '#message'
import type { Till } from './till.ts'

/** What a partner knows of one payment in the end. */
export type Ticket = {
  readonly partner: string
  readonly product: string
  readonly customer: string
  readonly reference: string
  readonly request: Message
  /** Every word that the switch said of it, in order. */
  readonly told: { readonly to: string; readonly reason: string }[]
  /** `paid`, `not-paid`, or that the switch has not told yet. */
  belief: 'paid' | 'not-paid' | 'open'
}

export type Habits = {
  /** How long a till waits for an answer. */
  readonly patienceMs: number
  /** Chance that a payment is sent twice at once. */
  readonly impatient: number
  /** Chance that a payment that was not answered is sent once more, byte for byte. */
  readonly persistent: number
  /** Chance that a payment that was paid is taken back. */
  readonly regretful: number
  /** Chance that a till loses its power in the middle. */
  readonly clumsy: number
}

const DENOMINATIONS = [20_000, 50_000, 100_000, 500_000] as const

/**
 * A shopper buys one thing after the other at a till, as the trade does: inquiry, payment, and when
 * there is no clear answer a reversal (postpaid) or an advice (prepaid), repeated until there is.
 */
export class Shopper {
  readonly #till: Till
  readonly #partner: string
  readonly #clock: Clock
  readonly #random: Random
  readonly #habits: Habits
  readonly tickets: Ticket[] = []
  inquiries = 0

  constructor(till: Till, partner: string, clock: Clock, random: Random, habits: Habits) {
    this.#till = till
    this.#partner = partner
    this.#clock = clock
    this.#random = random
    this.#habits = habits
  }

  /** Buys until `more` says that it is enough. */
  async shop(more: () => boolean): Promise<void> {
    while (more()) {
      await this.#rest(between(this.#random, 10, 400))
      if (!(await this.#ready())) continue
      await this.#buy()
    }
  }

  /** Asks about everything that is still open, until it is known or `enough`. */
  async settle(enough: () => boolean): Promise<void> {
    for (const ticket of this.tickets)
      while (ticket.belief === 'open' && !enough()) {
        if (await this.#ready()) await this.#findOut(ticket)
        else await this.#rest(500)
      }
  }

  async #ready(): Promise<boolean> {
    if (this.#till.up) return true
    await this.#rest(between(this.#random, 50, 500))
    return this.#till.open()
  }

  async #buy(): Promise<void> {
    this.inquiries++
    const asked = this.#inquiry()
    const answer = await this.#till.request(asked, this.#habits.patienceMs)
    if (answer?.outcome?.meaning !== 'approved') return
    if (chance(this.#random, 0.05)) return // looked only
    const request = this.#till.message('payment', paymentOf(answer, this.#random))
    const ticket: Ticket = {
      partner: this.#partner,
      product: request.product ?? '',
      customer: customerOf(request),
      reference: request.reference?.switching ?? '',
      request,
      told: [],
      belief: 'open',
    }
    this.tickets.push(ticket)
    const times = chance(this.#random, this.#habits.impatient) ? 2 : 1
    const paying = this.#till.request(request, this.#habits.patienceMs, times)
    if (chance(this.#random, this.#habits.clumsy)) {
      await this.#rest(between(this.#random, 0, 50))
      this.#till.hangUp()
    }
    const told = await paying
    this.#note(ticket, 'payment', told)
    if (!told && chance(this.#random, this.#habits.persistent)) await this.#payAgain(ticket)
    if (ticket.belief === 'open') await this.#findOut(ticket)
    else if (ticket.belief === 'paid' && chance(this.#random, this.#habits.regretful))
      await this.#takeBack(ticket)
  }

  /** The same request again: it has the same answer as the first, which may have been lost. */
  async #payAgain(ticket: Ticket): Promise<void> {
    await this.#rest(between(this.#random, 100, 2000))
    if (!(await this.#ready())) return
    const answer = await this.#till.request(ticket.request, this.#habits.patienceMs)
    this.#note(ticket, 'payment', answer)
  }

  #inquiry(): Message {
    const random = this.#random
    const number = String(between(random, 0, 99_999) * 1000 + between(random, 0, 899)).padStart(
      8,
      '0',
    )
    const kind = random.next()
    if (kind < 0.6)
      return this.#till.message('inquiry', {
        product: 'pln-postpaid',
        customer: { id: `9999${number}` },
      })
    if (kind < 0.9)
      return this.#till.message('inquiry', {
        product: 'pln-prepaid',
        customer: { meter: `9999${number.slice(1)}`, knownBy: 'meter' },
      })
    return this.#till.message('inquiry', {
      product: 'pln-nontaglis',
      registration: { number: `99990${number}`, code: '000' },
    })
  }

  /** One more question about a ticket: a reversal, or an advice where it is a token. */
  async #findOut(ticket: Ticket): Promise<void> {
    await this.#rest(between(this.#random, 100, 2000))
    if (!(await this.#ready())) return
    const kind = ticket.product === 'pln-prepaid' ? 'advice' : 'reversal'
    const asked = this.#about(ticket, kind)
    this.#note(ticket, kind, await this.#till.request(asked, this.#habits.patienceMs))
  }

  async #takeBack(ticket: Ticket): Promise<void> {
    if (ticket.product === 'pln-prepaid') return
    const asked = this.#about(ticket, 'reversal')
    const answer = await this.#till.request(asked, this.#habits.patienceMs)
    // From here on it may be either: only a clear answer tells.
    ticket.belief = 'open'
    this.#note(ticket, 'reversal', answer)
  }

  #about({ request }: Ticket, kind: 'reversal' | 'advice'): Message {
    const { trace, sentAt, bank = '' } = request
    return {
      ...this.#till.message(kind, request),
      trace,
      repeat: chance(this.#random, 0.5),
      ...(kind === 'reversal' && { original: { kind: 'payment', trace, sentAt, bank } }),
    }
  }

  #note(ticket: Ticket, to: string, answer: Message | undefined): void {
    const { meaning, reason = 'silence' } = answer?.outcome ?? {}
    ticket.told.push({ to, reason })
    if (to === 'payment') {
      if (meaning === 'approved') ticket.belief = 'paid'
      else if (meaning === 'declined' && reason !== 'other-error') ticket.belief = 'not-paid'
    } else if (to === 'advice') {
      if (meaning === 'approved') ticket.belief = 'paid'
      else if (meaning === 'nothing') ticket.belief = 'not-paid'
    } else if (meaning === 'approved' || meaning === 'nothing') ticket.belief = 'not-paid'
    else if (meaning === 'stands') ticket.belief = 'paid'
  }

  #rest(forMs: number): Promise<void> {
    return new Promise(resolve => {
      this.#clock.at(this.#clock.nowMs() + forMs, resolve)
    })
  }
}

function paymentOf(answer: Message, random: Random): Partial<Message> {
  const { outcome: _, infoText: __, ...quoted } = answer
  if (answer.product !== 'pln-prepaid')
    return { ...quoted, ...(quoted.bills && { billsPaid: quoted.bills.length }) }
  const amountMinor = rupiah(oneOf(random, DENOMINATIONS) + 2500)
  return { ...quoted, amountMinor, currency: 'IDR', token: { ...quoted.token, option: 0 } }
}

function customerOf({ customer, registration }: Message): string {
  return registration?.number ?? customer?.id ?? customer?.meter ?? ''
}

import { addDays, type Clock } from '#base'
import { APPROVED, respond, type Message, type Outcome, type Reason } from '#message'
import type { Book, NewPayment, Payment } from './book.ts'
import type { Setting } from './customers.ts'
import type { Desk, DeskContext } from './desk.ts'
import type { References } from './references.ts'

/**
 * An honest biller's answers. It follows the rules of the trade exactly, so that every trouble in a
 * test comes from the scenario and never from the simulator:
 * a payment asked twice is done once and answered the same, a reversal undoes what was done, and
 * what was said not to exist is never done later.
 */
export class Clerk {
  readonly #clock: Clock
  readonly #book: Book
  readonly #references: References
  readonly #checkReferences: boolean
  #settlement = { sentOn: '', date: '' }

  constructor({ clock, book, references, checkReferences }: ClerkOptions) {
    this.#clock = clock
    this.#book = book
    this.#references = references
    this.#checkReferences = checkReferences
  }

  answer(message: Message, desk: Desk, setting?: Setting): Message {
    switch (message.kind) {
      case 'inquiry':
        return this.#inquiry(message, desk, setting)
      case 'payment':
        return this.#payment(message, desk, setting)
      case 'advice':
      case 'status':
        return this.#advice(message, desk, setting)
      case 'reversal':
        return this.#reversal(message, desk)
      case 'sign-on':
      case 'sign-off':
      case 'echo':
        return respond(message, APPROVED)
    }
  }

  #inquiry(message: Message, desk: Desk, setting: Setting | undefined): Message {
    const number = desk.numberOf(message)
    const told = desk.quote(number, message, this.#context(message, number, setting))
    return typeof told === 'string' ? no(message, told) : respond(message, APPROVED, told)
  }

  #payment(message: Message, desk: Desk, setting: Setting | undefined): Message {
    const number = desk.numberOf(message)
    const key = desk.keyOf(message)
    const before = this.#book.find(key)
    if (before) {
      this.#book.ask(before)
      if (before.state !== 'paid') return no(message, 'already-reversed')
      if (before.amountMinor !== message.amountMinor) return no(message, 'reference-mismatch')
      return this.#receipt(message, desk, number, setting)
    }
    const wrong = this.#checkReferences ? desk.wrongReference(number, message) : undefined
    if (wrong) return no(message, wrong)
    const checked = desk.check(number, message, this.#context(message, number, setting))
    if (typeof checked === 'string') return no(message, checked)
    this.#book.pay(this.#entry(message, key, number, checked))
    return this.#receipt(message, desk, number, setting)
  }

  #advice(message: Message, desk: Desk, setting: Setting | undefined): Message {
    const number = desk.numberOf(message)
    const before = this.#askAbout(message, desk, number)
    if (before?.state !== 'paid') return no(message, 'no-payment')
    if (otherAmount(message, before)) return no(message, 'amount-invalid')
    return this.#receipt({ ...message, amountMinor: before.amountMinor }, desk, number, setting)
  }

  #reversal(message: Message, desk: Desk): Message {
    if (!desk.reversible) return no(message, 'too-late-to-reverse')
    const before = this.#askAbout(message, desk, desk.numberOf(message))
    if (!before || before.state === 'void') return no(message, 'no-payment')
    if (before.state === 'reversed') {
      return message.repeat ? respond(message, APPROVED) : no(message, 'already-reversed')
    }
    if (otherAmount(message, before)) return no(message, 'amount-invalid')
    this.#book.reverse(before, this.#clock.nowMs())
    return respond(message, APPROVED)
  }

  /** The payment that is meant. When there is none, that is noted: it must not be done later. */
  #askAbout(message: Message, desk: Desk, number: string): Payment | undefined {
    const key = desk.keyOf(message)
    const before = this.#book.find(key)
    if (before) this.#book.askAbout(before)
    else this.#book.voidPayment(this.#entry(message, key, number, 0))
    return before
  }

  #receipt(message: Message, desk: Desk, number: string, setting?: Setting): Message {
    return respond(message, APPROVED, {
      settlementDate: this.#settlementDate(message.sentAt),
      ...desk.receipt(number, message, this.#context(message, number, setting)),
    })
  }

  #context(message: Message, number: string, setting: Setting | undefined): DeskContext {
    return {
      nowMs: this.#clock.nowMs(),
      paidPeriods: this.#book.paidPeriods(accountOf(message, number)),
      setting,
      references: this.#references,
    }
  }

  #entry(message: Message, key: string, number: string, periods: number): NewPayment {
    const { trace, sentAt, bank = '' } = message.original ?? message
    return {
      key,
      account: accountOf(message, number),
      trace,
      sentAt: own(sentAt),
      bank,
      terminal: own(message.terminal ?? ''),
      ...(message.partner !== undefined && { partner: own(message.partner) }),
      ...(message.channel !== undefined && { channel: own(message.channel) }),
      reference: own(message.reference?.switching ?? ''),
      amountMinor: message.amountMinor ?? (0n as NewPayment['amountMinor']),
      periods,
      atMs: this.#clock.nowMs(),
    }
  }

  /** The day after the payment was sent; the same for a whole day, so remembered. */
  #settlementDate(sentAt: string): string {
    const sentOn = sentAt.slice(0, 8)
    if (sentOn !== this.#settlement.sentOn) {
      this.#settlement = { sentOn, date: addDays(sentOn, 1) }
    }
    return this.#settlement.date
  }
}

export type ClerkOptions = {
  readonly clock: Clock
  readonly book: Book
  readonly references: References
  /** Payments must bear the references of an inquiry (0092, 0098 otherwise). */
  readonly checkReferences: boolean
}

/** A no, whatever the reason means in the dialect: the pack's code table says that to the reader. */
export function no(message: Message, reason: Reason): Message {
  return respond(message, outcomeOf(reason))
}

export function outcomeOf(reason: Reason): Outcome {
  return OUTCOMES[reason] ?? { meaning: 'declined', reason }
}

const OUTCOMES: Partial<Record<Reason, Outcome>> = {
  approved: APPROVED,
  timeout: { meaning: 'unknown', reason: 'timeout' },
  'sign-on-required': { meaning: 'sign-on', reason: 'sign-on-required' },
  'too-late-to-reverse': { meaning: 'stands', reason: 'too-late-to-reverse' },
  'no-payment': { meaning: 'nothing', reason: 'no-payment' },
}

/**
 * The same text, no longer cut out of the frame's: a cut-out keeps the whole frame in memory for as
 * long as it lives, and the book lives long.
 */
function own(text: string): string {
  return ` ${text}`.slice(1)
}

/** Whether a message that asks about a payment tells another amount; some dialects tell none. */
function otherAmount({ amountMinor }: Message, payment: Payment): boolean {
  return amountMinor !== undefined && amountMinor !== payment.amountMinor
}

function accountOf(message: Message, number: string): string {
  return `${message.product ?? ''}/${number}`
}

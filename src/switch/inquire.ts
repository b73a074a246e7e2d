import { type Clock, NadiError, type TxnIds } from '#base'
import type { Evidence } from '#journal'
import type { LinkOutcome } from '#link'
import {
  APPROVED,
  declined,
  dueOfBills,
  type Fault,
  type Message,
  type Outcome,
  type Reason,
  respond,
} from '#message'
import { customerOf } from '#screening'
import { sendAnswer } from './answer.ts'
import { inquiryFor, paymentFor, quoteFor, quoteOf } from './compose.ts'
import { answersTo, type Destination, type Prepared } from './destination.ts'
import type { Incoming } from './incoming.ts'
import type { Inquiries, Inquiry, InquiryData } from './inquiries.ts'
import { faultOf } from './faults.ts'
import type { Observer } from './observer.ts'
import type { SwitchParts } from './options.ts'
import { type InquiryPlan, planInquiry } from './pipeline.ts'
import { makeReference } from './reference.ts'

const SIGN_ONS_MAX = 2

/**
 * Inquiries: what does this customer owe? They move no money and promise nothing that could be
 * lost: the answer does not wait for the journal. (If the machine stops in the millisecond between,
 * the payment is told that there is no such inquiry, and the partner asks again.) Its record
 * lingers for a few milliseconds and travels in the next batch, never after that of its payment.
 */
export class InquiryDesk {
  readonly #parts: SwitchParts
  readonly #inquiries: Inquiries
  readonly #ids: TxnIds
  readonly #clock: Clock
  /** Requests under way, so that a repeat waits for the first one's answer (law 4). */
  readonly #running = new Map<string, Running>()

  constructor(parts: SwitchParts, inquiries: Inquiries, ids: TxnIds) {
    this.#parts = parts
    this.#inquiries = inquiries
    this.#ids = ids
    this.#clock = parts.clock
  }

  get inFlight(): number {
    return this.#running.size
  }

  accept(incoming: Incoming): void {
    const key = requestKey(incoming)
    const told = this.#inquiries.answered(key)
    if (told) {
      this.#end([incoming], told)
      return
    }
    const running = this.#running.get(key)
    if (running) return void running.askers.push(incoming)
    const plan = planInquiry(incoming, this.#parts)
    if (plan.tag === 'refuse') {
      this.#parts.log.debug('inquiry refused', { rule: plan.rule, reason: plan.reason })
      this.#end([incoming], respond(incoming.message, declined(plan.reason, plan.fault)))
      return
    }
    const first: Running = { key, plan, askers: [incoming], routes: [...plan.routes], signOns: 0 }
    this.#running.set(key, first)
    this.#send(first, inquiryFor(plan.asks))
  }

  #send(running: Running, request: Message): void {
    const name = running.routes.shift()
    const destination = name === undefined ? undefined : this.#parts.destinations.get(name)
    if (!destination) return this.#refuse(running, 'unavailable')
    // Who must check it would not see it.
    if (carriedOf(running)?.pin && !destination.takesPins) return this.#send(running, request)
    const { code } = running.plan.product
    if (!destination.takesInquiriesFor(code)) return this.#quoteUnasked(running, destination)
    let prepared: Prepared
    try {
      prepared = destination.prepare(destination.stamp(request))
    } catch (error) {
      if (!(error instanceof NadiError)) throw error
      const { code, path } = error
      this.#parts.log.warn('an inquiry cannot be written', { link: destination.name, code, path })
      return this.#refuse(running, 'format-error')
    }
    this.#ask(running, destination, prepared)
  }

  /** The biller need not be asked: what it costs stands in our own configuration. */
  #quoteUnasked(running: Running, destination: Destination): void {
    const { asks, product } = running.plan
    const answer = quoteOf(asks, product)
    if (typeof answer === 'string') return this.#refuse(running, answer)
    const cannot = this.#cannotBePaid(running, destination, answer)
    if (cannot) return this.#refuse(running, 'format-error', cannot.fault)
    this.#quoted(running, destination, answer, [])
  }

  /**
   * What the dialect cannot say of the payment is found now, not when it is paid. A payment without
   * an amount says that later.
   */
  #cannotBePaid(
    running: Running,
    destination: Destination,
    answer: Message,
  ): { readonly fault?: Fault } | undefined {
    if (answer.amountMinor === undefined) return undefined
    try {
      destination.prepare(destination.stamp(paymentFor(requestOf(running), answer)))
      return undefined
    } catch (error) {
      if (!(error instanceof NadiError)) throw error
      const { code, path } = error
      this.#parts.log.info('a payment could not be written', { link: destination.name, code, path })
      const fault = faultOf(error)
      return fault ? { fault } : {}
    }
  }

  #ask(running: Running, destination: Destination, prepared: Prepared): void {
    const late = noteLate(this.#parts.observer, destination.name)
    const done = (outcome: LinkOutcome<Message>): void =>
      this.#ended(running, destination, prepared, outcome)
    const { inquiryTimeoutMs } = running.plan.product
    destination.send(prepared, inquiryTimeoutMs, done, late, carriedOf(running))
  }

  #ended(
    running: Running,
    destination: Destination,
    prepared: Prepared,
    outcome: LinkOutcome<Message>,
  ): void {
    switch (outcome.tag) {
      case 'not-sent':
        if (outcome.why === 'pin') return this.#refuse(running, 'pin-wrong')
        return this.#send(running, prepared.message)
      case 'sent-no-answer':
        this.#finish(running, respond(requestOf(running), TIMEOUT))
        return
      case 'answered':
        return this.#answered(running, destination, prepared, outcome.content, outcome.frame)
    }
  }

  #answered(
    running: Running,
    destination: Destination,
    prepared: Prepared,
    answer: Message,
    frame: Uint8Array,
  ): void {
    const outcome = answer.outcome as Outcome
    switch (outcome.meaning) {
      case 'sign-on':
        if (running.signOns++ >= SIGN_ONS_MAX) return this.#refuse(running, 'unavailable')
        return void destination.link
          .signOnAgain()
          .then(() => this.#ask(running, destination, prepared))
      case 'approved':
        if (!answersTo(prepared.message, answer) || !addsUp(answer)) {
          this.#parts.observer.oddAnswer(destination.name, 'mismatched')
          return this.#refuse(running, 'other-error')
        }
        return this.#quoted(running, destination, answer, [
          prepared.evidence,
          destination.evidence('in', frame),
        ])
      case 'declined':
      case 'unknown':
      case 'stands':
      case 'nothing':
        this.#finish(running, respond(requestOf(running), declined(outcome.reason)))
        return
    }
  }

  #quoted(
    running: Running,
    destination: Destination,
    answer: Message,
    exchanged: readonly Evidence[],
  ): void {
    const { product, businessDate } = running.plan
    const request = requestOf(running)
    const id = this.#ids.next()
    const reference = makeReference(this.#parts.settings.referencePrefix, id)
    const told = quoteFor(request, answer, APPROVED, reference, product)
    const partner = request.partner ?? ''
    const route = destination.name
    const inquiry = { id, partner, businessDate, product: product.code, told, answer, route }
    this.#inquiries.remember(inquiry, running.key)
    const evidence = this.#finish(running, told)
    const [asker] = running.askers
    const frames = [asker?.evidence, ...exchanged, evidence]
    this.#record(inquiry, { request, answer, route }, frames)
  }

  /** Not awaited: see the head of the class. */
  #record(inquiry: Inquiry, data: InquiryData, frames: (Evidence | undefined)[]): void {
    const { id, partner, businessDate, product, told } = inquiry
    const atMs = this.#clock.nowMs()
    const head = {
      id,
      partner,
      businessDate,
      kind: 'inquiry' as const,
      product,
      customer: customerOf(told),
      amountMinor: told.amountMinor ?? (0n as NonNullable<Message['amountMinor']>),
    }
    const tag = 'answered'
    const record = { atMs, event: 'inquired', tag, data, frames: frames.filter(isThere) }
    this.#parts.journal
      .commit({
        head,
        expects: 0,
        records: [record],
        tag,
        state: { tag },
        postings: [],
        owes: undefined,
        mayLinger: true,
      })
      .catch((error: unknown) => {
        if (!(error instanceof NadiError)) throw error
        this.#parts.log.warn('an inquiry was not recorded', { code: error.code })
      })
  }

  #refuse(running: Running, reason: Reason, fault?: Fault): void {
    this.#finish(running, respond(requestOf(running), declined(reason, fault)))
  }

  /** Answers all who asked the same; returns what the first one got. */
  #finish(running: Running, answer: Message): Evidence | undefined {
    this.#running.delete(running.key)
    return this.#end(running.askers, answer)
  }

  #end(askers: readonly Incoming[], answer: Message): Evidence | undefined {
    const { observer, log } = this.#parts
    let first: Evidence | undefined
    for (const incoming of askers) {
      const evidence = sendAnswer(incoming, answer, log)
      first ??= evidence
      const { product = '', partner = '' } = incoming.message
      const reason = answer.outcome?.reason ?? 'other-error'
      observer.inquiryEnded(product, partner, reason, this.#clock.nowMs() - incoming.atMs)
    }
    return first
  }
}

type Running = {
  readonly key: string
  readonly plan: InquiryPlan
  readonly askers: Incoming[]
  /** Links still to be tried, each only when the one before did not send. */
  readonly routes: string[]
  signOns: number
}

/** The link keeps it for minutes, so it is made where it can refer to nothing else. */
function noteLate(observer: Observer, destination: string): () => void {
  return () => observer.oddAnswer(destination, 'late')
}

const TIMEOUT: Outcome = { meaning: 'unknown', reason: 'timeout' }

function carriedOf(running: Running): Incoming['carried'] {
  return running.askers[0]?.carried
}

function requestOf(running: Running): Message {
  return (running.askers[0] as Incoming).message
}

function requestKey({ message, sessionPartner }: Incoming): string {
  const { trace, sentAt, bank, terminal, product } = message
  return [sessionPartner, trace, sentAt, bank, terminal, product, customerOf(message)].join('|')
}

/** A biller whose total is not the sum of its bills cannot be paid. */
function addsUp({ bills, amountMinor }: Message): boolean {
  if (!bills) return true
  return bills.length > 0 && dueOfBills(bills) === amountMinor
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined
}

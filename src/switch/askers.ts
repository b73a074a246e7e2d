import type { Clock } from '#base'
import type { Evidence } from '#journal'
import type { Outcome } from '#message'
import { type Question, tell, type TxnState } from '#txn'
import { writeAnswer } from './answer.ts'
import { receiptFor } from './compose.ts'
import type { Incoming } from './incoming.ts'
import type { SwitchParts } from './options.ts'
import type { Asker, Payment } from './payment.ts'

export const TIMEOUT: Outcome = { meaning: 'unknown', reason: 'timeout' }
export const UNAVAILABLE: Outcome = { meaning: 'declined', reason: 'unavailable' }

/** An answer that is written already, and leaves when what it says is durable. */
export type Told = {
  readonly asker: Asker
  readonly outcome: Outcome
  readonly evidence: Evidence | undefined
}

/** Those on the line who want to know about a payment, and what they are told. */
export class Askers {
  readonly #parts: SwitchParts
  readonly #clock: Clock

  constructor(parts: SwitchParts) {
    this.#parts = parts
    this.#clock = parts.clock
  }

  /** Puts somebody on the line; told that we do not know when patience ends. */
  add(payment: Payment, incoming: Incoming, question: Question): Asker {
    const { policy } = payment.product
    const patienceMs = Math.max(this.#parts.settings.askerPatienceMs, policy.answerTimeoutMs * 2)
    const asker: Asker = { incoming, question, ready: false, callOff: () => {} }
    asker.callOff = this.#clock.at(this.#clock.nowMs() + patienceMs, () => {
      this.answer(payment, this.#write(payment, asker, TIMEOUT))
    })
    payment.askers.push(asker)
    return asker
  }

  /** The answers that a state allows, written before the commit that makes them true. */
  toldIn(payment: Payment, state: TxnState): Told[] {
    return payment.askers.flatMap(asker => {
      if (!asker.ready) return []
      const told = tell(state, asker.question)
      return told.tag === 'wait' ? [] : [this.#write(payment, asker, told.outcome)]
    })
  }

  /** Tells those who can be told by the state as it is. */
  tellAll(payment: Payment): void {
    for (const told of this.toldIn(payment, payment.state)) this.answer(payment, told)
  }

  /** Tells everybody the same, whatever the state. */
  refuseAll(payment: Payment, outcome: Outcome): void {
    for (const asker of payment.askers.slice())
      this.answer(payment, this.#write(payment, asker, outcome))
  }

  answer(payment: Payment, { asker, evidence, outcome }: Told): void {
    const at = payment.askers.indexOf(asker)
    if (at < 0) return
    payment.askers.splice(at, 1)
    asker.callOff()
    const { incoming, question } = asker
    if (evidence) incoming.send(evidence)
    else incoming.drop()
    if (question !== 'payment') return
    const { product, partner } = payment.head
    const tookMs = this.#clock.nowMs() - incoming.atMs
    this.#parts.observer.paymentAnswered(product, partner, outcome.reason, tookMs)
  }

  #write(payment: Payment, asker: Asker, outcome: Outcome): Told {
    const { sent, details, price, head } = payment
    const { incoming } = asker
    const { message } = incoming
    const { businessDate } = head
    const answer = receiptFor(message, outcome, sent, details, price.adminMinor, businessDate)
    // Before its first commit nobody could find it.
    const id = payment.version > 0 ? payment.id : undefined
    return { asker, outcome, evidence: writeAnswer(incoming, answer, this.#parts.log, id) }
  }
}

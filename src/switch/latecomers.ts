import { isNadiError } from '#base'
import type { Answer } from '#link'
import type { Message } from '#message'
import type { Destination } from './destination.ts'
import type { Driver } from './drive.ts'
import type { Live } from './live.ts'
import type { SwitchParts } from './options.ts'
import { lateAnswer } from './outcomes.ts'
import { type Payment, revive } from './payment.ts'

export type Late = 'late' | 'unmatched' | 'unavailable'

/** Looks into the journal, at most so many one after the other. */
const LOOKS_MAX = 64

/**
 * Answers to payments that their link does not remember, mostly because the process began anew
 * since: what is being found out was taken up again and is in memory; what waits for a person is
 * found among the open ones in the journal. All else is final, and final is final.
 */
export class Latecomers {
  readonly #parts: SwitchParts
  readonly #live: Live
  readonly #driver: Driver
  #looks = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(parts: SwitchParts, live: Live, driver: Driver) {
    this.#parts = parts
    this.#live = live
    this.#driver = driver
  }

  /** Resolves when what it changes is durable. */
  async tell(destination: Destination, answer: Answer<Message>): Promise<Late> {
    const key = destination.keyOf(answer.content)
    const belongs = (payment: Payment): boolean =>
      payment.sentOver === destination.name && destination.keyOf(payment.sent) === key
    for (const payment of this.#live.all())
      if (belongs(payment)) return this.#apply(payment, destination, answer)
    const found = await this.#look(belongs)
    if (found === 'unavailable' || found === undefined) return found ?? 'unmatched'
    return this.#apply(found, destination, answer)
  }

  async #apply(payment: Payment, destination: Destination, answer: Answer<Message>): Promise<Late> {
    this.#parts.observer.oddAnswer(destination.name, 'late')
    const frames = [destination.evidence('in', answer.frame)]
    const entry = lateAnswer(payment.sent, answer)
    await new Promise<void>(applied => {
      this.#driver.post(payment, { ...entry, frames, applied })
    })
    return 'late'
  }

  /** One look after the other: a biller that tells a thousand things at once is no reason for a thousand. */
  #look(belongs: (payment: Payment) => boolean): Promise<Payment | 'unavailable' | undefined> {
    if (this.#looks >= LOOKS_MAX) return Promise.resolve('unavailable')
    this.#looks++
    const look = this.#last.then(() => this.#find(belongs)).finally(() => this.#looks--)
    this.#last = look.catch(() => {})
    return look
  }

  async #find(
    belongs: (payment: Payment) => boolean,
  ): Promise<Payment | 'unavailable' | undefined> {
    try {
      for await (const stored of this.#parts.journal.open()) {
        if (stored.tag !== 'suspect') continue
        const payment = revive(stored, this.#parts.products)
        if (payment && belongs(payment)) return this.#live.of(stored)
      }
      return undefined
    } catch (error) {
      if (isNadiError(error)) return 'unavailable'
      throw error
    }
  }
}

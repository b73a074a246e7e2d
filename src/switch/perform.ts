import { type Clock, localTime, NadiError, type TxnId } from '#base'
import type { Evidence } from '#journal'
import type { Answer, LinkOutcome } from '#link'
import type { Message, MessageKind } from '#message'
import { RECOVERY_KINDS } from '#pack'
import type { StoreAndForward } from '#saf'
import type { Action } from '#txn'
import { recoveryFor } from './compose.ts'
import type { Destination, Prepared } from './destination.ts'
import type { SwitchParts } from './options.ts'
import type { Carried } from './security/carried.ts'
import { askAnswered, askEnded, lateAnswer, paymentEnded } from './outcomes.ts'
import type { Entry, Payment } from './payment.ts'

/** An action made ready: the frames that it will send are recorded before it is performed. */
export type Plan = {
  readonly action: Action['tag']
  readonly frames: readonly Evidence[]
  /** What must be recorded beside the event. */
  readonly data?: Record<string, unknown>
  /** After the commit. May happen twice, after a crash. */
  perform(): void
}

type On = {
  readonly carried?: Carried | undefined
  readonly done: (outcome: LinkOutcome<Message>) => void
  readonly late: (answer: Answer<Message>) => void
}

type Post = (payment: Payment, entry: Entry) => void
/** For a payment that may have to be brought back from the journal first. */
type PostLate = (
  partner: string,
  id: TxnId,
  entryFor: (payment: Payment) => Entry | undefined,
) => void
type ReadLate = (payment: Payment, answer: Answer<Message>) => Entry | undefined

// Made out here, where a function holds nothing of the payment that it is kept for.
const latePayment: ReadLate = ({ sent }, answer) => lateAnswer(sent, answer)

function lateAsk(kind: MessageKind): ReadLate {
  return ({ sent }, { content }) => {
    const entry = askAnswered({ ...sent, kind }, content)
    const { tag } = entry.event ?? {}
    return tag === 'ask-unclear' || tag === 'ask-sign-on-required' ? undefined : entry
  }
}

/** Turns the machine's actions into frames that leave, and what comes of them into entries. */
export class Performer {
  readonly #parts: SwitchParts
  readonly #clock: Clock
  readonly #saf: StoreAndForward
  readonly #post: Post
  readonly #postLate: PostLate

  constructor(parts: SwitchParts, saf: StoreAndForward, post: Post, postLate: PostLate) {
    this.#parts = parts
    this.#clock = parts.clock
    this.#saf = saf
    this.#post = post
    this.#postLate = postLate
  }

  plan(payment: Payment, action: Action): Plan {
    switch (action.tag) {
      case 'send':
        return this.#planSend(payment, action)
      case 'ask':
        return this.#planAsk(payment, action)
      case 'wake':
        return this.#planWake(payment, action)
    }
  }

  #planSend(payment: Payment, { route, signOn }: Action & { tag: 'send' }): Plan {
    const notSent = (why: string): Plan => {
      const entry: Entry = { name: 'not-sent', event: { tag: 'not-sent' }, data: { why } }
      return { action: 'send', frames: [], perform: () => this.#post(payment, entry) }
    }
    const destination = this.#parts.destinations.get(route)
    if (!destination) return notSent('no such link')
    const { carried } = payment
    if (carried?.pin && !destination.takesPins) return notSent('the link takes no PIN')
    // The same request goes out again after a sign-on; another route gets a request of its own.
    const again = payment.sentOver === route
    const message = again ? payment.sent : destination.stamp(payment.sent)
    const prepared = this.#prepare(destination, message)
    if (!prepared) return notSent('cannot be said in the dialect of the link')
    payment.sent = message
    payment.sentOver = route
    const perform = (): void => {
      if (payment.abandoned) return notSent('abandoned').perform()
      void this.#send(destination, prepared, payment.product.policy.answerTimeoutMs, signOn, {
        done: outcome => this.#post(payment, paymentEnded(destination, message, outcome)),
        late: this.#late(payment.head, destination, latePayment),
        carried,
      })
    }
    return {
      action: 'send',
      frames: [prepared.evidence],
      ...(!again && { data: { sent: message } }),
      perform,
    }
  }

  #planAsk(payment: Payment, { by, route, repeat, signOn }: Action & { tag: 'ask' }): Plan {
    const { recoveryTimeoutMs } = payment.product.policy
    const destination = this.#parts.destinations.get(route)
    const kind = RECOVERY_KINDS[by]
    const sentAt = localTime(this.#clock.nowMs())
    const question = recoveryFor(payment.sent, payment.details, kind, repeat, sentAt)
    const message = destination?.renumber(question) ?? question
    const prepared = destination && this.#prepare(destination, message)
    if (!destination || !prepared) {
      const why = 'cannot be said in the dialect of the link'
      const entry: Entry = { name: 'ask-unclear', event: { tag: 'ask-unclear' }, data: { why } }
      return { action: 'ask', frames: [], perform: () => this.#post(payment, entry) }
    }
    const on: On = {
      done: outcome => this.#post(payment, askEnded(destination, message, outcome)),
      late: this.#late(payment.head, destination, lateAsk(kind)),
    }
    const perform = (): void => {
      void this.#send(destination, prepared, recoveryTimeoutMs, signOn, on)
    }
    return { action: 'ask', frames: [prepared.evidence], perform }
  }

  #planWake(payment: Payment, { route, afterMs }: Action & { tag: 'wake' }): Plan {
    const due = (release: () => void): void =>
      this.#post(payment, { name: 'due', event: { tag: 'due' }, release })
    const perform = (): void => this.#saf.schedule(route, this.#clock.nowMs() + afterMs, due)
    return { action: 'wake', frames: [], perform }
  }

  /** Whether a sign-on is granted or not shows in what becomes of the request. */
  async #send(
    destination: Destination,
    prepared: Prepared,
    timeoutMs: number,
    signOn: boolean,
    on: On,
  ): Promise<void> {
    if (signOn) await destination.link.signOnAgain()
    destination.send(prepared, timeoutMs, on.done, on.late, on.carried)
  }

  #prepare(destination: Destination, message: Message): Prepared | undefined {
    try {
      return destination.prepare(message)
    } catch (error) {
      if (!(error instanceof NadiError)) throw error
      const { code, path } = error
      this.#parts.log.error('a request cannot be written', { link: destination.name, code, path })
      return undefined
    }
  }

  /**
   * What is called when an answer comes late or again, minutes after the payment may have left
   * memory. The link keeps it that long, so it holds no more of the payment than its id.
   */
  #late({ id, partner }: Payment['head'], destination: Destination, read: ReadLate): On['late'] {
    return answer => {
      this.#parts.observer.oddAnswer(destination.name, 'late')
      const frames = [destination.evidence('in', answer.frame)]
      this.#postLate(partner, id, payment => {
        const entry = read(payment, answer)
        return entry && { ...entry, frames }
      })
    }
  }
}

import { type Clock, localTime, WIB_OFFSET_MS } from '#base'
import type { Evidence } from '#journal'
import type { Answer, Conversation, Link, LinkDialect, LinkOutcome, LinkRequest } from '#link'
import { APPROVED, type Message, type MessageKind, respond } from '#message'
import type { Pack } from '#pack'
import { Traces } from './numbers.ts'
import type { CardVault } from './security/card-vault.ts'
import type { Carried } from './security/carried.ts'
import type { FrameSecurity } from './security/frame-security.ts'

/** Who we are to the other side, where that differs from what the source says of itself. */
export type Identity = {
  readonly bank: string
  readonly partner: string
  readonly switcher: string
  readonly terminal: string
}

/** A message made ready to leave: what is recorded as evidence is what is sent, byte for byte. */
export type Prepared = {
  readonly message: Message
  readonly key: string
  readonly evidence: Evidence
}

/**
 * A link together with the pack that its frames are read and written by: messages in, messages out.
 * What carries the frames, TCP (below) or HTTP (http-destination.ts), is nothing to the switch.
 */
export interface Destination {
  readonly name: string
  readonly link: Link<Message>
  /** A request with a PIN may go there. */
  readonly takesPins: boolean
  /** A request can leave now. */
  readonly up: boolean
  /** False where the dialect sells this product unasked: the switch quotes it by itself. */
  takesInquiriesFor(product: string): boolean
  /**
   * Our own audit number, time and identity on a message that is to be sent for the first time, and
   * nothing that only the source wants back.
   */
  stamp(message: Message): Message
  /** A reversal, advice or status check as this dialect numbers it: like its payment, or anew. */
  renumber(question: Message): Message
  /** Throws CODEC_VALUE or PACK_MISSING_FIELD when this dialect cannot say it. */
  prepare(message: Message): Prepared
  send(
    prepared: Prepared,
    timeoutMs: number,
    done: (outcome: LinkOutcome<Message>) => void,
    late: (answer: Answer<Message>) => void,
    carried?: Carried,
  ): void
  /** What answers to a message are matched by. */
  keyOf(message: Message): string
  evidence(direction: 'in' | 'out', bytes: Uint8Array): Evidence
}

/** A destination that speaks in frames over a connection that is dialed and held. */
export class FrameDestination implements Destination {
  readonly name: string
  readonly link: Link<Message>
  readonly #pack: Pack
  readonly #clock: Clock
  readonly #identity: Identity
  readonly #traces: { next(): string }
  readonly #security: FrameSecurity | undefined
  readonly #vault: CardVault | undefined

  constructor(
    link: Link<Message>,
    pack: Pack,
    identity: Identity,
    clock: Clock,
    { security, vault }: { readonly security?: FrameSecurity; readonly vault?: CardVault } = {},
  ) {
    this.name = link.name
    this.link = link
    this.#pack = pack
    this.#clock = clock
    this.#identity = identity
    this.#security = security
    this.#vault = vault
    this.#traces =
      pack.traceDigits < 12 ? new ShortTraces(clock, pack.traceDigits) : new Traces(clock)
  }

  get up(): boolean {
    return this.link.ready
  }

  get takesPins(): boolean {
    return this.#security?.takesPins ?? false
  }

  takesInquiriesFor(product: string): boolean {
    return this.#pack.carries('inquiry', product)
  }

  stamp(asked: Message): Message {
    const { echoed: _, ...message } = asked
    const { bank, partner, switcher } = this.#identity
    const trace = this.#traces.next()
    const sentAt = localTime(this.#clock.nowMs())
    const stamped: Message = { ...message, trace, sentAt, bank, partner, switcher }
    const { makeReference } = this.#pack
    if (!makeReference || message.reference?.own !== undefined) return stamped
    return { ...stamped, reference: { ...message.reference, own: makeReference(stamped) } }
  }

  renumber(question: Message): Message {
    if (!this.#pack.makeReference) return question
    // Under a number of its own it is no repeat of the one before.
    return { ...question, trace: this.#traces.next(), repeat: false }
  }

  prepare(message: Message): Prepared {
    const bytes = this.#pack.write(this.#vault?.show(message) ?? message)
    return { message, key: this.keyOf(message), evidence: this.evidence('out', bytes) }
  }

  send(
    { key, evidence, message }: Prepared,
    timeoutMs: number,
    done: (outcome: LinkOutcome<Message>) => void,
    late: (answer: Answer<Message>) => void,
    carried?: Carried,
  ): void {
    const deadlineMs = this.#clock.nowMs() + timeoutMs
    const security = this.#security
    if (!security) return this.link.request({ key, frame: evidence.bytes, deadlineMs, done, late })
    const pan = carried?.pin && (this.#vault?.show(message) ?? message).card?.pan
    const request = { key, frame: evidence.bytes, deadlineMs, done, late }
    void this.#protectAndSend(security, request, carried, pan)
  }

  /** Nothing has left while the HSM is at work, and nothing will when it does not do its part. */
  async #protectAndSend(
    security: FrameSecurity,
    request: LinkRequest<Message>,
    carried: Carried | undefined,
    pan: string | undefined,
  ): Promise<void> {
    try {
      const frame = await security.protect(request.frame, carried, pan)
      const isLate = this.#clock.nowMs() >= request.deadlineMs
      if (isLate) request.done({ tag: 'not-sent', why: 'unsealed' })
      else this.link.request({ ...request, frame })
    } catch (error) {
      request.done({ tag: 'not-sent', why: security.notProtected(error) })
    }
  }

  keyOf(message: Message): string {
    return this.#pack.matchKey(message)
  }

  evidence(direction: 'in' | 'out', bytes: Uint8Array): Evidence {
    return evidenceOf(this.name, this.#pack.name, this.#clock, direction, bytes)
  }
}

export function evidenceOf(
  via: string,
  pack: string,
  clock: Clock,
  direction: 'in' | 'out',
  bytes: Uint8Array,
): Evidence {
  return { atMs: clock.nowMs(), side: 'destination', direction, via, pack, bytes }
}

/**
 * Audit numbers of fewer digits: how much of the day (WIB) is over, in so many digits, and always
 * one more than the last. They come again on the same day only where there are more than the digits
 * can tell, or where a restart follows upon more in a row than the day has had time for.
 */
class ShortTraces {
  readonly #clock: Clock
  readonly #digits: number
  readonly #count: number
  #day = 0
  #last = -1

  constructor(clock: Clock, digits: number) {
    this.#clock = clock
    this.#digits = digits
    this.#count = 10 ** digits
  }

  next(): string {
    const wibMs = this.#clock.nowMs() + WIB_OFFSET_MS
    const day = Math.floor(wibMs / DAY_MS)
    if (day !== this.#day) this.#last = -1
    this.#day = day
    const now = Math.floor(((wibMs % DAY_MS) / DAY_MS) * this.#count)
    this.#last = Math.max(now, this.#last + 1)
    return String(this.#last % this.#count).padStart(this.#digits, '0')
  }
}

const DAY_MS = 86_400_000

/** What a link must know of a dialect, made from its pack. */
export function dialectOf(
  pack: Pack,
  identity: Identity,
  clock: Clock,
  vault?: CardVault,
): LinkDialect<Message> {
  const converse = (kind: MessageKind): Conversation<Message> => {
    const sentAt = localTime(clock.nowMs())
    const message: Message = {
      kind,
      direction: 'request',
      repeat: false,
      trace: '',
      sentAt,
      ...identity,
    }
    return {
      key: pack.matchKey(message),
      frame: pack.write(message),
      accepts: answer => answer.outcome?.meaning === 'approved',
    }
  }
  const dialect: LinkDialect<Message> = {
    framing: pack.framing,
    read(frame) {
      const read = pack.read(frame)
      if (read.tag === 'reject') return { tag: 'unreadable', why: read.reject.error.message }
      const { message } = read
      if (message.direction === 'response')
        return {
          tag: 'response',
          key: pack.matchKey(message),
          content: vault?.hide(message) ?? message,
        }
      const answer = message.kind === 'echo' ? pack.write(respond(message, APPROVED)) : undefined
      return { tag: 'request', answer }
    },
  }
  if (!pack.conversation.signOn) return dialect
  return {
    ...dialect,
    signOn: () => converse('sign-on'),
    signOff: () => converse('sign-off'),
    echo: () => converse('echo'),
  }
}

/** Whether an answer speaks of what was asked: another customer, amount or reference is no answer. */
export function answersTo(asked: Message, answer: Message): boolean {
  return (
    answer.product === asked.product &&
    (asked.amountMinor === undefined || answer.amountMinor === asked.amountMinor) &&
    same(asked.customer?.id, answer.customer?.id) &&
    same(asked.customer?.meter, answer.customer?.meter) &&
    same(asked.registration?.number, answer.registration?.number) &&
    same(asked.reference?.switching, answer.reference?.switching) &&
    same(asked.qr?.merchantPan, answer.qr?.merchantPan)
  )
}

/** Equal, or not both told. */
function same(asked: string | undefined, answered: string | undefined): boolean {
  return asked === undefined || answered === undefined || asked === answered
}

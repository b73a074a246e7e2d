import { type Clock, localTime } from '#base'
import type { Evidence } from '#journal'
import type { Answer, HttpDialect, HttpLink, HttpRead, LinkOutcome, Matched } from '#link'
import { type Message, respond } from '#message'
import type { HttpPack, SealContext } from '#pack'
import { type Destination, evidenceOf, type Identity, type Prepared } from './destination.ts'
import type { OwnNumbers } from './numbers.ts'
import type { CardVault } from './security/card-vault.ts'

export type HttpDestinationParts = {
  readonly link: HttpLink<Message>
  /** With the link's credentials. */
  readonly pack: HttpPack
  /** Undefined: the dialect tells who we are by its credentials alone. */
  readonly identity: Identity | undefined
  readonly numbers: OwnNumbers
  readonly clock: Clock
  readonly vault?: CardVault
}

/** A destination whose dialect goes over HTTP. What it says beside is in destination.ts. */
export class HttpDestination implements Destination {
  readonly name: string
  readonly link: HttpLink<Message>
  readonly #parts: HttpDestinationParts
  readonly #withoutInquiry: ReadonlySet<string>

  constructor(parts: HttpDestinationParts) {
    this.name = parts.link.name
    this.link = parts.link
    this.#parts = parts
    this.#withoutInquiry = new Set(parts.pack.withoutInquiry)
  }

  /** Nothing over HTTP has a place for one. */
  get takesPins(): boolean {
    return false
  }

  get up(): boolean {
    return this.link.ready
  }

  takesInquiriesFor(product: string): boolean {
    return !this.#withoutInquiry.has(product)
  }

  /** Our own reference is made once: the payment bears that of its inquiry, and so do status checks. */
  stamp(message: Message): Message {
    const { identity, numbers, clock, pack } = this.#parts
    const { trace, own } = numbers.next()
    // Who the partner is to us, and what only it wants back, is nothing to a biller.
    const { bank: _, partner: __, switcher: ___, echoed: ____, ...kept } = message
    const stamped: Message = { ...kept, trace, sentAt: localTime(clock.nowMs()) }
    if (identity) {
      const { bank, partner, switcher } = identity
      Object.assign(stamped, { bank, partner, switcher })
    }
    if (pack.needsOwnReference && message.reference?.own === undefined)
      stamped.reference = { ...message.reference, own }
    return stamped
  }

  renumber(question: Message): Message {
    return question
  }

  /**
   * The frame without its seal: that is put on at the moment of sending, holds the time, and is no
   * one else's to see. Throws PACK_MISSING_FIELD, PACK_UNKNOWN_MESSAGE, CODEC_VALUE.
   */
  prepare(message: Message): Prepared {
    const { pack, vault } = this.#parts
    const bytes = pack.write(vault?.show(message) ?? message)
    return { message, key: this.keyOf(message), evidence: this.evidence('out', bytes) }
  }

  send(
    { key, evidence, message }: Prepared,
    timeoutMs: number,
    done: (outcome: LinkOutcome<Message>) => void,
    late: (answer: Answer<Message>) => void,
  ): void {
    const deadlineMs = this.#parts.clock.nowMs() + timeoutMs
    this.link.request({ key, frame: evidence.bytes, deadlineMs, asked: message, done, late })
  }

  keyOf(message: Message): string {
    return this.#parts.pack.matchKey(message)
  }

  /** An answer that came by a callback. */
  tell(answer: Answer<Message>): Matched {
    return this.link.tell(this.keyOf(answer.content), answer)
  }

  evidence(direction: 'in' | 'out', bytes: Uint8Array): Evidence {
    const { clock, pack } = this.#parts
    return evidenceOf(this.name, pack.name, clock, direction, bytes)
  }
}

/** What a link over HTTP must know of a dialect, made from its pack with the link's credentials. */
export function httpDialectOf(
  pack: HttpPack,
  numbers: OwnNumbers,
  clock: Clock,
  vault?: CardVault,
): HttpDialect<Message> {
  const context = (token?: string): SealContext => ({
    nowMs: clock.nowMs(),
    nonce: numbers.next().own,
    ...(token !== undefined && { token }),
  })
  const { session } = pack
  return {
    seal: (frame, token) => pack.seal(frame, context(token)),
    read(frame, asked, sealed) {
      // An answer that anyone could have made says nothing about the payment.
      const came: SealContext = { nowMs: clock.nowMs(), nonce: NO_NONCE, asked: sealed }
      if (pack.opens(frame, came)) return unclear(asked)
      const read = pack.readAnswer(frame, asked)
      if (read.tag === 'reject') return unclear(asked)
      const { message: content } = read
      // It came on this connection, and speaks of another payment: somebody mixed up two answers.
      if (pack.matchKey(content) !== pack.matchKey(asked)) return unclear(asked)
      const tokenRefused = content.outcome?.meaning === 'sign-on'
      return { content: vault?.hide(content) ?? content, tokenRefused }
    },
    session: session && {
      request: () => session.request(context()),
      read: answer => session.read(answer),
    },
  }
}

/** Theirs stands in what came. */
const NO_NONCE = ''

/** It is kept as evidence, and the payment is found out about. */
function unclear(asked: Message): HttpRead<Message> {
  const content = respond(asked, { meaning: 'unknown', reason: 'timeout' })
  return { content, tokenRefused: false }
}

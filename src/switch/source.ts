import type { Clock } from '#base'
import type { Evidence } from '#journal'
import type { ListenerHandlers, Session } from '#listener'
import { APPROVED, declined, type Message, type Outcome, respond } from '#message'
import type { Pack, Reject } from '#pack'
import type { PartnerFacts } from '#screening'
import type { Log } from '#telemetry'
import type { Incoming } from './incoming.ts'

/** What a source needs beside its listener. */
export type SourceParts = {
  /** The listener's name. */
  readonly name: string
  readonly pack: Pack
  readonly clock: Clock
  readonly log: Log
  readonly partners: ReadonlyMap<string, PartnerFacts>
  /** Whether this partner may dial in from there. */
  readonly mayDial: (partner: string, peer: string) => boolean
  readonly accept: (incoming: Incoming) => void
}

/** Where a request came from, with the header of its framing: its answer takes both. */
type Asked = { readonly session: Session; readonly header: Uint8Array }

const SIGN_ON_FIRST: Outcome = { meaning: 'sign-on', reason: 'sign-on-required' }

/**
 * A listener together with the pack that its frames are read by: frames in, messages out. It keeps
 * the conversation of each session (sign-on, echo, sign-off); all business goes to the switch.
 */
export class Source implements ListenerHandlers {
  readonly #parts: SourceParts
  /** The partner that each session signed on for. */
  readonly #signedOn = new Map<Session, string>()

  constructor(parts: SourceParts) {
    this.#parts = parts
  }

  onOpen(_session: Session): void {}

  onClose(session: Session, _reason: string): void {
    this.#signedOn.delete(session)
  }

  onFrame(session: Session, view: Uint8Array, crowded: boolean, header: Uint8Array): void {
    const frame = Uint8Array.prototype.slice.call(view)
    const asked = { session, header: header.length > 0 ? Buffer.from(header) : header }
    const read = this.#parts.pack.read(frame)
    if (read.tag === 'reject') return this.#reject(asked, read.reject)
    const { message } = read
    if (message.direction === 'response') return this.#ignore(session, message)
    const partner = this.#signedOn.get(session)
    if (message.kind === 'sign-on') return this.#signOn(asked, message)
    if (partner === undefined) return this.#answer(asked, message, SIGN_ON_FIRST)
    if (message.kind === 'sign-off') {
      this.#signedOn.delete(session)
      return this.#answer(asked, message, APPROVED)
    }
    if (message.kind === 'echo') return this.#answer(asked, message, APPROVED)
    if (crowded) return this.#answer(asked, message, declined('unavailable'))
    this.#parts.accept(this.#incoming(asked, partner, message, frame))
  }

  #signOn(asked: Asked, message: Message): void {
    const { session } = asked
    const { partner = '', bank = '' } = message
    const facts = this.#parts.partners.get(partner)
    const outcome = this.#mayEnter(session, bank, partner, facts)
    if (outcome.meaning === 'approved') this.#signedOn.set(session, partner)
    else this.#signedOn.delete(session)
    const { peer } = session
    this.#parts.log.info('sign-on', { partner, peer, reason: outcome.reason })
    this.#answer(asked, message, outcome)
  }

  #mayEnter({ peer }: Session, bank: string, partner: string, facts?: PartnerFacts): Outcome {
    if (!facts || !this.#parts.mayDial(partner, peer)) return declined('partner-unknown')
    if (facts.blocked) return declined('partner-blocked')
    if (bank !== '' && !facts.banks.has(bank)) return declined('bank-unknown')
    return APPROVED
  }

  #answer({ session, header }: Asked, request: Message, outcome: Outcome): void {
    session.answer(this.#parts.pack.write(respond(request, outcome)), header)
  }

  /** What cannot be read is answered in its own words with RC "format error", or not at all. */
  #reject({ session, header }: Asked, reject: Reject): void {
    const { code, path, offset, expected, actual } = reject.error
    const { peer } = session
    this.#parts.log.warn('unreadable request', { peer, code, path, offset, expected, actual })
    const answer = this.#parts.pack.writeReject(reject, reject.reason)
    if (answer) return session.answer(answer, header)
    session.silence()
    // Not even its type could be read: whatever speaks there does not speak this dialect.
    if (!reject.response) session.close('unreadable message')
  }

  #ignore(session: Session, { kind, trace }: Message): void {
    this.#parts.log.warn('an answer to nothing', { peer: session.peer, kind, trace })
    session.silence()
  }

  #incoming(
    { session, header }: Asked,
    partner: string,
    message: Message,
    frame: Uint8Array,
  ): Incoming {
    const { clock } = this.#parts
    return {
      message,
      atMs: clock.nowMs(),
      sessionPartner: partner,
      evidence: this.#evidence('in', frame),
      write: answer => this.#evidence('out', this.#parts.pack.write(answer)),
      send: ({ bytes }) => session.answer(bytes, header),
      drop: () => session.silence(),
    }
  }

  #evidence(direction: 'in' | 'out', bytes: Uint8Array): Evidence {
    const { name, pack, clock } = this.#parts
    return { atMs: clock.nowMs(), side: 'source', direction, via: name, pack: pack.name, bytes }
  }
}

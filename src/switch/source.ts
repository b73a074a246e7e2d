import { AssertionFailed, type Clock, errorText } from '#base'
import type { Evidence } from '#journal'
import type { ListenerHandlers, Session } from '#listener'
import { APPROVED, declined, type Message, type Outcome, respond } from '#message'
import type { Pack, Reject } from '#pack'
import type { PartnerFacts } from '#screening'
import type { Log } from '#telemetry'
import type { Incoming } from './incoming.ts'
import type { CardVault } from './security/card-vault.ts'
import { type Carried, SECRET } from './security/carried.ts'
import type { Admitted, FrameSecurity } from './security/frame-security.ts'

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
  /** Absent where frames go as they are. */
  readonly security?: FrameSecurity | undefined
  /** Of partners that have keys of their own on this listener; the others share `security`. */
  readonly zones?: ReadonlyMap<string, FrameSecurity>
  readonly vault?: CardVault | undefined
}

/** Where a request came from, the header of its framing, its cryptography: its answer takes all. */
type Asked = {
  readonly session: Session
  readonly header: Uint8Array
  readonly security: FrameSecurity | undefined
}

/** Who signed on, and how its dialect speaks of the line. */
type SignedOn = { readonly partner: string; readonly signOn: Message }

const SIGN_ON_FIRST: Outcome = { meaning: 'sign-on', reason: 'sign-on-required' }

/**
 * A listener together with the pack that its frames are read by: frames in, messages out. It keeps
 * the conversation of each session (sign-on, echo, sign-off); all business goes to the switch.
 */
export class Source implements ListenerHandlers {
  readonly #parts: SourceParts
  /** The partner that each session signed on for. */
  readonly #signedOn = new Map<Session, SignedOn>()

  constructor(parts: SourceParts) {
    this.#parts = parts
    for (const security of new Set([parts.security, ...(parts.zones?.values() ?? [])]))
      security?.exchange?.attach({
        blank: () => this.#blank(security),
        tell: frame => this.#tell(security, frame),
      })
  }

  onOpen(_session: Session): void {}

  onClose(session: Session, _reason: string): void {
    this.#signedOn.delete(session)
  }

  onFrame(session: Session, view: Uint8Array, crowded: boolean, header: Uint8Array): void {
    const frame = Uint8Array.prototype.slice.call(view)
    const security = this.#securityOf(session)
    const asked = { session, header: header.length > 0 ? Buffer.from(header) : header, security }
    if (!security) return this.#take(asked, frame, crowded)
    const then = (admitted: Admitted): void =>
      this.#safely(session, () => this.#admitted(asked, admitted, crowded))
    const reply = (answer: Uint8Array | undefined): void =>
      answer ? session.answer(answer, asked.header) : session.silence()
    // Whoever has not signed on agrees no keys, and cannot make the HSM work for nothing.
    security.admit(frame, then, this.#signedOn.has(session) ? reply : undefined)
  }

  /** What the HSM said of it comes later than the listener watches over us. */
  #safely(session: Session, run: () => void): void {
    try {
      run()
    } catch (error) {
      if (error instanceof AssertionFailed) throw error
      const { id } = session
      this.#parts.log.error('a frame could not be handled', {
        session: id,
        error: errorText(error),
      })
      session.silence()
    }
  }

  #admitted(asked: Asked, { frame, carried, problem }: Admitted, crowded: boolean): void {
    if (!problem || problem === 'unreadable') return this.#take(asked, frame, crowded, carried)
    const read = this.#parts.pack.read(frame)
    if (read.tag === 'reject') return this.#reject(asked, read.reject)
    const { message } = read
    if (message.direction === 'response') return this.#ignore(asked.session, message)
    if (problem === 'missing' || problem === 'wrong')
      return this.#answer(asked, message, declined('security-invalid'))
    // Nobody can put a MAC on it; a no that was forged does no harm, since nothing was done.
    const { session, header } = asked
    session.answer(this.#written(respond(message, declined('unavailable'))), header)
  }

  #take(asked: Asked, frame: Uint8Array, crowded: boolean, carried?: Carried): void {
    const { session } = asked
    const read = this.#parts.pack.read(frame)
    if (read.tag === 'reject') return this.#reject(asked, read.reject)
    const message = this.#parts.vault?.hide(read.message) ?? read.message
    if (message.direction === 'response') return this.#ignore(session, message)
    const partner = this.#signedOn.get(session)?.partner
    if (message.kind === 'sign-on') return this.#signOn(asked, message)
    if (partner === undefined) return this.#answer(asked, message, SIGN_ON_FIRST)
    if (message.kind === 'sign-off') {
      this.#signedOn.delete(session)
      return this.#answer(asked, message, APPROVED)
    }
    if (message.kind === 'echo') return this.#answer(asked, message, APPROVED)
    // Signed on as somebody else while the MAC was looked at: it held under the keys of the first.
    if (asked.security !== this.#securityOf(session))
      return this.#answer(asked, message, declined('security-invalid'))
    if (crowded) return this.#answer(asked, message, declined('unavailable'))
    this.#parts.accept(this.#incoming(asked, partner, message, frame, carried))
  }

  #signOn(asked: Asked, message: Message): void {
    const { session } = asked
    const { partner = '', bank = '' } = message
    const facts = this.#parts.partners.get(partner)
    const outcome = this.#mayEnter(session, bank, partner, facts)
    if (outcome.meaning === 'approved') this.#signedOn.set(session, { partner, signOn: message })
    else this.#signedOn.delete(session)
    const { peer } = session
    this.#parts.log.info('sign-on', { partner, peer, reason: outcome.reason })
    this.#answer(asked, message, outcome)
    if (outcome.meaning === 'approved') this.#securityOf(session)?.exchange?.lineUp()
  }

  #mayEnter({ peer }: Session, bank: string, partner: string, facts?: PartnerFacts): Outcome {
    if (!facts || !this.#parts.mayDial(partner, peer)) return declined('partner-unknown')
    if (facts.blocked) return declined('partner-blocked')
    if (bank !== '' && !facts.banks.has(bank)) return declined('bank-unknown')
    return APPROVED
  }

  #answer(asked: Asked, request: Message, outcome: Outcome): void {
    this.#send(asked, this.#written(respond(request, outcome)))
  }

  #written(answer: Message): Uint8Array {
    return this.#parts.pack.write(this.#parts.vault?.show(answer) ?? answer)
  }

  /** What cannot be protected does not leave: the partner asks again and gets the same answer. */
  #send({ session, header, security }: Asked, frame: Uint8Array): void {
    const sealed = security ? security.protect(frame) : frame
    if (sealed instanceof Uint8Array) return session.answer(sealed, header)
    void sealed
      .then(made => session.answer(made, header))
      .catch((error: unknown) => {
        security?.notProtected(error)
        session.silence()
      })
  }

  /** The partner's own, as soon as the session says who it is. */
  #securityOf(session: Session): FrameSecurity | undefined {
    const { security, zones } = this.#parts
    if (!zones) return security
    return zones.get(this.#signedOn.get(session)?.partner ?? '') ?? security
  }

  /** A message of the line to whoever shares these keys and is there, as its dialect says it. */
  #blank(security: FrameSecurity): Uint8Array | undefined {
    const session = this.#sessionOf(security)
    const there = session && this.#signedOn.get(session)
    if (!there) return undefined
    const { outcome: _, ...signOn } = there.signOn
    return this.#parts.pack.write({ ...signOn, kind: 'echo', direction: 'request' })
  }

  #tell(security: FrameSecurity, frame: Uint8Array): boolean {
    const session = this.#sessionOf(security)
    session?.tell(frame)
    return session !== undefined
  }

  /** The one that signed on last: an older one may be a line that broke without a word. */
  #sessionOf(security: FrameSecurity): Session | undefined {
    return [...this.#signedOn.keys()].findLast(session => this.#securityOf(session) === security)
  }

  /** What cannot be read is answered in its own words with RC "format error", or not at all. */
  #reject(asked: Asked, reject: Reject): void {
    const { session, security } = asked
    const { code, path, offset, expected } = reject.error
    const { peer } = session
    // What stands there may be a card number, or half of one.
    const actual = security ? undefined : reject.error.actual
    this.#parts.log.warn('unreadable request', { peer, code, path, offset, expected, actual })
    const answer = this.#parts.pack.writeReject(withoutSecrets(reject), reject.reason)
    if (answer) return this.#send(asked, answer)
    session.silence()
    // Not even its type could be read: whatever speaks there does not speak this dialect.
    if (!reject.response) session.close('unreadable message')
  }

  #ignore(session: Session, { kind, trace }: Message): void {
    this.#parts.log.warn('an answer to nothing', { peer: session.peer, kind, trace })
    session.silence()
  }

  #incoming(
    asked: Asked,
    partner: string,
    message: Message,
    frame: Uint8Array,
    carried: Carried | undefined,
  ): Incoming {
    const { clock } = this.#parts
    return {
      message,
      atMs: clock.nowMs(),
      sessionPartner: partner,
      evidence: this.#evidence('in', frame),
      ...(carried && { carried }),
      write: answer => this.#evidence('out', this.#written(answer)),
      send: ({ bytes }) => this.#send(asked, bytes),
      drop: () => asked.session.silence(),
    }
  }

  #evidence(direction: 'in' | 'out', bytes: Uint8Array): Evidence {
    const { name, pack, clock } = this.#parts
    return { atMs: clock.nowMs(), side: 'source', direction, via: name, pack: pack.name, bytes }
  }
}

/** Who wrote them knows them, and nobody else should: they do not go back either. */
function withoutSecrets(reject: Reject): Reject {
  const fields = new Map(reject.fields)
  for (const number of SECRET) fields.delete(number)
  return { ...reject, fields }
}

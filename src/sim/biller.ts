import { isNadiError, toHex, type Clock, type Random } from '#base'
import type { FrameReader } from '#iso8583'
import { APPROVED, respond, type Message } from '#message'
import type { Acceptor, Connection, ConnectionHandlers } from '#net'
import type { Pack, Reject } from '#pack'
import { NO_LOG, type Log } from '#telemetry'
import { Actor, type Performance } from './actor.ts'
import type { Book } from './book.ts'
import { drawDelay, NO_CHAOS, type Chaos } from './chaos.ts'
import { Clerk, no } from './clerk.ts'
import type { Desk } from './desk.ts'
import { deskFor } from './desk-for.ts'
import { Outlet } from './outlet.ts'
import { PLN_DESKS } from './pln.ts'
import { asLines } from './lines.ts'
import { Recent } from './recent.ts'
import { References } from './references.ts'
import { scenarioOf, TIMING, type Timing } from './scenarios.ts'
import { garbled, withCode, withOtherAmount, withOtherTrace } from './tamper.ts'
import { withShortData, withWrongLength } from './tamper.ts'

export type BillerOptions = {
  readonly pack: Pack
  readonly acceptor: Acceptor
  readonly clock: Clock
  readonly random: Random
  /** Outlives the biller: a biller that is started again with the same book has forgotten nothing. */
  readonly book: Book
  readonly log?: Log
  readonly timing?: Partial<Timing>
  /** Refuse payments without the references of an inquiry of ours (default: yes). */
  readonly checkReferences?: boolean
  /** What is sold, by product code (default: PLN's three, and bills and the like for all others). */
  readonly desks?: Readonly<Record<string, Desk>>
  readonly connectionsMax?: number
}

export type BillerStatus = {
  readonly connections: number
  readonly requests: number
  readonly answers: number
  readonly rejects: number
  readonly badFrames: number
}

type SimSession = {
  readonly outlet: Outlet
  readonly reader: FrameReader
  signedOn: boolean
  /** Half-open: neither hears nor speaks, and does not hang up. */
  deaf: boolean
}

/**
 * A counterpart made of a pack: over TCP as a process of its own, or in the simulated world over a
 * network in memory. Honest in its book, and as unreliable on the wire as its scenarios want.
 */
export class SimulatedBiller {
  readonly #pack: Pack
  readonly #acceptor: Acceptor
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Log
  readonly #timing: Timing
  readonly #clerk: Clerk
  readonly #actor: Actor
  readonly #deskOf: (message: Message) => Desk | undefined
  readonly #connectionsMax: number
  readonly #sessions = new Set<SimSession>()
  /** Answers to payments that leave when the reversal or advice comes. */
  readonly #held = new Recent<Uint8Array>(HELD_MAX)
  readonly book: Book
  /** Trouble for everyone, set at run time. */
  chaos: Chaos = NO_CHAOS
  #counts = { requests: 0, answers: 0, rejects: 0, badFrames: 0 }

  constructor(options: BillerOptions) {
    const { pack, clock, random, book, checkReferences = true } = options
    this.#pack = pack
    this.#acceptor = options.acceptor
    this.#clock = clock
    this.#random = random
    this.#log = options.log ?? NO_LOG
    const { desks } = options
    this.#deskOf = message => {
      const { product = '' } = message
      return desks ? desks[product] : (PLN_DESKS[product] ?? asLines(deskFor(message)))
    }
    this.#connectionsMax = options.connectionsMax ?? CONNECTIONS_MAX
    const { responseTimeoutMs: deadlineMs } = pack.conversation
    this.#timing = { deadlineMs, ...TIMING, ...options.timing }
    const references = new References(clock, random)
    this.#clerk = new Clerk({ clock, book, references, checkReferences })
    this.#actor = new Actor(pack, this.#clerk, random)
    this.book = book
  }

  listen(): Promise<{ address: string }> {
    return this.#acceptor.listen(connection => this.#open(connection))
  }

  /** Hangs up on everyone and takes nobody new. The book stays as it is. */
  async close(): Promise<void> {
    await this.#acceptor.close()
    for (const { outlet } of this.#sessions) outlet.close('the biller stops')
    this.#sessions.clear()
    this.book.flush()
  }

  status(): BillerStatus {
    return { connections: this.#sessions.size, ...this.#counts }
  }

  #open(connection: Connection): ConnectionHandlers {
    const session: SimSession = {
      outlet: new Outlet(connection, this.#clock),
      reader: this.#pack.framing.reader(),
      signedOn: false,
      deaf: false,
    }
    if (this.#sessions.size >= this.#connectionsMax) session.outlet.close('too many connections')
    else this.#sessions.add(session)
    const onFrame = (frame: Uint8Array) => this.#onFrame(session, frame)
    return {
      onData: chunk => this.#onData(session, chunk, onFrame),
      onClose: reason => {
        session.outlet.closed()
        this.#sessions.delete(session)
        this.#log.debug('connection closed', { peer: connection.peer, reason })
      },
    }
  }

  #onData(session: SimSession, chunk: Uint8Array, onFrame: (frame: Uint8Array) => void): void {
    if (session.deaf) return
    try {
      session.reader.push(chunk, onFrame)
    } catch (error) {
      if (!isNadiError(error, 'FRAME_LENGTH')) throw error
      this.#counts.badFrames++
      session.outlet.close('bad frame header')
    }
    // Answers leave at the end of the turn: whatever they say is in the book by then.
    this.book.flush()
  }

  #onFrame(session: SimSession, frame: Uint8Array): void {
    if (session.deaf) return
    this.#counts.requests++
    const read = this.#pack.read(frame)
    if (read.tag === 'reject') {
      this.#refuse(session, read.reject)
      return
    }
    if (read.message.direction === 'response') return
    try {
      this.#request(session, read.message)
    } catch (error) {
      // An answer that the dialect cannot say is the pack's or the desk's fault, and gets silence.
      if (!isNadiError(error)) throw error
      this.#counts.rejects++
      this.#log.error('answer cannot be written', { code: error.code, path: error.path })
    }
  }

  #request(session: SimSession, message: Message): void {
    switch (message.kind) {
      case 'sign-on':
      case 'sign-off':
        session.signedOn = message.kind === 'sign-on'
        this.#send(session, this.#network(message))
        return
      case 'echo':
        this.#answer(session, respond(message, APPROVED))
        return
      case 'inquiry':
      case 'payment':
      case 'advice':
      case 'reversal':
      case 'status':
        if (session.signedOn || !this.#pack.conversation.signOn) this.#business(session, message)
        else this.#answer(session, no(message, 'sign-on-required'))
    }
  }

  /** In some dialects a yes to a sign-on bears the key of the session (EBIPP). */
  #network(message: Message): Uint8Array {
    const answer = respond(message, APPROVED)
    try {
      return this.#pack.write(answer)
    } catch (error) {
      if (!isNadiError(error, 'PACK_MISSING_FIELD')) throw error
      return this.#pack.write({ ...answer, security: toHex(this.#random.bytes(8)) })
    }
  }

  #refuse(session: SimSession, reject: Reject): void {
    this.#counts.rejects++
    this.#log.debug('request cannot be read', { code: reject.error.code, path: reject.error.path })
    if (reject.response) return
    const answer = this.#pack.writeReject(reject, 'format-error')
    if (answer) this.#send(session, answer)
  }

  #business(session: SimSession, message: Message): void {
    const desk = this.#deskOf(message)
    if (!desk) {
      this.#answer(session, no(message, 'product-unknown'))
      return
    }
    const scenario = scenarioOf(desk.numberOf(message))
    const chaos = this.chaos === NO_CHAOS ? undefined : this.chaos
    if (!scenario && !chaos) {
      this.#answer(session, this.#clerk.answer(message, desk))
      return
    }
    this.#releaseHeld(session, message, desk)
    const performance = this.#actor.play(message, desk, scenario, chaos)
    const delayMs = chaos ? drawDelay(chaos, this.#random) : 0
    this.#later(session, delayMs, () => this.#perform(session, performance, message, desk))
  }

  /** Lets an answer leave in the manner that its act wants. */
  #perform(session: SimSession, performance: Performance, message: Message, desk: Desk): void {
    const { act, answer, code } = performance
    const { outlet } = session
    const { deadlineMs, lateByMs, slowByMs, byteByMs, mergeWaitMs } = this.#timing
    const frame = () => this.#frameOf(answer, code)
    const wrapped = () => this.#pack.framing.wrap(frame())
    switch (act.send ?? 'answer') {
      case 'answer':
        return this.#send(session, frame())
      case 'silence':
        return
      case 'late':
        return this.#later(session, deadlineMs + lateByMs, () => {
          this.#send(session, frame())
        })
      case 'slow':
        return this.#later(session, slowByMs, () => this.#send(session, frame()))
      case 'twice':
        this.#send(session, frame())
        return this.#send(session, frame())
      case 'after-reversal':
        return this.#held.set(desk.keyOf(message), wrapped())
      case 'garbled':
        return this.#send(session, garbled(frame(), this.#random))
      case 'other-trace':
        return this.#send(session, this.#frameOf(withOtherTrace(answer), code))
      case 'other-amount':
        return this.#send(session, this.#frameOf(withOtherAmount(answer), code))
      case 'short-data':
        return this.#send(session, withShortData(this.#pack, frame()))
      case 'byte-by-byte':
        return outlet.drip(wrapped(), byteByMs)
      case 'merged':
        return outlet.hold(wrapped(), mergeWaitMs)
      case 'wrong-length':
        return outlet.send(withWrongLength(this.#pack.framing, frame()))
      case 'cut':
        return outlet.close('the scenario cuts the connection')
      case 'deaf':
        session.deaf = true
        return
      case 'signed-off':
        session.signedOn = false
        return this.#send(session, frame())
      // Nothing here is HTTP: what cannot be an answer is none.
      case 'html':
      case 'server-error':
      case 'empty':
      case 'redirect':
      case 'gzip-bomb':
        return
    }
  }

  /** The late answer to a payment leaves just before the answer to what asks about it. */
  #releaseHeld(session: SimSession, message: Message, desk: Desk): void {
    if (message.kind !== 'reversal' && message.kind !== 'advice') return
    const key = desk.keyOf(message)
    const held = this.#held.get(key)
    if (!held) return
    this.#held.delete(key)
    session.outlet.send(held)
  }

  #later(session: SimSession, afterMs: number, run: () => void): void {
    if (afterMs === 0) return run()
    this.#clock.at(this.#clock.nowMs() + afterMs, () => {
      if (this.#sessions.has(session) && !session.deaf) run()
    })
  }

  #answer(session: SimSession, message: Message): void {
    this.#send(session, this.#pack.write(message))
  }

  #frameOf(message: Message, code: string | undefined): Uint8Array {
    const frame = this.#pack.write(message)
    return code === undefined ? frame : withCode(this.#pack, frame, code)
  }

  #send(session: SimSession, frame: Uint8Array): void {
    this.#counts.answers++
    session.outlet.send(this.#pack.framing.wrap(frame))
  }
}

const CONNECTIONS_MAX = 1024
const HELD_MAX = 10_000

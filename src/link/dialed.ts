import { AssertionFailed, errorText, isNadiError } from '#base'
import type { Clock, Random } from '#base'
import { Seldom } from '#net'
import type { Connection, Dialer } from '#net'
import type { Log } from '#telemetry'
import type {
  Conversation,
  Link,
  LinkDialect,
  LinkGuard,
  LinkOptions,
  LinkRead,
  LinkRequest,
  LinkStateName,
  LinkStatus,
  NotSent,
} from './link.ts'
import { nextLink, STOPPED, wakeAtMs } from './machine.ts'
import type { LinkCommand, LinkEvent, LinkRules, LinkState } from './machine.ts'
import { Matching, safely } from './matching.ts'

export type DialedLinkParts<T> = {
  readonly name: string
  readonly dialer: Dialer
  readonly dialect: LinkDialect<T>
  readonly options: LinkOptions
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Absent: frames are read as they come. */
  readonly guard?: LinkGuard
}

/** What we ask on our own behalf; at most one of each is outstanding. */
type Asking<T> = {
  readonly purpose: 'sign-on' | 'sign-off' | 'echo'
  readonly key: string
  answered(content: T): void
}

/** What it means that a state's time ran out. */
const SILENCE: Partial<Record<LinkStateName, string>> = {
  dialing: 'the dial was not answered',
  'signing-on': 'the sign-on was not answered',
  up: 'an echo or sign-on was not answered: the connection is half-open',
}

/**
 * The driver of one link: it owns the connection and one wake-up of the clock, feeds the machine
 * (machine.ts) and obeys it. Requests and their answers are brought together in matching.ts.
 */
export class DialedLink<T> implements Link<T> {
  readonly name: string
  readonly #dialer: Dialer
  readonly #dialect: LinkDialect<T>
  readonly #rules: LinkRules
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Log
  readonly #guard: LinkGuard | undefined
  readonly #unreadableLog: Seldom
  readonly #matching: Matching<T>
  readonly #listeners: ((state: LinkStateName) => void)[] = []

  #state: LinkState = STOPPED
  #sinceMs: number
  #connection: Connection | undefined
  #peer = ''
  #heardAtMs = 0
  #wakeAtMs = Infinity
  #callOffWake: () => void = () => {}
  #asking: Asking<T>[] = []
  #signOnWaiters: ((accepted: boolean) => void)[] = []
  #drainWaiters: (() => void)[] = []
  #timesUp = 0
  #lastError: string | undefined

  constructor(parts: DialedLinkParts<T>) {
    const { name, dialer, dialect, options, clock, random, log } = parts
    this.name = name
    this.#dialer = dialer
    this.#dialect = dialect
    this.#rules = {
      ...options,
      signsOn: dialect.signOn !== undefined,
      signsOff: dialect.signOff !== undefined,
      echoes: dialect.echo !== undefined,
    }
    this.#clock = clock
    this.#random = random
    this.#log = log.child({ link: name })
    this.#guard = parts.guard
    this.#unreadableLog = new Seldom(clock)
    this.#matching = new Matching<T>(options, {
      clock,
      log: this.#log,
      onEmpty: () => {
        if (this.#state.tag === 'draining') this.#feed({ tag: 'emptied', nowMs: clock.nowMs() })
      },
    })
    this.#sinceMs = clock.nowMs()
  }

  get state(): LinkStateName {
    return this.#state.tag
  }

  get ready(): boolean {
    return this.#state.tag === 'up'
  }

  get inFlight(): number {
    return this.#matching.inFlight
  }

  start(): void {
    this.#feed({ tag: 'start', nowMs: this.#clock.nowMs() })
  }

  onState(listener: (state: LinkStateName) => void): void {
    this.#listeners.push(listener)
  }

  request(request: LinkRequest<T>): void {
    const why = this.#refuses(request.key)
    if (why !== undefined) return this.#matching.notSent(request, why)
    // What the framing cannot carry is thrown back from here, before anything is promised.
    const bytes = this.#dialect.framing.wrap(request.frame)
    const unread = (this.#connection?.bytesPending ?? 0) > 0
    if (!this.#write(bytes)) return this.#matching.notSent(request, unread ? 'full' : 'down')
    this.#matching.sent(request)
  }

  /** Says something of the line itself (key exchange); false when there is no line for it. */
  tell(frame: Uint8Array): boolean {
    return this.#state.tag === 'up' && this.#write(this.#dialect.framing.wrap(frame))
  }

  signOnAgain(): Promise<boolean> {
    const { tag } = this.#state
    if (tag !== 'up' && tag !== 'signing-on') return Promise.resolve(false)
    if (!this.#rules.signsOn) return Promise.resolve(true)
    return new Promise(resolve => {
      this.#signOnWaiters.push(resolve)
      this.#feed({ tag: 'sign-on-again', nowMs: this.#clock.nowMs() })
    })
  }

  drain(deadlineMs: number): Promise<void> {
    return new Promise(resolve => {
      this.#drainWaiters.push(resolve)
      const nowMs = this.#clock.nowMs()
      this.#feed({ tag: 'drain', nowMs, deadlineMs, inFlight: this.inFlight })
      this.#settleWaiters()
    })
  }

  status(): LinkStatus {
    return {
      name: this.name,
      state: this.state,
      peer: this.#peer,
      sinceMs: this.#sinceMs,
      inFlight: this.inFlight,
      ...this.#matching.counts,
      reconnects: Math.max(0, this.#timesUp - 1),
      lastError: this.#lastError,
    }
  }

  #refuses(key: string): NotSent | undefined {
    const { tag } = this.#state
    if (tag === 'up') return this.#connection ? this.#matching.refuses(key) : 'down'
    return tag === 'draining' ? 'draining' : 'down'
  }

  // Driving the machine

  #feed(event: LinkEvent): void {
    const before = this.#state
    const [state, ...commands] = nextLink(before, event, this.#rules, this.#random)
    this.#state = state
    if (event.tag === 'tick' && state.tag === 'down') this.#lastError = SILENCE[before.tag]
    for (const command of commands) this.#perform(command)
    if (state.tag !== before.tag) this.#entered(state.tag, event.nowMs)
    if (event.tag === 'accepted') this.#settleSignOn(state.tag === 'up')
    this.#armWake()
  }

  #perform(command: LinkCommand): void {
    switch (command) {
      case 'dial':
        return this.#dial()
      case 'hang-up':
        return this.#hangUp()
      case 'sign-on':
        return this.#ask('sign-on', this.#dialect.signOn?.bind(this.#dialect), accepted =>
          this.#feed({ tag: accepted ? 'accepted' : 'refused', nowMs: this.#clock.nowMs() }),
        )
      case 'sign-off':
        return this.#ask('sign-off', this.#dialect.signOff?.bind(this.#dialect), () =>
          this.#feed({ tag: 'signed-off', nowMs: this.#clock.nowMs() }),
        )
      case 'echo':
        return this.#ask('echo', this.#dialect.echo?.bind(this.#dialect), accepted =>
          this.#feed({ tag: 'echoed', accepted, nowMs: this.#clock.nowMs() }),
        )
    }
  }

  #entered(tag: LinkStateName, nowMs: number): void {
    this.#sinceMs = nowMs
    if (tag === 'up') this.#timesUp++
    this.#log.info('link state', { state: tag, peer: this.#peer, error: this.#lastError })
    if (tag === 'down' || tag === 'stopped') this.#matching.broken()
    for (const listener of this.#listeners) safely(this.#log, () => listener(tag))
    this.#settleWaiters()
  }

  #settleWaiters(): void {
    const { tag } = this.#state
    if (tag === 'down' || tag === 'stopped') this.#settleSignOn(false)
    if (tag !== 'stopped') return
    const waiters = this.#drainWaiters
    this.#drainWaiters = []
    for (const resolve of waiters) resolve()
  }

  #settleSignOn(accepted: boolean): void {
    const waiters = this.#signOnWaiters
    this.#signOnWaiters = []
    for (const resolve of waiters) resolve(accepted)
  }

  #armWake(): void {
    const atMs = wakeAtMs(this.#state, this.#heardAtMs, this.#rules) ?? Infinity
    if (atMs === this.#wakeAtMs) return
    this.#callOffWake()
    this.#wakeAtMs = atMs
    if (atMs === Infinity) return
    this.#callOffWake = this.#clock.at(atMs, () => {
      this.#wakeAtMs = Infinity
      this.#feed({ tag: 'tick', nowMs: this.#clock.nowMs(), heardAtMs: this.#heardAtMs })
    })
  }

  // The connection

  #dial(): void {
    const reader = this.#dialect.framing.reader()
    const onFrame = (frame: Uint8Array, header: Uint8Array): void => {
      // Frames may follow in the chunk whose first one made us hang up.
      if (this.#connection === connection) this.#onFrame(frame, header)
    }
    const onKeepAlive = (): void => {
      if (this.#connection === connection) this.#answerKeepAlive()
    }
    const connection = this.#dialer.dial({
      onConnect: () => {
        if (this.#connection !== connection) return
        this.#heardAtMs = this.#clock.nowMs()
        this.#feed({ tag: 'connected', nowMs: this.#heardAtMs })
      },
      onData: chunk => {
        if (this.#connection !== connection) return
        this.#heardAtMs = this.#clock.nowMs()
        try {
          reader.push(chunk, onFrame, onKeepAlive)
        } catch (error) {
          if (!isNadiError(error, 'FRAME_LENGTH')) throw error
          this.#log.warn('the stream from the peer is broken', { error: error.message })
          connection.destroy(error.code)
        }
      },
      onClose: reason => {
        if (this.#connection !== connection) return
        this.#connection = undefined
        this.#asking = []
        this.#lastError = reason
        this.#feed({ tag: 'closed', nowMs: this.#clock.nowMs() })
      },
    })
    this.#connection = connection
    this.#peer = connection.peer
  }

  /** Nothing is owed to the peer when the machine says so; its end of the wire may be dead. */
  #hangUp(): void {
    const connection = this.#connection
    this.#connection = undefined
    this.#asking = []
    connection?.destroy('hung up')
  }

  #write(bytes: Uint8Array): boolean {
    if (this.#connection?.write(bytes)) return true
    this.#connection?.destroy('the peer does not read')
    return false
  }

  #onFrame(view: Uint8Array, header: Uint8Array): void {
    // The content and the evidence outlive the view.
    const frame = Buffer.from(view)
    if (!this.#guard) return this.#take(frame, header)
    const connection = this.#connection
    const kept = Buffer.from(header)
    const answer = (bytes: Uint8Array): void => {
      if (this.#connection === connection) this.#write(this.#answering(bytes, kept))
    }
    this.#guard.admit(frame, passed => this.#take(passed, kept), answer)
  }

  #take(frame: Uint8Array, header: Uint8Array): void {
    const read = this.#read(frame)
    switch (read.tag) {
      case 'response': {
        const { key, content } = read
        if (this.#asking.length > 0 && this.#answersUs(key, content)) return
        this.#matching.answer(key, { content, frame, atMs: this.#heardAtMs })
        return
      }
      case 'request':
        if (read.answer) this.#write(this.#answering(read.answer, header))
        return
      case 'unreadable': {
        const passedOver = this.#unreadableLog.take()
        if (passedOver === undefined) return
        this.#log.warn('a frame cannot be read', { why: read.why, bytes: frame.length, passedOver })
      }
    }
  }

  /** What they ask us goes back with the header that it came with, turned round. */
  #answering(frame: Uint8Array, header: Uint8Array): Uint8Array {
    const { framing } = this.#dialect
    return header.length > 0
      ? framing.wrap(frame, framing.answerHeader(header))
      : framing.wrap(frame)
  }

  #answerKeepAlive(): void {
    const { keepAlive, keepAliveAnswered } = this.#dialect.framing
    if (keepAlive && keepAliveAnswered) this.#write(keepAlive)
  }

  #read(frame: Uint8Array): LinkRead<T> {
    try {
      return this.#dialect.read(frame)
    } catch (error) {
      if (error instanceof AssertionFailed) throw error
      return { tag: 'unreadable', why: errorText(error) }
    }
  }

  // Our own conversation

  #ask(
    purpose: Asking<T>['purpose'],
    make: (() => Conversation<T>) | undefined,
    answered: (accepted: boolean) => void,
  ): void {
    safely(this.#log, () => {
      const conversation = make?.()
      if (!conversation) return
      const { key } = conversation
      this.#asking = this.#asking.filter(other => other.purpose !== purpose)
      this.#asking.push({
        purpose,
        key,
        answered: content => {
          const accepted = conversation.accepts(content)
          if (!accepted) this.#lastError = `${purpose} refused`
          answered(accepted)
        },
      })
      this.#write(this.#dialect.framing.wrap(conversation.frame))
    })
  }

  #answersUs(key: string, content: T): boolean {
    const asking = this.#asking.find(other => other.key === key)
    if (!asking) return false
    this.#asking = this.#asking.filter(other => other !== asking)
    asking.answered(content)
    return true
  }
}

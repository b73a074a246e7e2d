import { assert, AssertionFailed, type Clock, errorText, type Random } from '#base'
import type { Log } from '#telemetry'
import type { Answer, Link, LinkRequest, LinkStateName, LinkStatus, NotSent } from '../link.ts'
import { type Matched, Matching, safely } from '../matching.ts'
import { Caller } from './caller.ts'
import { FailureRate } from './circuit.ts'
import type { Exchange, ExchangeEnd } from './exchange.ts'
import {
  type HttpLinkCommand,
  type HttpLinkEvent,
  type HttpLinkRules,
  type HttpLinkState,
  httpWakeAtMs,
  nextHttpLink,
  probesLeft,
  STOPPED,
} from './machine.ts'
import type {
  Grant,
  HttpDialect,
  HttpLinkOptions,
  HttpPlace,
  HttpRead,
  HttpSessionDialect,
} from './options.ts'
import { fetchToken, TokenKeeper } from './token.ts'

export type HttpLinkParts<T> = {
  readonly name: string
  readonly place: HttpPlace
  readonly dialect: HttpDialect<T>
  readonly options: HttpLinkOptions
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** A request on its way, from the moment that it was taken to the end of its exchange. */
type Going<T> = {
  readonly request: LinkRequest<T>
  readonly asked: T
  readonly probe: boolean
  token: string | undefined
  sealed: Uint8Array
  exchange: Exchange | undefined
  recalled: boolean
  /** It has been counted as well answered or failed. */
  counted: boolean
}

const NOTHING = new Uint8Array(0)
const TOO_MANY_REQUESTS = 429

/**
 * The driver of one link over HTTP: it feeds the machine (machine.ts) and obeys it, and brings
 * every request to its outcome. Nothing is ever sent a second time from here, and nothing waits in a queue.
 */
export class HttpLink<T> implements Link<T> {
  readonly name: string
  readonly #caller: Caller
  readonly #dialect: HttpDialect<T>
  readonly #options: HttpLinkOptions
  readonly #rules: HttpLinkRules
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Log
  readonly #matching: Matching<T>
  readonly #rate: FailureRate
  readonly #tokens: TokenKeeper | undefined
  readonly #listeners: ((state: LinkStateName) => void)[] = []
  readonly #going = new Set<Going<T>>()

  #state: HttpLinkState = STOPPED
  #sinceMs: number
  #callOffWake = (): void => {}
  #drainWaiters: (() => void)[] = []
  #lastError: string | undefined

  constructor({ name, place, dialect, options, clock, random, log }: HttpLinkParts<T>) {
    this.name = name
    this.#dialect = dialect
    this.#options = options
    this.#rules = { ...options, signsOn: dialect.session !== undefined }
    this.#clock = clock
    this.#random = random
    this.#log = log.child({ link: name })
    this.#caller = new Caller({ place, options, clock, log: this.#log })
    const onEmpty = (): void => this.#emptied()
    this.#matching = new Matching<T>(options, { clock, log: this.#log, onEmpty })
    this.#rate = new FailureRate(options.circuit)
    this.#tokens = dialect.session && this.#tokenKeeper(dialect.session)
    this.#sinceMs = clock.nowMs()
  }

  get state(): LinkStateName {
    return this.#state.tag
  }

  get ready(): boolean {
    return this.#state.tag === 'up' || probesLeft(this.#state, this.#rules) > 0
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
    const { key, asked } = request
    assert(asked !== undefined, 'an answer over HTTP is read beside its question')
    const why = this.#refuses(key)
    if (why !== undefined) return this.#matching.notSent(request, why)
    const going: Going<T> = {
      request,
      asked,
      probe: this.#state.tag === 'probing',
      token: undefined,
      sealed: NOTHING,
      exchange: undefined,
      recalled: false,
      counted: false,
    }
    this.#going.add(going)
    if (going.probe) this.#feed({ tag: 'probe-begun', nowMs: this.#clock.nowMs() })
    this.#matching.sent(request, () => this.#recall(going))
    // No outcome may come before this returns.
    queueMicrotask(() => void this.#send(going))
  }

  /**
   * An answer that came by another way: a callback. It is the answer when it comes first, a late
   * one afterwards, and told to nobody when its request is not remembered.
   */
  tell(key: string, answer: Answer<T>): Matched {
    return this.#matching.answer(key, answer)
  }

  /** A token that was not refused is kept: many are told at once that theirs is not taken. */
  signOnAgain(): Promise<boolean> {
    const { tag } = this.#state
    if (tag === 'stopped' || tag === 'draining') return Promise.resolve(false)
    if (!this.#tokens) return Promise.resolve(true)
    return this.#tokens.good ? Promise.resolve(true) : this.#tokens.renew()
  }

  drain(deadlineMs: number): Promise<void> {
    return new Promise(resolve => {
      this.#drainWaiters.push(resolve)
      const nowMs = this.#clock.nowMs()
      this.#feed({ tag: 'drain', nowMs, deadlineMs, inFlight: this.inFlight })
      this.#settleDrain()
    })
  }

  status(): LinkStatus {
    return {
      name: this.name,
      state: this.state,
      peer: this.#caller.host,
      sinceMs: this.#sinceMs,
      inFlight: this.inFlight,
      ...this.#matching.counts,
      reconnects: Math.max(0, this.#caller.connections - 1),
      lastError: this.#lastError,
    }
  }

  #refuses(key: string): NotSent | undefined {
    const { tag } = this.#state
    if (tag === 'draining' || tag === 'tripped') return tag
    if (tag === 'probing' && !this.ready) return 'tripped'
    if (tag !== 'up' && tag !== 'probing') return 'down'
    return this.#going.size >= this.#options.inFlightMax ? 'full' : this.#matching.refuses(key)
  }

  // One request

  async #send(going: Going<T>): Promise<void> {
    going.token = await this.#tokens?.take()
    if (going.recalled) return this.#ended(going)
    if (this.#tokens && going.token === undefined) return this.#unsealed(going, 'no token')
    try {
      going.sealed = this.#dialect.seal(going.request.frame, going.token)
    } catch (error) {
      if (error instanceof AssertionFailed) throw error
      return this.#unsealed(going, errorText(error))
    }
    const endsAtMs = going.request.deadlineMs + this.#options.lateWaitMs
    going.exchange = this.#caller.exchange({
      frame: going.sealed,
      endsAtMs,
      onEnd: end => this.#onEnd(going, end),
      onLeft: () => this.#matching.left(),
    })
    going.exchange?.start()
  }

  #unsealed(going: Going<T>, error: string): void {
    this.#log.error('a request cannot be sealed', { error })
    this.#lastError = error
    this.#ended(going)
    this.#matching.unsent(going.request, 'unsealed')
  }

  /** At its deadline: one that has not left by then never does. */
  #recall(going: Going<T>): boolean {
    const unsent = going.exchange ? going.exchange.recall() : (going.recalled = true)
    if (!unsent) this.#count(going, false)
    return unsent
  }

  #onEnd(going: Going<T>, end: ExchangeEnd): void {
    if (end.tag !== 'answered') this.#lastError = end.error
    switch (end.tag) {
      case 'answered':
        this.#count(going, end.status < 500 && end.status !== TOO_MANY_REQUESTS)
        this.#ended(going)
        return this.#answered(going, end.frame)
      case 'unsent':
        if (!end.ourFault) this.#count(going, false)
        this.#ended(going)
        return this.#matching.unsent(going.request, end.ourFault ? 'unsealed' : 'down')
      case 'lost':
        this.#count(going, false)
        this.#ended(going)
        return this.#matching.lost(going.request, end.why)
    }
  }

  #answered(going: Going<T>, frame: Uint8Array): void {
    const read = this.#read(going, frame)
    if (!read) return this.#matching.lost(going.request, 'broken')
    if (read.tokenRefused) this.#tokens?.refuse(going.token)
    const answer = { content: read.content, frame, atMs: this.#clock.nowMs() }
    this.#matching.answer(going.request.key, answer)
  }

  #read({ asked, sealed }: Going<T>, frame: Uint8Array): HttpRead<T> | undefined {
    try {
      return this.#dialect.read(frame, asked, sealed)
    } catch (error) {
      if (error instanceof AssertionFailed) throw error
      this.#log.error('an answer cannot be read', { error: errorText(error), bytes: frame.length })
      return undefined
    }
  }

  #ended(going: Going<T>): void {
    this.#going.delete(going)
    // A probe that never left has shown nothing; its place must not be held for ever.
    if (going.probe) this.#count(going, false)
  }

  #count(going: Going<T>, well: boolean): void {
    if (going.counted) return
    going.counted = true
    const nowMs = this.#clock.nowMs()
    if (going.probe) return this.#feed({ tag: 'probe-ended', well, nowMs })
    const failing = this.#rate.record(!well, nowMs)
    if (failing) this.#feed({ tag: 'failing', nowMs })
  }

  // The token

  #tokenKeeper(session: HttpSessionDialect): TokenKeeper {
    const fetch = (): Promise<Grant | undefined> =>
      fetchToken(
        session,
        this.#caller,
        this.#clock.nowMs() + this.#options.tokenTimeoutMs,
        error => {
          this.#lastError = `no token: ${error}`
          this.#log.warn('no token was given', { error })
        },
      )
    const told = (good: boolean): void =>
      this.#feed({ tag: good ? 'granted' : 'refused', nowMs: this.#clock.nowMs() })
    return new TokenKeeper(fetch, this.#clock, told)
  }

  // Driving the machine

  #feed(event: HttpLinkEvent): void {
    const before = this.#state
    const [state, ...commands] = nextHttpLink(before, event, this.#rules, this.#random)
    this.#state = state
    for (const command of commands) this.#perform(command)
    if (state !== before) this.#armWake()
    if (state.tag !== before.tag) this.#entered(state.tag, event.nowMs)
    // A place among the probes came free.
    else if (event.tag === 'probe-ended') this.#say(state.tag)
  }

  #perform(command: HttpLinkCommand): void {
    switch (command) {
      case 'open':
        return this.#caller.open()
      case 'fetch-token':
        void this.#tokens?.renew()
        return
      case 'close':
        return this.#close()
    }
  }

  #entered(tag: LinkStateName, nowMs: number): void {
    this.#sinceMs = nowMs
    if (tag === 'up' || tag === 'probing') this.#rate.clear()
    this.#log.info('link state', { state: tag, peer: this.#caller.host, error: this.#lastError })
    if (tag === 'stopped') this.#matching.broken()
    this.#say(tag)
    this.#settleDrain()
  }

  #say(tag: LinkStateName): void {
    for (const listener of this.#listeners) safely(this.#log, () => listener(tag))
  }

  #armWake(): void {
    this.#callOffWake()
    const atMs = httpWakeAtMs(this.#state)
    if (atMs === undefined) return
    const tick = (): void => this.#feed({ tag: 'tick', nowMs: this.#clock.nowMs() })
    this.#callOffWake = this.#clock.at(atMs, tick)
  }

  #emptied(): void {
    if (this.#state.tag === 'draining') this.#feed({ tag: 'emptied', nowMs: this.#clock.nowMs() })
  }

  #settleDrain(): void {
    if (this.#state.tag !== 'stopped') return
    for (const resolve of this.#drainWaiters.splice(0)) resolve()
  }

  #close(): void {
    for (const { exchange } of this.#going) exchange?.abandon('stopped')
    this.#caller.close()
  }
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { request as call } from 'undici'
import { between, type Clock, errorText, isNadiError, NadiError, type Random, toHex } from '#base'
import { readHttpRequest, readHttpResponse, writeHttpRequest } from '#http'
import type { Message } from '#message'
import type { HttpPack, SealContext } from '#pack'
import { type Log, NO_LOG } from '#telemetry'
import { Actor, type Performance } from './actor.ts'
import type { BillerStatus } from './biller.ts'
import type { Book } from './book.ts'
import { type Chaos, drawDelay, NO_CHAOS } from './chaos.ts'
import { Clerk, no } from './clerk.ts'
import type { Desk } from './desk.ts'
import { deskFor } from './desk-for.ts'
import { leave, send } from './http-answer.ts'
import { fitted } from './fitted.ts'
import { byOwnReference } from './own-reference.ts'
import { PLN_DESKS } from './pln.ts'
import { Recent } from './recent.ts'
import { References } from './references.ts'
import { type CallbackManner, type Manner, scenarioOf, TIMING, type Timing } from './scenarios.ts'
import { withOtherAmount, withOtherTrace } from './tamper.ts'

export type HttpBillerOptions = {
  /** With its credentials: those that the link has, as the other side knows them. */
  readonly pack: HttpPack
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly clock: Clock
  readonly random: Random
  readonly book: Book
  /** Where what became of a pending payment is told; nobody is told without it. */
  readonly callbackUrl?: string
  readonly log?: Log
  readonly timing?: Partial<Timing>
  readonly desks?: Readonly<Record<string, Desk>>
}

const BODY_BYTES_MAX = 256 * 1024
const CONNECTIONS_MAX = 1024
const QUOTES_MAX = 100_000
const TOKENS_MAX = 1000
const TOKEN_MS = 900_000
const CALLBACK_AFTER_MS = 500
const CALLBACK_TIMEOUT_MS = 5_000

/**
 * A counterpart that speaks a pack over HTTP. Like its brother on frames (biller.ts) it is honest in
 * its book, and as unreliable on the wire as its scenarios want:
 *
 *     POST ─ opens? ─ readRequest ─▶ actor, clerk ─▶ write ─ seal ─▶ leaves in some manner
 *                                        └─▶ later, where the dialect calls back: a callback
 */
export class HttpBiller {
  readonly book: Book
  /** Trouble for everyone, set at run time. */
  chaos: Chaos = NO_CHAOS
  readonly #options: HttpBillerOptions
  readonly #pack: HttpPack
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Log
  readonly #timing: Timing
  readonly #clerk: Clerk
  readonly #actor: Actor
  readonly #server: Server
  /** What was told at the inquiry: a payment often says no more than which one it pays. */
  readonly #quotes = new Recent<Message>(QUOTES_MAX)
  readonly #paying = new Recent<true>(QUOTES_MAX)
  readonly #tokens = new Recent<true>(TOKENS_MAX)
  readonly #callOffs = new Set<() => void>()
  #counts = { requests: 0, answers: 0, rejects: 0, badFrames: 0 }

  constructor(options: HttpBillerOptions) {
    const { pack, clock, random, book } = options
    this.#options = options
    this.#pack = pack
    this.#clock = clock
    this.#random = random
    this.#log = options.log ?? NO_LOG
    this.#timing = {
      deadlineMs: pack.conversation.responseTimeoutMs,
      ...TIMING,
      ...options.timing,
    }
    const references = new References(clock, random)
    this.#clerk = new Clerk({ clock, book, references, checkReferences: false })
    this.#actor = new Actor(pack, this.#clerk, random)
    this.book = book
    this.#server = createServer({ requestTimeout: 30_000 }, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        this.#log.error('a request could not be served', { error: errorText(error) })
        response.destroy()
      })
    })
    this.#server.maxConnections = CONNECTIONS_MAX
  }

  async listen(): Promise<{ address: string }> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', error => {
        const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
        reject(taken ? new NadiError('PORT_TAKEN', { actual: `${host}:${port}` }) : error)
      })
      this.#server.listen(port, host, resolve)
    })
    const { address, port: bound } = this.#server.address() as AddressInfo
    return { address: `${address}:${bound}` }
  }

  async close(): Promise<void> {
    for (const callOff of this.#callOffs) callOff()
    this.#server.closeAllConnections()
    await new Promise(resolve => {
      this.#server.close(resolve)
    })
    this.book.flush()
  }

  status(): BillerStatus {
    return { connections: 0, ...this.#counts }
  }

  // Requests

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request)
    if (!body) return send(response, { status: 413, headers: {}, body: Buffer.alloc(0) })
    this.#counts.requests++
    const frame = writeHttpRequest({
      method: request.method ?? '',
      target: request.url ?? '/',
      headers: headersOf(request),
      body,
    })
    const { session } = this.#pack
    const token = session && tokenOf(frame)
    const problem = this.#pack.opens(frame, this.#context(token))
    if (problem) {
      this.#counts.rejects++
      const error = new NadiError('HTTP_FRAME', { path: problem.path, expected: problem.tag })
      return this.#send(response, this.#pack.writeReject(error, 'security-invalid', frame))
    }
    if (session?.asks(frame)) return this.#giveToken(response)
    if (session && this.#tokens.get(token ?? '') === undefined) {
      this.#counts.rejects++
      const error = new NadiError('HTTP_FRAME', { path: 'token', expected: 'a token of ours' })
      return this.#send(response, this.#pack.writeReject(error, 'sign-on-required', frame))
    }
    const read = this.#pack.readRequest(frame)
    if (read.tag === 'reject') {
      this.#counts.rejects++
      const { error, reason } = read.reject
      this.#log.debug('request cannot be read', { code: error.code, path: error.path })
      return this.#send(response, this.#pack.writeReject(error, reason, frame))
    }
    this.#business(response, read.message)
    this.book.flush()
  }

  #giveToken(response: ServerResponse): void {
    const token = toHex(this.#random.bytes(24))
    this.#tokens.set(token, true)
    const answer = this.#pack.session?.writeAnswer(token, TOKEN_MS)
    if (answer) this.#send(response, answer)
  }

  #business(response: ServerResponse, asked: Message): void {
    const told = this.#remembering(asked)
    const { desks = PLN_DESKS } = this.#options
    const desk = byOwnReference(desks[told.product ?? ''] ?? deskFor(told))
    const message = this.#asMeant(told, desk)
    const scenario = scenarioOf(desk.numberOf(message))
    const chaos = this.chaos === NO_CHAOS ? undefined : this.chaos
    const performance = this.#actor.play(message, desk, scenario, chaos)
    const { act } = performance
    const answer = fitted(this.#pack, performance.answer, asked)
    if (message.kind === 'inquiry') this.#remember(answer)
    if (message.kind === 'payment') this.#rememberPayment(message)
    const said = tampered(answer, act.send)
    const frame = this.#frameOf(said, asked, performance)
    const go = () => leave(response, frame, act.send ?? 'answer', this.#leaving)
    const delayMs = chaos ? drawDelay(chaos, this.#random) : 0
    if (act.callback) this.#callBack(act.callback, message, desk, act.work !== false)
    if (delayMs > 0) this.#later(delayMs, go)
    else go()
    this.#counts.answers++
  }

  /** Where a status check is the payment sent again, the second one is a status check. */
  #asMeant(message: Message, desk: Desk): Message {
    if (message.kind !== 'payment') return message
    const key = desk.keyOf(message)
    const before = this.#paying.get(key)
    this.#paying.set(key, true)
    return before && this.#checksByPaying(message) ? { ...message, kind: 'status' } : message
  }

  #checksByPaying(message: Message): boolean {
    try {
      const asks = { ...message, kind: 'status', direction: 'request' } as const
      const read = this.#pack.readRequest(this.#pack.write(asks))
      return read.tag === 'message' && read.message.kind === 'payment'
    } catch (error) {
      if (!isNadiError(error)) throw error
      return false
    }
  }

  get #leaving() {
    return { clock: this.#clock, random: this.#random, timing: this.#timing }
  }

  /** The payment with what its inquiry was told, as a biller has it in its own files. */
  #remembering(message: Message): Message {
    if (message.kind === 'inquiry') return message
    const quote = keysOf(message)
      .map(key => this.#quotes.get(key))
      .find(found => found !== undefined)
    if (!quote) return message
    const { outcome: _, ...told } = quote
    return {
      ...told,
      ...message,
      // Some payments name their inquiry, and no product.
      ...(told.product !== undefined && { product: told.product }),
      customer: { ...told.customer, ...message.customer },
      reference: { ...told.reference, ...message.reference },
      ...(told.qr && { qr: { ...told.qr, ...message.qr } }),
      ...(told.bills && { billsPaid: message.billsPaid ?? told.bills.length }),
    }
  }

  #remember(answer: Message): void {
    if (answer.outcome?.meaning !== 'approved') return
    for (const key of keysOf(answer)) this.#quotes.set(key, answer)
  }

  /** Whatever asks about it later may name nothing but its reference. */
  #rememberPayment(message: Message): void {
    const own = message.reference?.own
    if (own === undefined || this.#quotes.get(`own ${own}`)) return
    this.#quotes.set(`own ${own}`, message)
  }

  #frameOf(answer: Message, asked: Message, { code }: Performance): Uint8Array {
    const frame = this.#pack.write(answer, asked)
    if (code === undefined) return this.#seal(frame)
    const { status, headers, body } = readHttpResponse(frame)
    // The code that the dialect would have said, wherever it stands in the text.
    const said = this.#pack.codeOf(answer.outcome?.reason ?? 'other-error')
    const word = new RegExp(`(?<![0-9A-Za-z])${escaped(said)}(?![0-9A-Za-z])`)
    const whole = Buffer.from(body).toString('utf8')
    // Where the code stands in pieces, nothing that can be read is said.
    const text = word.test(whole) ? whole.replace(word, code) : code
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    return this.#seal(Buffer.from(`HTTP/1.1 ${status}\r\n${head.join('')}\r\n${text}`, 'utf8'))
  }

  #send(response: ServerResponse, frame: Uint8Array): void {
    send(response, readHttpResponse(this.#seal(frame)))
  }

  #seal(frame: Uint8Array): Uint8Array {
    return this.#pack.seal(frame, this.#context(undefined))
  }

  #context(token: string | undefined): SealContext {
    const nonce = String(between(this.#random, 0, 2 ** 40)).padStart(13, '0')
    return { nowMs: this.#clock.nowMs(), nonce, ...(token !== undefined && { token }) }
  }

  // Callbacks

  #callBack(manner: CallbackManner, message: Message, desk: Desk, done: boolean): void {
    const { callback } = this.#pack
    const { callbackUrl } = this.#options
    if (!callback || callbackUrl === undefined) return
    const truth =
      done || manner === 'forged'
        ? this.#clerk.answer({ ...message, kind: 'payment' }, desk)
        : no(message, 'other-error')
    const frame = this.#seal(callback.write({ ...truth, kind: 'payment' }))
    const sealed = manner === 'forged' ? forged(frame) : frame
    const tell = () => void this.#tell(callbackUrl, sealed)
    if (manner === 'first') return tell()
    this.#later(CALLBACK_AFTER_MS, tell)
    if (manner === 'twice') this.#later(CALLBACK_AFTER_MS * 2, tell)
  }

  async #tell(url: string, frame: Uint8Array): Promise<void> {
    const { method, headers, body } = readHttpRequest(frame)
    try {
      const signal = AbortSignal.timeout(CALLBACK_TIMEOUT_MS)
      const answer = await call(url, { method: method as 'POST', headers, body, signal })
      await answer.body.dump()
      this.#log.debug('called back', { status: answer.statusCode })
    } catch (error) {
      this.#log.warn('nobody takes the callback', { error: errorText(error) })
    }
  }

  #later(afterMs: number, run: () => void): void {
    const callOff = this.#clock.at(this.#clock.nowMs() + afterMs, () => {
      this.#callOffs.delete(callOff)
      run()
    })
    this.#callOffs.add(callOff)
  }
}

/** What a later message may name an inquiry by. */
function keysOf({ reference, product, customer }: Message): string[] {
  const keys: string[] = []
  if (reference?.own !== undefined) keys.push(`own ${reference.own}`)
  if (reference?.switching !== undefined) keys.push(`switching ${reference.switching}`)
  if (reference?.biller !== undefined) keys.push(`biller ${reference.biller}`)
  const number = customer?.id ?? customer?.meter
  if (number !== undefined) keys.push(`customer ${product} ${number}`)
  return keys
}

function tampered(answer: Message, manner: Manner | undefined): Message {
  if (manner === 'other-amount') return withOtherAmount(answer)
  return manner === 'other-trace' ? withOtherTrace(answer) : answer
}

function tokenOf(frame: Uint8Array): string | undefined {
  const { authorization } = readHttpRequest(frame).headers
  return /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1]
}

/** One byte of the body is another: no signature over it holds. */
function forged(frame: Uint8Array): Uint8Array {
  const { method, target, headers, body } = readHttpRequest(frame)
  return writeHttpRequest({ method, target, headers, body: Buffer.concat([body, SPACE]) })
}

/** As it stands, for a pattern. */
function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

const SPACE = Buffer.from(' ')

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const told: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) told[name] = Array.isArray(value) ? value.join(', ') : value
  return told
}

/** Undefined when it is too long. */
function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let bytes = 0
  return new Promise((resolve, reject) => {
    request.on('data', (part: Buffer) => {
      bytes += part.length
      if (bytes <= BODY_BYTES_MAX) return void parts.push(part)
      parts.length = 0
      resolve(undefined)
    })
    request.on('end', () => resolve(parts.length === 1 ? parts[0] : Buffer.concat(parts)))
    request.on('error', reject)
  })
}

import { createHash } from 'node:crypto'
import type { Clock } from '#base'
import { readHttpRequest, writeHttpResponse } from '#http'
import { type Answer, Memory } from '#link'
import type { Message } from '#message'
import { Seldom } from '#net'
import type { HttpPack } from '#pack'
import type { Log } from '#telemetry'
import type { HttpDestination } from './http-destination.ts'
import type { Late } from './latecomers.ts'
import type { OwnNumbers } from './numbers.ts'

/**
 * What became of a callback:
 *
 *   answered    it came before the answer to the request itself, and is the answer
 *   late        it came afterwards; the payment's machine decides what it changes
 *   repeated    the very same was taken before
 *   unmatched   no payment waits for it: final, or none of ours
 *   forged …    its seal is not good (SealProblem)
 *   stranger    it came from an address that is none of theirs
 *   unreadable  it is no callback of this dialect
 *   unavailable we cannot look it up now; they may tell us again
 */
export const CALLBACK_FATES = [
  'answered',
  'late',
  'repeated',
  'unmatched',
  'missing',
  'forged',
  'stale',
  'unknown-sender',
  'stranger',
  'unreadable',
  'unavailable',
] as const

export type CallbackFate = (typeof CALLBACK_FATES)[number]

export type CallbackDeskParts = {
  readonly destination: HttpDestination
  /** With the link's credentials. */
  readonly pack: HttpPack
  readonly numbers: OwnNumbers
  readonly clock: Clock
  readonly log: Log
  /** For what the link does not remember (latecomers.ts). */
  readonly lookUp: (destination: HttpDestination, answer: Answer<Message>) => Promise<Late>
}

/** How long, and how many, callbacks are remembered that were taken. */
const REPEATS_MS = 3_600_000
const REPEATS_MAX = 20_000

/**
 * Takes the callbacks of one link: bytes in, an answer for the caller out. Nobody is believed whose
 * seal over the bytes as they came is not good, and what was taken once changes nothing again.
 */
export class CallbackDesk {
  readonly name: string
  readonly counts: Record<CallbackFate, number>
  readonly #parts: CallbackDeskParts
  readonly #log: Log
  readonly #refusedLog: Seldom
  readonly #taken = new Memory<true>(REPEATS_MS, REPEATS_MAX)

  constructor(parts: CallbackDeskParts) {
    this.name = parts.destination.name
    this.#parts = parts
    this.#log = parts.log.child({ link: this.name })
    this.#refusedLog = new Seldom(parts.clock)
    const none = CALLBACK_FATES.map(fate => [fate, 0])
    this.counts = Object.fromEntries(none) as Record<CallbackFate, number>
  }

  /** One HTTP request as a frame; resolves with the frame of its answer. */
  async take(frame: Uint8Array): Promise<Uint8Array> {
    const { fate, path } = await this.#fateOf(frame)
    this.counts[fate]++
    const taken = TAKEN.has(fate)
    if (!taken) this.#refused(fate, path, frame.length)
    if (fate === 'unavailable') return UNAVAILABLE
    return this.#parts.pack.callback?.writeAnswer(taken) ?? NO_CALLBACKS
  }

  turnedAway(): void {
    this.counts.stranger++
    this.#refused('stranger', undefined, 0)
  }

  async #fateOf(frame: Uint8Array): Promise<{ fate: CallbackFate; path?: string }> {
    const { pack, numbers, clock } = this.#parts
    const nowMs = clock.nowMs()
    const problem = pack.opens(frame, { nowMs, nonce: numbers.next().own })
    if (problem) return { fate: problem.tag, path: problem.path }
    const digest = digestOf(frame)
    if (this.#taken.recall(digest, nowMs)) return { fate: 'repeated' }
    const read = pack.callback?.read(frame)
    if (read?.tag !== 'message')
      return { fate: 'unreadable', path: read?.reject.error.path ?? 'callback' }
    const fate = await this.#match({ content: read.message, frame, atMs: nowMs, alone: true })
    if (TAKEN.has(fate)) this.#taken.remember(digest, true, nowMs)
    return { fate }
  }

  async #match(answer: Answer<Message>): Promise<CallbackFate> {
    const { destination, lookUp } = this.#parts
    const matched = destination.tell(answer)
    return matched === 'unmatched' ? lookUp(destination, answer) : matched
  }

  /** Without its content: it is somebody else's word, and may be anything. */
  #refused(fate: CallbackFate, path: string | undefined, bytes: number): void {
    const passedOver = this.#refusedLog.take()
    if (passedOver === undefined) return
    this.#log.warn('a callback was refused', { why: fate, path, bytes, passedOver })
  }
}

const TAKEN: ReadonlySet<CallbackFate> = new Set(['answered', 'late', 'repeated', 'unmatched'])

const EMPTY = new Uint8Array(0)
const UNAVAILABLE = writeHttpResponse({
  status: 503,
  headers: { 'retry-after': '10' },
  body: EMPTY,
})
const NO_CALLBACKS = writeHttpResponse({ status: 404, headers: {}, body: EMPTY })

/** By what was said and where: headers of the way (dates, proxies) differ from one time to the next. */
function digestOf(frame: Uint8Array): string {
  const { method, target, body } = readHttpRequest(frame)
  return createHash('sha256').update(`${method} ${target}\n`).update(body).digest('base64')
}

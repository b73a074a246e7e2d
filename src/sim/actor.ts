import type { Random } from '#base'
import { respond, type Message } from '#message'
import type { Pack } from '#pack'
import { drawAct, type Chaos } from './chaos.ts'
import { no, outcomeOf, type Clerk } from './clerk.ts'
import type { Desk } from './desk.ts'
import { Recent } from './recent.ts'
import { type Act, type Scenario } from './scenarios.ts'

/** All that playing asks of a dialect, be it over HTTP or not. */
type Codes = Pick<Pack, 'meaningOf'>

/** An answer and how it leaves; `code` stands in place of the one that the pack would write. */
export type Performance = {
  readonly answer: Message
  readonly act: Act
  readonly code: string | undefined
}

/**
 * Plays the scenarios: between the request and the honest clerk, it decides what is done and what
 * is said about it. How the answer then leaves is the session's.
 */
export class Actor {
  readonly #pack: Codes
  readonly #clerk: Clerk
  readonly #random: Random
  readonly #attempts = new Recent<number>(ATTEMPTS_MAX)

  constructor(pack: Codes, clerk: Clerk, random: Random) {
    this.#pack = pack
    this.#clerk = clerk
    this.#random = random
  }

  play(
    message: Message,
    desk: Desk,
    scenario: Scenario | undefined,
    chaos: Chaos | undefined,
  ): Performance {
    const acted = scenario ? this.#actOf(scenario, message, desk) : HONEST
    const drawn =
      chaos &&
      drawAct(chaos, this.#random, code => this.#pack.meaningOf(message.kind, code).meaning)
    const act = drawn ?? acted
    const { say } = act
    const code = typeof say === 'object' ? say.code : undefined
    const answer =
      act.work === false ? undefined : this.#clerk.answer(message, desk, scenario?.setting)
    // An honest no is said whatever the scenario would say: it is about payments that were done.
    if (answer && (answer.outcome?.meaning !== 'approved' || say === undefined)) {
      return { answer, act, code: undefined }
    }
    if (code !== undefined) return { answer: this.#coded(message, code), act, code }
    const reason = typeof say === 'string' ? say : 'other-error'
    return { answer: respond(message, outcomeOf(reason)), act, code: undefined }
  }

  /** Which of a scenario's acts is on: a request that is sent again moves to the next. */
  #actOf(scenario: Scenario, message: Message, desk: Desk): Act {
    const acts = scenario.behaviour[message.kind]
    if (!acts) return HONEST
    if (!isList(acts)) return acts
    const key = `${message.kind}|${desk.keyOf(message)}|${desk.numberOf(message)}`
    const attempt = this.#attempts.get(key) ?? 0
    this.#attempts.set(key, attempt + 1)
    return acts[Math.min(attempt, acts.length - 1)] ?? HONEST
  }

  /** An answer whose code is put in later; its shape is that of a failure, as the dialect has it. */
  #coded(message: Message, code: string): Message {
    const { reason } = this.#pack.meaningOf(message.kind, code)
    return no(message, reason === 'approved' ? 'other-error' : reason)
  }
}

const ATTEMPTS_MAX = 100_000
const HONEST: Act = {}

function isList(acts: Act | readonly Act[]): acts is readonly Act[] {
  return Array.isArray(acts)
}

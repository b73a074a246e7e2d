import { HTTP_SUFFIX, type Act, type Scenario, SCENARIOS } from '#sim'
import { type HttpPack, type Pack, RECOVERY_KINDS } from '#pack'
import type { Subject } from './subjects.ts'

/** One thing that a counterpart may do to us, for one product. */
export type Case = {
  readonly name: string
  readonly text: string
  readonly subject: Subject
  readonly number: string
  /** The counterpart never says what became of the payment: only a person can find out. */
  readonly neverTold: boolean
  /** It is about what becomes of a payment, so there must be one. */
  readonly pays: boolean
  /** The answer to the payment does not say what became of it, and no other will come. */
  readonly silent: boolean
  /** All is well in it, so it must be paid in the end. */
  readonly paid: boolean
  /** It is refused for good although it was done: only the books, compared, can show that. */
  readonly lies: boolean
}

/** Of frames only: signed off sessions, packets and lengths have no meaning over HTTP. */
const OF_FRAMES = new Set([916, 917, 935, 936, 941, 944])
/** Need a code that asks for a sign-on. */
const OF_SIGN_ON = new Set([916, 917, 944])
/** Of electricity: tokens that were not delivered. */
const OF_TOKENS = new Set([919, 920, 921, 922, 923, 924])
/** Need a bill that is asked for first. */
const OF_BILLS = new Set([901])

/** Every scenario that has a meaning for this product, all well first. */
export function casesFor(subject: Subject, pack: Pack | HttpPack): Case[] {
  const http = 'transport' in pack
  const signsOn = asksForSignOn(pack)
  const about = SCENARIOS.filter(
    scenario => isAbout(scenario, subject, http) && (signsOn || !OF_SIGN_ON.has(scenario.suffix)),
  )
  return about.map(scenario => ({
    name: scenario.name,
    text: scenario.text,
    subject,
    number: subject.numberFor(scenario.suffix),
    neverTold: neverTold(scenario, subject),
    pays: subject.unasked || comesToPayment(scenario),
    paid: isWell(scenario),
    silent: isSilent(scenario),
    lies: isLie(scenario, pack),
  }))
}

/** What needs no help of the other side: asked for, paid, and known. */
export function plainCase(subject: Subject, number: string): Case {
  const text = 'a bill is told and paid by our switch'
  return {
    name: 'conversation',
    text,
    subject,
    number,
    neverTold: false,
    pays: true,
    paid: true,
    silent: false,
    lies: false,
  }
}

function isAbout(
  { suffix, behaviour }: Scenario,
  { unasked, product, recovery }: Subject,
  http: boolean,
): boolean {
  if (http ? OF_FRAMES.has(suffix) : suffix >= HTTP_SUFFIX) return false
  if (OF_TOKENS.has(suffix) && product !== 'pln-prepaid') return false
  if (OF_BILLS.has(suffix) && unasked) return false
  if (unasked && behaviour.inquiry && !behaviour.payment) return false
  // Reversals are played only to who reverses, advices to who advises.
  const kind = RECOVERY_KINDS[recovery.policy]
  const asks = (['reversal', 'advice', 'status'] as const).filter(one => behaviour[one])
  return asks.length === 0 || asks.includes(kind)
}

function asksForSignOn(pack: Pack | HttpPack): boolean {
  return pack.meaningOf('payment', pack.codeOf('sign-on-required')).meaning === 'sign-on'
}

/** A definite no, said of a payment that was made: nothing in the conversation can show it. */
function isLie({ behaviour: { payment } }: Scenario, pack: Pack | HttpPack): boolean {
  if (!payment || isList(payment) || payment.work === false || payment.say === undefined)
    return false
  const { say } = payment
  const room = 'transport' in pack ? undefined : pack.codeOf('approved').length
  const code = typeof say === 'object' ? say.code.slice(0, room) : pack.codeOf(say)
  return pack.meaningOf('payment', code).meaning === 'declined'
}

function isSilent({ behaviour: { payment } }: Scenario): boolean {
  if (!payment || isList(payment) || payment.callback) return false
  return payment.say === 'timeout' || SILENT_SENT.includes(payment.send ?? '')
}

const SILENT_SENT: readonly string[] = ['silence', 'cut', 'deaf', 'server-error', 'empty', 'html']

/** Nothing in it stands against a payment that is answered at once. */
function isWell({ behaviour: { inquiry, payment } }: Scenario): boolean {
  const act = isList(payment) ? payment.at(-1) : payment
  const { work = true, say, send = 'answer' } = act ?? {}
  return inquiry === undefined && work && say === undefined && WELL_SENT.includes(send)
}

const WELL_SENT: readonly string[] = ['answer', 'twice']

/** The inquiry is answered in the end, if not at once. */
function comesToPayment({ behaviour: { inquiry } }: Scenario): boolean {
  if (!inquiry || isList(inquiry)) return true
  const { work = true, say, send } = inquiry
  return work && say === undefined && send !== 'garbled'
}

/** The last act of what we ask about a payment says nothing, or nothing that is known. */
function neverTold({ behaviour }: Scenario, { recovery }: Subject): boolean {
  const acts = behaviour[RECOVERY_KINDS[recovery.policy]]
  const last: Act | undefined = isList(acts) ? acts.at(-1) : acts
  if (!last) return false
  const { send, say } = last
  return send === 'silence' || say === 'timeout' || say === 'other-error'
}

function isList(acts: Act | readonly Act[] | undefined): acts is readonly Act[] {
  return Array.isArray(acts)
}

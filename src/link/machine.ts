import type { Random } from '#base'
import type { LinkOptions } from './link.ts'

/**
 * A link's life. No socket and no timer in here: the driver feeds events, obeys the commands and
 * comes back with a tick at `wakeAtMs`.
 *
 *               start            due             connected              accepted
 *     stopped ────────▶ down ──────────▶ dialing ──────────▶ signing-on ─────────▶ up
 *        ▲               ▲ ▲                │                    │                 │ │
 *        │               │ └── deadline, ───┴── closed, refused ─┘                 │ │
 *        │               └──────────── closed, echo or sign-on unanswered ─────────┘ │
 *        │                                                                           │ drain
 *        └──── closed, deadline, signed off ──── draining ◀──────────────────────────┘
 *
 *     within up:   quiet ──nothing heard for echoIdleMs──▶ echo outstanding ──heard──▶ quiet
 *                  and beside it, when asked for: signing on again ──accepted──▶ (none)
 *
 * `draining` first waits for what is in flight, then for the answer to the sign-off. From every
 * other state a drain leads to stopped at once: nothing is owed there.
 */
export type LinkState =
  | { readonly tag: 'stopped' }
  | { readonly tag: 'down'; readonly failures: number; readonly retryAtMs: number }
  | { readonly tag: 'dialing'; readonly failures: number; readonly deadlineMs: number }
  | { readonly tag: 'signing-on'; readonly failures: number; readonly deadlineMs: number }
  | {
      readonly tag: 'up'
      readonly failures: number
      readonly sinceMs: number
      readonly echo: { readonly sentAtMs: number } | undefined
      readonly signOnDeadlineMs: number | undefined
    }
  | { readonly tag: 'draining'; readonly deadlineMs: number; readonly signingOff: boolean }

export type LinkEvent = { readonly nowMs: number } & (
  | { readonly tag: 'start' }
  /** Time has passed; `heardAtMs` is when the last byte came from the peer. */
  | { readonly tag: 'tick'; readonly heardAtMs: number }
  | { readonly tag: 'connected' }
  /** The peer's yes and no to a sign-on. */
  | { readonly tag: 'accepted' }
  | { readonly tag: 'refused' }
  /** The echo was answered; a no says that the peer does not know us any more. */
  | { readonly tag: 'echoed'; readonly accepted: boolean }
  | { readonly tag: 'sign-on-again' }
  /** The connection is gone, whoever ended it. */
  | { readonly tag: 'closed' }
  | { readonly tag: 'drain'; readonly deadlineMs: number; readonly inFlight: number }
  /** The last request in flight has ended. */
  | { readonly tag: 'emptied' }
  | { readonly tag: 'signed-off' }
)

export type LinkCommand = 'dial' | 'sign-on' | 'sign-off' | 'echo' | 'hang-up'

export type LinkStep = readonly [state: LinkState, ...commands: LinkCommand[]]

/** The link's options, and which conversations its dialect has. */
export type LinkRules = LinkOptions & {
  readonly signsOn: boolean
  readonly signsOff: boolean
  readonly echoes: boolean
}

export const STOPPED: LinkState = { tag: 'stopped' }

export function nextLink(
  state: LinkState,
  event: LinkEvent,
  rules: LinkRules,
  random: Random,
): LinkStep {
  if (event.tag === 'drain') return drained(state, event, rules)
  switch (state.tag) {
    case 'stopped':
      return event.tag === 'start' ? dial(event.nowMs, 0, rules) : [state]
    case 'down':
      return fromDown(state, event, rules)
    case 'dialing':
      return fromDialing(state, event, rules, random)
    case 'signing-on':
      return fromSigningOn(state, event, rules, random)
    case 'up':
      return fromUp(state, event, rules, random)
    case 'draining':
      return fromDraining(state, event, rules)
  }
}

/** When the machine wants its next tick; undefined when only an event can move it. */
export function wakeAtMs(
  state: LinkState,
  heardAtMs: number,
  rules: LinkRules,
): number | undefined {
  switch (state.tag) {
    case 'stopped':
      return undefined
    case 'down':
      return state.retryAtMs
    case 'dialing':
    case 'signing-on':
    case 'draining':
      return state.deadlineMs
    case 'up': {
      const echoMs = nextEchoMs(state, heardAtMs, rules)
      const signOnMs = state.signOnDeadlineMs
      if (echoMs === undefined || signOnMs === undefined) return echoMs ?? signOnMs
      return Math.min(echoMs, signOnMs)
    }
  }
}

type Of<Tag extends LinkState['tag']> = LinkState & { readonly tag: Tag }

function fromDown(state: Of<'down'>, event: LinkEvent, rules: LinkRules): LinkStep {
  if (event.tag !== 'tick' || event.nowMs < state.retryAtMs) return [state]
  return dial(event.nowMs, state.failures, rules)
}

function fromDialing(
  state: Of<'dialing'>,
  event: LinkEvent,
  rules: LinkRules,
  random: Random,
): LinkStep {
  const { nowMs } = event
  switch (event.tag) {
    case 'connected': {
      if (!rules.signsOn) return [up(nowMs, state.failures)]
      const deadlineMs = nowMs + rules.signOnTimeoutMs
      return [{ tag: 'signing-on', failures: state.failures, deadlineMs }, 'sign-on']
    }
    case 'closed':
      return [down(nowMs, state.failures, rules, random)]
    case 'tick':
      if (nowMs < state.deadlineMs) return [state]
      return [down(nowMs, state.failures, rules, random), 'hang-up']
    default:
      return [state]
  }
}

function fromSigningOn(
  state: Of<'signing-on'>,
  event: LinkEvent,
  rules: LinkRules,
  random: Random,
): LinkStep {
  const { nowMs } = event
  switch (event.tag) {
    case 'accepted':
      return [up(nowMs, state.failures)]
    case 'closed':
      return [down(nowMs, state.failures, rules, random)]
    case 'refused':
      return [down(nowMs, state.failures, rules, random), 'hang-up']
    case 'tick':
      if (nowMs < state.deadlineMs) return [state]
      return [down(nowMs, state.failures, rules, random), 'hang-up']
    default:
      return [state]
  }
}

function fromUp(state: Of<'up'>, event: LinkEvent, rules: LinkRules, random: Random): LinkStep {
  const { nowMs } = event
  switch (event.tag) {
    case 'tick':
      return tickUp(state, event, rules, random)
    case 'echoed': {
      const quiet = { ...state, echo: undefined }
      return event.accepted ? [quiet] : signOnAgain(quiet, nowMs, rules)
    }
    case 'sign-on-again':
      return signOnAgain(state, nowMs, rules)
    case 'accepted':
      return [{ ...state, signOnDeadlineMs: undefined }]
    case 'refused':
      return [afterUp(state, nowMs, rules, random), 'hang-up']
    case 'closed':
      return [afterUp(state, nowMs, rules, random)]
    default:
      return [state]
  }
}

function signOnAgain(state: Of<'up'>, nowMs: number, rules: LinkRules): LinkStep {
  if (!rules.signsOn || state.signOnDeadlineMs !== undefined) return [state]
  return [{ ...state, signOnDeadlineMs: nowMs + rules.signOnTimeoutMs }, 'sign-on']
}

function tickUp(
  state: Of<'up'>,
  { nowMs, heardAtMs }: LinkEvent & { readonly tag: 'tick' },
  rules: LinkRules,
  random: Random,
): LinkStep {
  if (state.signOnDeadlineMs !== undefined && nowMs >= state.signOnDeadlineMs) {
    return [afterUp(state, nowMs, rules, random), 'hang-up']
  }
  const { echo } = state
  const dueMs = nextEchoMs(state, heardAtMs, rules)
  if (dueMs === undefined || nowMs < dueMs) return [state]
  if (!echo) return [{ ...state, echo: { sentAtMs: nowMs } }, 'echo']
  // Whatever was heard since then proves that someone is there, were it not the echo's answer.
  if (heardAtMs > echo.sentAtMs) return [{ ...state, echo: undefined }]
  return [afterUp(state, nowMs, rules, random), 'hang-up']
}

function nextEchoMs(state: Of<'up'>, heardAtMs: number, rules: LinkRules): number | undefined {
  if (!rules.echoes || rules.echoIdleMs === 0) return undefined
  if (state.echo) return state.echo.sentAtMs + rules.echoTimeoutMs
  return Math.max(heardAtMs, state.sinceMs) + rules.echoIdleMs
}

function fromDraining(state: Of<'draining'>, event: LinkEvent, rules: LinkRules): LinkStep {
  switch (event.tag) {
    case 'emptied':
      return state.signingOff ? [state] : signOff(event.nowMs, state.deadlineMs, rules)
    case 'signed-off':
      return [STOPPED, 'hang-up']
    case 'closed':
      return [STOPPED]
    case 'tick':
      return event.nowMs < state.deadlineMs ? [state] : [STOPPED, 'hang-up']
    default:
      return [state]
  }
}

function drained(
  state: LinkState,
  event: LinkEvent & { readonly tag: 'drain' },
  rules: LinkRules,
): LinkStep {
  const { nowMs, deadlineMs } = event
  switch (state.tag) {
    case 'stopped':
    case 'draining':
      return [state]
    case 'down':
      return [STOPPED]
    case 'dialing':
    case 'signing-on':
      return [STOPPED, 'hang-up']
    case 'up':
      if (event.inFlight === 0) return signOff(nowMs, deadlineMs, rules)
      return [{ tag: 'draining', deadlineMs, signingOff: false }]
  }
}

function signOff(nowMs: number, deadlineMs: number, rules: LinkRules): LinkStep {
  if (!rules.signsOff) return [STOPPED, 'hang-up']
  const byMs = Math.min(deadlineMs, nowMs + rules.signOnTimeoutMs)
  return [{ tag: 'draining', deadlineMs: byMs, signingOff: true }, 'sign-off']
}

function dial(nowMs: number, failures: number, rules: LinkRules): LinkStep {
  return [{ tag: 'dialing', failures, deadlineMs: nowMs + rules.dialTimeoutMs }, 'dial']
}

function up(nowMs: number, failures: number): LinkState {
  return { tag: 'up', failures, sinceMs: nowMs, echo: undefined, signOnDeadlineMs: undefined }
}

/** A link that held for a while starts its backoff anew; one that only flickered does not. */
function afterUp(state: Of<'up'>, nowMs: number, rules: LinkRules, random: Random): LinkState {
  const held = nowMs - state.sinceMs >= rules.reconnectMaxMs
  return down(nowMs, held ? 0 : state.failures, rules, random)
}

/** Full jitter: anywhere up to a bound that doubles, so that many links do not dial in step. */
function down(nowMs: number, failures: number, rules: LinkRules, random: Random): LinkState {
  const boundMs = Math.min(rules.reconnectMaxMs, rules.reconnectMinMs * 2 ** failures)
  const retryAtMs = nowMs + Math.ceil(random.next() * boundMs)
  return { tag: 'down', failures: failures + 1, retryAtMs }
}

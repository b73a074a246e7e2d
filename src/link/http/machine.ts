import type { Random } from '#base'
import type { HttpLinkOptions } from './options.ts'

/**
 * The life of a link over HTTP. Connections come and go under it unseen; what matters is whether
 * requests may leave. No socket and no timer in here, as in ../machine.ts.
 *
 *                    start, no token needed
 *     stopped ───────────────────────────────────────▶ up ◀───────────────────────────┐
 *      ▲    │ start            granted                 ▲│ │                           │
 *      │    └────────▶ signing-on ─────────────────────┘│ │ failing                   │ enough probes
 *      │                 │      ▲       no token left,  │ ▼                           │ answered well
 *      │        refused, │      │ due   and none to be  │ tripped ──cooled down──▶ probing
 *      │        deadline ▼      │       had             │   ▲                         │ │
 *      │                down ───┘ ◀─────────────────────┴───┼─────────────────────────┼─┘
 *      │                                                    └──── a probe failed ─────┘
 *      └── emptied, deadline ── draining ◀── drain (stopped at once when nothing is in flight)
 *
 * While a token is fetched anew the link stays up, and requests wait for it, at most as long as
 * their deadline: that their number is bounded keeps it from being a queue.
 */
export type HttpLinkState =
  | { readonly tag: 'stopped' }
  | { readonly tag: 'signing-on'; readonly failures: number }
  | { readonly tag: 'down'; readonly failures: number; readonly retryAtMs: number }
  | { readonly tag: 'up' }
  | { readonly tag: 'tripped'; readonly untilMs: number }
  | { readonly tag: 'probing'; readonly going: number; readonly passed: number }
  | { readonly tag: 'draining'; readonly deadlineMs: number }

export type HttpLinkEvent = { readonly nowMs: number } & (
  | { readonly tag: 'start' }
  | { readonly tag: 'tick' }
  /** A token is there, or none is to be had and none is left. */
  | { readonly tag: 'granted' }
  | { readonly tag: 'refused' }
  /** Too many requests of late have failed. */
  | { readonly tag: 'failing' }
  | { readonly tag: 'probe-begun' }
  | { readonly tag: 'probe-ended'; readonly well: boolean }
  | { readonly tag: 'drain'; readonly deadlineMs: number; readonly inFlight: number }
  | { readonly tag: 'emptied' }
)

export type HttpLinkCommand = 'open' | 'fetch-token' | 'close'

export type HttpLinkStep = readonly [state: HttpLinkState, ...commands: HttpLinkCommand[]]

export type HttpLinkRules = Pick<
  HttpLinkOptions,
  'reconnectMinMs' | 'reconnectMaxMs' | 'circuit'
> & {
  readonly signsOn: boolean
}

export const STOPPED: HttpLinkState = { tag: 'stopped' }
const UP: HttpLinkState = { tag: 'up' }

export function nextHttpLink(
  state: HttpLinkState,
  event: HttpLinkEvent,
  rules: HttpLinkRules,
  random: Random,
): HttpLinkStep {
  if (event.tag === 'drain') return drained(state, event)
  switch (state.tag) {
    case 'stopped':
      if (event.tag !== 'start') return [state]
      return rules.signsOn
        ? [{ tag: 'signing-on', failures: 0 }, 'open', 'fetch-token']
        : [UP, 'open']
    case 'signing-on':
      if (event.tag === 'granted') return [UP]
      return event.tag === 'refused' ? [down(event.nowMs, state.failures, rules, random)] : [state]
    case 'down':
      if (event.tag === 'granted') return [UP]
      if (event.tag !== 'tick' || event.nowMs < state.retryAtMs) return [state]
      return [{ tag: 'signing-on', failures: state.failures }, 'fetch-token']
    case 'up':
      if (event.tag === 'failing') return [tripped(event.nowMs, rules, random)]
      return event.tag === 'refused' ? [down(event.nowMs, 0, rules, random)] : [state]
    case 'tripped':
      if (event.tag !== 'tick' || event.nowMs < state.untilMs) return [state]
      return [{ tag: 'probing', going: 0, passed: 0 }]
    case 'probing':
      return fromProbing(state, event, rules, random)
    case 'draining':
      if (event.tag === 'emptied') return [STOPPED, 'close']
      return event.tag === 'tick' && event.nowMs >= state.deadlineMs ? [STOPPED, 'close'] : [state]
  }
}

/** When the machine wants its next tick; undefined when only an event can move it. */
export function httpWakeAtMs(state: HttpLinkState): number | undefined {
  switch (state.tag) {
    case 'down':
      return state.retryAtMs
    case 'tripped':
      return state.untilMs
    case 'draining':
      return state.deadlineMs
    case 'stopped':
    case 'signing-on':
    case 'up':
    case 'probing':
      return undefined
  }
}

/** Probes that have not begun: those that may still leave. */
export function probesLeft(state: HttpLinkState, { circuit }: HttpLinkRules): number {
  return state.tag === 'probing' ? circuit.probes - state.going - state.passed : 0
}

type Of<Tag extends HttpLinkState['tag']> = HttpLinkState & { readonly tag: Tag }

function fromProbing(
  state: Of<'probing'>,
  event: HttpLinkEvent,
  rules: HttpLinkRules,
  random: Random,
): HttpLinkStep {
  const { nowMs } = event
  switch (event.tag) {
    case 'probe-begun':
      return [{ ...state, going: state.going + 1 }]
    case 'probe-ended': {
      if (!event.well) return [tripped(nowMs, rules, random)]
      const passed = state.passed + 1
      if (passed >= rules.circuit.probes) return [UP]
      return [{ ...state, going: state.going - 1, passed }]
    }
    case 'refused':
      return [down(nowMs, 0, rules, random)]
    default:
      return [state]
  }
}

function drained(state: HttpLinkState, event: HttpLinkEvent & { tag: 'drain' }): HttpLinkStep {
  switch (state.tag) {
    case 'stopped':
    case 'draining':
      return [state]
    case 'down':
    case 'signing-on':
    case 'tripped':
    case 'up':
    case 'probing':
      if (event.inFlight === 0) return [STOPPED, 'close']
      return [{ tag: 'draining', deadlineMs: event.deadlineMs }]
  }
}

function tripped(nowMs: number, { circuit }: HttpLinkRules, random: Random): HttpLinkState {
  const { coolDownMs } = circuit
  return { tag: 'tripped', untilMs: nowMs + Math.ceil(coolDownMs * (1 + random.next() / 2)) }
}

/** Full jitter, as for links that dial. */
function down(
  nowMs: number,
  failures: number,
  { reconnectMinMs, reconnectMaxMs }: HttpLinkRules,
  random: Random,
): HttpLinkState {
  const boundMs = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** failures)
  const retryAtMs = nowMs + Math.ceil(random.next() * boundMs)
  return { tag: 'down', failures: failures + 1, retryAtMs }
}

import type { Random } from '#base'

/**
 * The life of one connection to a box. No socket and no timer in here: the driver feeds events,
 * obeys the commands and comes back with a tick at `wakeAtMs`.
 *
 *              start            due              connected
 *     stopped ───────▶ down ─────────▶ dialing ───────────▶ up ⟲ idle: probe ─ heard ─▶ quiet
 *        ▲              ▲                 │                  │
 *        │              └── closed, late ─┴── closed, late ──┘ probe unanswered
 *        └── stop, from anywhere
 */
export type PortState =
  | { readonly tag: 'stopped' }
  | { readonly tag: 'down'; readonly failures: number; readonly retryAtMs: number }
  | { readonly tag: 'dialing'; readonly failures: number; readonly deadlineMs: number }
  | {
      readonly tag: 'up'
      readonly failures: number
      readonly sinceMs: number
      /** When the health check left that nothing was heard since. */
      readonly probedAtMs: number | undefined
    }

export type PortEvent = { readonly nowMs: number } & (
  | { readonly tag: 'start' }
  | { readonly tag: 'stop' }
  | { readonly tag: 'connected' }
  | { readonly tag: 'closed' }
  /** Time has passed; `heardAtMs` is when the box last said anything. */
  | { readonly tag: 'tick'; readonly heardAtMs: number }
  /** A request was not answered in time, so it is asked whether anyone is there. */
  | { readonly tag: 'unanswered' }
)

export type PortCommand = 'dial' | 'probe' | 'hang-up'

export type PortRules = {
  readonly dialTimeoutMs: number
  readonly reconnectMinMs: number
  readonly reconnectMaxMs: number
  /** Nothing heard for this long: a health check. 0 never. */
  readonly idleMs: number
  /** The health check must be answered after this long. */
  readonly probeTimeoutMs: number
}

export type PortStep = readonly [state: PortState, command?: PortCommand]

export const STOPPED: PortState = { tag: 'stopped' }

export function nextPort(
  state: PortState,
  event: PortEvent,
  rules: PortRules,
  random: Random,
): PortStep {
  if (event.tag === 'stop') return state.tag === 'stopped' ? [state] : [STOPPED, 'hang-up']
  switch (state.tag) {
    case 'stopped':
      return event.tag === 'start' ? dial(event.nowMs, 0, rules) : [state]
    case 'down':
      if (event.tag !== 'tick' || event.nowMs < state.retryAtMs) return [state]
      return dial(event.nowMs, state.failures, rules)
    case 'dialing':
      return fromDialing(state, event, rules, random)
    case 'up':
      return fromUp(state, event, rules, random)
  }
}

/** When the machine wants its next tick; undefined when only an event can move it. */
export function wakeAtMs(
  state: PortState,
  heardAtMs: number,
  rules: PortRules,
): number | undefined {
  switch (state.tag) {
    case 'stopped':
      return undefined
    case 'down':
      return state.retryAtMs
    case 'dialing':
      return state.deadlineMs
    case 'up':
      if (state.probedAtMs !== undefined) return state.probedAtMs + rules.probeTimeoutMs
      return rules.idleMs === 0 ? undefined : Math.max(heardAtMs, state.sinceMs) + rules.idleMs
  }
}

type Of<Tag extends PortState['tag']> = PortState & { readonly tag: Tag }

function fromDialing(
  state: Of<'dialing'>,
  event: PortEvent,
  rules: PortRules,
  random: Random,
): PortStep {
  const { nowMs, tag } = event
  if (tag === 'connected') {
    return [{ tag: 'up', failures: state.failures, sinceMs: nowMs, probedAtMs: undefined }]
  }
  if (tag === 'closed') return [down(nowMs, state.failures, rules, random)]
  if (tag !== 'tick' || nowMs < state.deadlineMs) return [state]
  return [down(nowMs, state.failures, rules, random), 'hang-up']
}

function fromUp(state: Of<'up'>, event: PortEvent, rules: PortRules, random: Random): PortStep {
  const { nowMs, tag } = event
  switch (tag) {
    case 'closed':
      return [afterUp(state, nowMs, rules, random)]
    case 'unanswered':
      return state.probedAtMs === undefined ? probe(state, nowMs) : [state]
    case 'tick':
      return tickUp(state, nowMs, event.heardAtMs, rules, random)
    default:
      return [state]
  }
}

function tickUp(
  state: Of<'up'>,
  nowMs: number,
  heardAtMs: number,
  rules: PortRules,
  random: Random,
): PortStep {
  const { probedAtMs } = state
  // Whatever was heard since then proves that someone is there.
  if (probedAtMs !== undefined && heardAtMs >= probedAtMs) {
    return tickUp({ ...state, probedAtMs: undefined }, nowMs, heardAtMs, rules, random)
  }
  const dueMs = wakeAtMs(state, heardAtMs, rules)
  if (dueMs === undefined || nowMs < dueMs) return [state]
  if (probedAtMs === undefined) return probe(state, nowMs)
  return [afterUp(state, nowMs, rules, random), 'hang-up']
}

function probe(state: Of<'up'>, nowMs: number): PortStep {
  return [{ ...state, probedAtMs: nowMs }, 'probe']
}

function dial(nowMs: number, failures: number, rules: PortRules): PortStep {
  return [{ tag: 'dialing', failures, deadlineMs: nowMs + rules.dialTimeoutMs }, 'dial']
}

/** A connection that held for a while starts its backoff anew; one that only flickered does not. */
function afterUp(state: Of<'up'>, nowMs: number, rules: PortRules, random: Random): PortState {
  const held = nowMs - state.sinceMs >= rules.reconnectMaxMs
  return down(nowMs, held ? 0 : state.failures, rules, random)
}

/** Full jitter below a bound that doubles, so that many connections do not dial in step. */
function down(nowMs: number, failures: number, rules: PortRules, random: Random): PortState {
  const boundMs = Math.min(rules.reconnectMaxMs, rules.reconnectMinMs * 2 ** failures)
  const retryAtMs = nowMs + Math.ceil(random.next() * boundMs)
  return { tag: 'down', failures: failures + 1, retryAtMs }
}

import type { Reason } from '#message'
import { type Policy, SIGN_ONS_MAX } from './policy.ts'
import type { Action, Finding, Step, TxnEvent, TxnState } from './state.ts'

/**
 * The machine. Pure: no clock, no I/O, no money; it says what is so and what to do next.
 *
 *                        ┌──────────────── not-sent (next route) ──┐
 *                        ▼                                         │
 *   received ─admitted▶ sending ─approved─────────────────────────────────▶ paid
 *      │                 │  │                                        ▲      │ ▲
 *      │ refused         │  └─declined, not-sent (no route left)─┐   │      │ │
 *      │                 │                                       │   │      │ │ stands
 *      │   deadline, broken, unclear, restarted                  │   │      │ │
 *      │                 ▼                                       │   │      ▼ │ undo-asked
 *      │              unknown ─stands, late-approved (not reverse)───┘   reversing
 *      │               │ │ │  ▲                                  │        │  │
 *      │          due, │ │ │  │ ask-…: next attempt              │        │  │ attempts
 *      │               └─┼─┼──┘                                  │ undone │  │ used up
 *      │          undone │ └──nothing, late-declined──────────┐  │        │  │
 *      │                 ▼                                    ▼  ▼        │  │
 *      │              reversed ◀──────────────────────┐     declined      │  │
 *      │                 ▲                            │        ▲          │  │
 *      └─────────────────┼────────────────────────────┼────────┘          │  │
 *                        └────────────────────────────┼───────────────────┘  │
 *      unknown ─attempts used up─▶ suspect ◀──────────┼──────────────────────┘
 *                                   └─ resolved, or a late answer ─▶ paid, reversed
 *
 * Where a payment is only asked about (check), a partner's reversal of an unknown one waits until it
 * is known to be paid; then it is taken back.
 *
 * Events that do not belong to a state are no mistake (a late answer, a second one, a timer that
 * was overtaken): they leave the state as it is, and the caller records those worth recording.
 */
export function next(state: TxnState, event: TxnEvent, policy: Policy): Step {
  switch (state.tag) {
    case 'received':
      return fromReceived(state, event)
    case 'sending':
      return fromSending(state, event, policy)
    case 'unknown':
      return fromUnknown(state, event, policy)
    case 'reversing':
      return fromReversing(state, event, policy)
    case 'suspect':
      return fromSuspect(state, event, policy)
    case 'paid':
      return fromPaid(state, event, policy)
    case 'declined':
    case 'reversed':
      return stay(state)
  }
}

function fromReceived(state: TxnState, event: TxnEvent): Step {
  switch (event.tag) {
    case 'admitted':
      return step(
        { tag: 'sending', routes: event.routes, signOns: 0, undo: false },
        { tag: 'send', route: event.routes[0], signOn: false },
      )
    case 'refused':
      return declined(event.reason)
    default:
      return stay(state)
  }
}

type Sending = TxnState & { tag: 'sending' }

function fromSending(state: Sending, event: TxnEvent, policy: Policy): Step {
  const [route, ...others] = state.routes
  switch (event.tag) {
    case 'approved':
      return state.undo ? reversing(route, 0) : step({ tag: 'paid', route })
    case 'declined':
      return declined(event.reason)
    case 'not-sent':
      return notSent(state, others)
    // The biller did nothing yet, so the same request may be sent again; but not for ever.
    case 'sign-on-required':
      return state.signOns < SIGN_ONS_MAX
        ? step({ ...state, signOns: state.signOns + 1 }, { tag: 'send', route, signOn: true })
        : declined('unavailable')
    // Silence is not a decline: the biller may have done it. The hold stays until that is known.
    case 'silence':
    case 'unclear':
      return unknown(state, policy.spacingMs, policy)
    // Nobody knows whether it had left when the process died; whoever waited has gone.
    case 'restarted':
      return unknown(state, 0, policy)
    case 'undo-asked':
      return mayUndo(event, policy) ? step({ ...state, undo: true }) : stay(state)
    default:
      return stay(state)
  }
}

/** Another route only because no byte of it left; and not once the partner has given up. */
function notSent(state: Sending, others: readonly string[]): Step {
  const [route, ...rest] = others
  if (route === undefined || state.undo) return declined('unavailable')
  return step({ ...state, routes: [route, ...rest] }, { tag: 'send', route, signOn: false })
}

type Unknown = TxnState & { tag: 'unknown' }

function fromUnknown(state: Unknown, event: TxnEvent, policy: Policy): Step {
  switch (event.tag) {
    case 'undone':
      return step({ tag: 'reversed' })
    case 'stands':
      return found(state, policy)
    case 'nothing':
      return declined('no-payment')
    // While we undo, a late yes changes nothing: the source has been told that we do not know,
    // and the answer to the reversal decides. Where we only ask, a late yes is the answer.
    case 'late-approved':
      return policy.recovery === 'reverse' ? stay(state) : found(state, policy)
    case 'late-declined':
      return declined(event.reason)
    // Nothing is taken back to find out: first it must be known that it is paid.
    case 'undo-asked':
      return mayUndo(event, policy) && !state.undo ? step({ ...state, undo: true }) : stay(state)
    default:
      return find(state, event, policy, 'held')
  }
}

/** It is paid; by now the partner may not want it any more. */
function found({ route, undo }: Unknown, policy: Policy): Step {
  return undo && policy.recovery === 'check' ? reversing(route, 0) : step({ tag: 'paid', route })
}

type Reversing = TxnState & { tag: 'reversing' }

function fromReversing(state: Reversing, event: TxnEvent, policy: Policy): Step {
  switch (event.tag) {
    case 'undone':
      return step({ tag: 'reversed' })
    // A late answer to a status check says no more than what is known.
    case 'stands':
      return event.refused ? step({ tag: 'paid', route: state.route }) : stay(state)
    // They said paid, and now that there is no payment: they must explain that to a person.
    case 'nothing':
      return step({ tag: 'suspect', route: state.route, money: 'settled' })
    default:
      return find(state, event, policy, 'settled')
  }
}

/** What unknown and reversing have in common: ask, wait, ask again, and at last call a person. */
function find(
  state: Unknown | Reversing,
  event: TxnEvent,
  policy: Policy,
  money: 'held' | 'settled',
): Step {
  const { route } = state
  const by = state.tag === 'reversing' ? 'reverse' : policy.recovery
  const wake = (afterMs: number): Action => ({ tag: 'wake', route, afterMs })
  switch (event.tag) {
    case 'due':
      if (state.phase === 'asking') return stay(state)
      return step(
        { ...state, phase: 'asking', repeat: true },
        { tag: 'ask', by, route, repeat: state.repeat, signOn: false },
      )
    case 'ask-silence':
    case 'ask-unclear': {
      if (state.phase === 'waiting') return stay(state)
      const attempts = state.attempts + 1
      if (attempts >= policy.attemptsMax) return step({ tag: 'suspect', route, money })
      return step({ ...state, phase: 'waiting', attempts }, wake(policy.spacingMs))
    }
    // It did not leave, so it does not count; it goes when the link is back.
    case 'ask-not-sent':
      if (state.phase === 'waiting') return stay(state)
      return step({ ...state, phase: 'waiting' }, wake(policy.spacingMs))
    case 'ask-sign-on-required':
      if (state.phase === 'waiting') return stay(state)
      return state.signOns < SIGN_ONS_MAX
        ? step(
            { ...state, signOns: state.signOns + 1 },
            { tag: 'ask', by, route, repeat: state.repeat, signOn: true },
          )
        : find({ ...state, signOns: 0 }, { tag: 'ask-unclear' }, policy, money)
    // An attempt cut short by our own crash does not count against the biller.
    case 'restarted':
      return step({ ...state, phase: 'waiting', signOns: 0 }, wake(0))
    default:
      return stay(state)
  }
}

function fromSuspect(state: TxnState & { tag: 'suspect' }, event: TxnEvent, policy: Policy): Step {
  switch (event.tag) {
    case 'resolved':
      return event.as === 'paid'
        ? step({ tag: 'paid', route: state.route })
        : step({ tag: 'reversed' })
    // The biller's own late word is as good as a person's.
    case 'stands':
      return step({ tag: 'paid', route: state.route })
    case 'undone':
      return step({ tag: 'reversed' })
    case 'nothing':
    case 'late-declined':
      return state.money === 'held' ? step({ tag: 'reversed' }) : stay(state)
    case 'late-approved':
      return policy.recovery === 'reverse' ? stay(state) : step({ tag: 'paid', route: state.route })
    default:
      return stay(state)
  }
}

function fromPaid(state: TxnState & { tag: 'paid' }, event: TxnEvent, policy: Policy): Step {
  if (event.tag !== 'undo-asked' || !mayUndo(event, policy)) return stay(state)
  return reversing(state.route, 0)
}

/** What was told once, as a token, can be used: where a product is advised, nothing is undone. */
function mayUndo(event: TxnEvent & { tag: 'undo-asked' }, policy: Policy): boolean {
  return event.allowed && policy.recovery !== 'advise'
}

/** Where it is only asked about, what the partner wishes is remembered until it is known. */
function unknown({ routes: [route], undo }: Sending, afterMs: number, { recovery }: Policy): Step {
  const wish = undo && recovery === 'check' ? { undo } : {}
  return step({ tag: 'unknown', ...finding(route), ...wish }, { tag: 'wake', route, afterMs })
}

function reversing(route: string, afterMs: number): Step {
  return step({ tag: 'reversing', ...finding(route) }, { tag: 'wake', route, afterMs })
}

function finding(route: string): Finding {
  return { route, attempts: 0, repeat: false, phase: 'waiting', signOns: 0 }
}

function declined(reason: Reason): Step {
  return step({ tag: 'declined', reason })
}

function step(state: TxnState, ...actions: Action[]): Step {
  return { state, actions }
}

/** The same object, so that `step.state === state` says that nothing happened. */
function stay(state: TxnState): Step {
  return { state, actions: [] }
}

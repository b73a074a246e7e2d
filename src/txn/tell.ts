import { APPROVED, declined, type Outcome } from '#message'
import type { TxnState } from './state.ts'

/** What a partner asks about a payment: to have it, to undo it, or what became of it. */
export type Question = 'payment' | 'reversal' | 'advice'

/** The answer that the state allows, or `wait`: it is being found out, and the asker stays on the line. */
export type Told = { readonly tag: 'wait' } | { readonly tag: 'outcome'; readonly outcome: Outcome }

const WAIT: Told = { tag: 'wait' }
const TIMEOUT: Outcome = { meaning: 'unknown', reason: 'timeout' }
const STANDS: Outcome = { meaning: 'stands', reason: 'too-late-to-reverse' }
const NOTHING: Outcome = { meaning: 'nothing', reason: 'no-payment' }

/** Answers from the journal (law 4): whatever is asked, however often, nothing is sent again for it. */
export function tell(state: TxnState, question: Question): Told {
  switch (question) {
    case 'payment':
      return tellPayer(state)
    case 'reversal':
      return tellReverser(state)
    case 'advice':
      return tellAdviser(state)
  }
}

function tellPayer(state: TxnState): Told {
  switch (state.tag) {
    case 'received':
    case 'sending':
      return WAIT
    case 'unknown':
    case 'reversing':
    case 'suspect':
      return told(TIMEOUT)
    case 'paid':
      return told(APPROVED)
    case 'declined':
      return told(declined(state.reason))
    case 'reversed':
      return told(declined('already-reversed'))
  }
}

function tellReverser(state: TxnState): Told {
  switch (state.tag) {
    case 'received':
    case 'sending':
    case 'unknown':
    case 'reversing':
      return WAIT
    case 'suspect':
      return told(TIMEOUT)
    case 'paid':
      return told(STANDS)
    case 'declined':
      return told(NOTHING)
    case 'reversed':
      return told(APPROVED)
  }
}

function tellAdviser(state: TxnState): Told {
  switch (state.tag) {
    case 'received':
    case 'sending':
    case 'unknown':
    case 'reversing':
      return WAIT
    case 'suspect':
      return told(TIMEOUT)
    case 'paid':
      return told(APPROVED)
    case 'declined':
    case 'reversed':
      return told(NOTHING)
  }
}

function told(outcome: Outcome): Told {
  return { tag: 'outcome', outcome }
}

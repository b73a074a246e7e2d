import type { Reason } from '#message'
import type { Recovery } from './policy.ts'

/**
 * The life of one payment. Everything that is needed to go on after a crash is in here or in the
 * txn's first record; nothing else is.
 */
export type TxnState =
  /** Screened, priced, routed; nothing durable yet. */
  | { readonly tag: 'received' }
  /** Hold and intent are durable; the request is on its way over `routes[0]`. */
  | {
      readonly tag: 'sending'
      /** The link it goes over, then those that may still be tried, each only after not-sent. */
      readonly routes: readonly [string, ...string[]]
      readonly signOns: number
      /** The partner gave up and asked for a reversal while we were still waiting. */
      readonly undo: boolean
    }
  /**
   * Sent, and no answer: being reversed, advised or checked. The hold stays. With `undo` the partner
   * gave up, and what is found to be paid is then taken back.
   */
  | ({ readonly tag: 'unknown'; readonly undo?: true } & Finding)
  /** Paid, and the partner wants it undone within the product's window. The money is settled still. */
  | ({ readonly tag: 'reversing' } & Finding)
  /** Attempts used up. Only a person, reconciliation or a late answer can tell. */
  | { readonly tag: 'suspect'; readonly route: string; readonly money: 'held' | 'settled' }
  | { readonly tag: 'paid'; readonly route: string }
  | { readonly tag: 'declined'; readonly reason: Reason }
  | { readonly tag: 'reversed' }

export type Finding = {
  readonly route: string
  /** Attempts that count: those that left and were not answered clearly. */
  readonly attempts: number
  /** One may have left before, so the next is sent as a repeat (2401, 2221). */
  readonly repeat: boolean
  /** Waiting for its time, or asked and waiting for the answer. */
  readonly phase: 'waiting' | 'asking'
  readonly signOns: number
}

export type TxnEvent =
  | { readonly tag: 'admitted'; readonly routes: readonly [string, ...string[]] }
  | { readonly tag: 'refused'; readonly reason: Reason }
  /** How the attempt to send the payment ended. */
  | { readonly tag: 'not-sent' }
  | { readonly tag: 'silence'; readonly why: 'deadline' | 'broken' }
  | { readonly tag: 'approved' }
  | { readonly tag: 'declined'; readonly reason: Reason }
  | { readonly tag: 'unclear' }
  | { readonly tag: 'sign-on-required' }
  /** An answer to the payment that came after we had given up waiting. */
  | { readonly tag: 'late-approved' }
  | { readonly tag: 'late-declined'; readonly reason: Reason }
  /** It is time for the next attempt to find out. */
  | { readonly tag: 'due' }
  /** How that attempt ended: the reversal was done, the payment exists, there is none, nobody knows. */
  | { readonly tag: 'undone' }
  /** `refused` where a reversal was asked for: too late to undo it. */
  | { readonly tag: 'stands'; readonly refused?: true }
  | { readonly tag: 'nothing' }
  | { readonly tag: 'ask-unclear' }
  | { readonly tag: 'ask-silence' }
  | { readonly tag: 'ask-not-sent' }
  | { readonly tag: 'ask-sign-on-required' }
  /** The partner's own reversal; `allowed` is false outside the product's window. */
  | { readonly tag: 'undo-asked'; readonly allowed: boolean }
  /** The process began anew, or took the txn over from a node that died. */
  | { readonly tag: 'restarted' }
  /** A person's decision about a suspect payment, with the reason recorded beside it. */
  | { readonly tag: 'resolved'; readonly as: 'paid' | 'reversed' }

/** What is done after the step is durable. Each may be done twice (law 1). */
export type Action =
  /** Send the payment over this link; after signing on anew if the biller asked for that. */
  | { readonly tag: 'send'; readonly route: string; readonly signOn: boolean }
  /** Ask the biller, `by` the product's policy or the partner's wish: reversal, advice or status check. */
  | {
      readonly tag: 'ask'
      readonly by: Recovery
      readonly route: string
      readonly repeat: boolean
      readonly signOn: boolean
    }
  /** Come back with `due` after this long, or when the link is up if it is down then. */
  | { readonly tag: 'wake'; readonly route: string; readonly afterMs: number }

export type Step = { readonly state: TxnState; readonly actions: readonly Action[] }

export type TxnTag = TxnState['tag']

export const FINAL = ['paid', 'declined', 'reversed'] as const satisfies readonly TxnTag[]

export function isFinal(state: TxnState): boolean {
  return (FINAL as readonly TxnTag[]).includes(state.tag)
}

/** Where the partner's money is in a state: not touched, on hold, or given to whom it is due. */
export function moneyOf(state: TxnState): 'free' | 'held' | 'settled' {
  switch (state.tag) {
    case 'received':
    case 'declined':
    case 'reversed':
      return 'free'
    case 'sending':
    case 'unknown':
      return 'held'
    case 'paid':
    case 'reversing':
      return 'settled'
    case 'suspect':
      return state.money
  }
}

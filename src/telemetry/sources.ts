/**
 * Figures that their owners keep anyway and that are read at the scrape. The shapes are those of
 * the owners' own status, so that wiring is handing over.
 */
export type MetricSources = {
  links(): readonly LinkFigures[]
  listeners(): readonly ListenerFigures[]
  journal(): { readonly available: boolean; readonly queue: number }
  safDepth(): number
  callbacks(): readonly CallbackFigures[]
  security(): readonly SecurityFigures[]
  openTxns(): Promise<readonly OpenFigures[]>
  balances(): Promise<readonly BalanceFigures[]>
  hsm(): Promise<{ readonly up: boolean; readonly inFlight: number }>
  keys(): KeyFigures
}

export type LinkFigures = {
  readonly name: string
  readonly state: string
  readonly inFlight: number
  readonly sent: number
  readonly answered: number
  readonly late: number
  readonly unmatched: number
  readonly unanswered: number
  readonly notSent: number
  readonly reconnects: number
}

export type ListenerFigures = {
  readonly name: string
  readonly sessions: number
  readonly inFlight: number
  readonly accepted: number
  readonly refused: number
  readonly frames: number
  readonly badFrames: number
}

/** Of one link's callbacks, how many met which fate. */
export type CallbackFigures = {
  readonly link: string
  readonly counts: Readonly<Record<string, number>>
}

/** Of the cryptography of one link or listener, what happened how often. */
export type SecurityFigures = {
  readonly zone: string
  readonly counts: Readonly<Record<string, number>>
}

export type KeyFigures = {
  readonly keys: readonly { readonly zone: string; readonly type: string; readonly state: string }[]
  readonly pastDue: number
  readonly acts: ReadonlyMap<string, number>
}

export type OpenFigures = {
  readonly tag: string
  readonly product: string
  readonly count: number
  readonly oldestAtMs: number
}

export type BalanceFigures = {
  readonly partner: string
  readonly account: string
  readonly balanceMinor: bigint
}

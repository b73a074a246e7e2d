import type { KeyKind, KeyTypeName } from '#hsm'

/**
 * A key's life. It only goes forward, and one zone has one active key of a type at most.
 *
 *     pending ──activate──▶ active ──a newer one is activated──▶ previous ──overlap ends──▶ revoked
 *        │                    │                                     │                          ▲
 *        └────────────────────┴──────────────── revoke ─────────────┴──────────────────────────┘
 *
 *     pending   made or come in; whoever compares its check value with the partner's activates it.
 *               `exchanged`: given to the partner over the line and not confirmed; it may come in
 *     active    what we protect with; accepted from the partner
 *     previous  accepted from the partner until `acceptedUntilMs`; one for each active key at most
 *     revoked   its block is thrown away: the record stays, the key is gone
 */
export type KeyState = 'pending' | 'active' | 'previous' | 'revoked'

export const KEY_STATES = ['pending', 'active', 'previous', 'revoked'] as const

export type KeyOrigin = 'generated' | 'components' | 'imported' | 'exchanged'

/** Instants are milliseconds since 1970. */
export type KeyRecord = {
  readonly id: string
  /** A link's or listener's name, or `lab`. */
  readonly zone: string
  readonly type: KeyTypeName
  readonly kind: KeyKind
  /** Opaque, under the LMK of the HSM; empty when the key is revoked. */
  readonly block: string
  /** Check value of the LMK that the block is under. */
  readonly lmk: string
  readonly checkValue: string
  readonly state: KeyState
  readonly origin: KeyOrigin
  readonly madeAtMs: number
  readonly activeAtMs?: number
  readonly previousAtMs?: number
  /** Until when the previous key may still come in. */
  readonly acceptedUntilMs?: number
  readonly revokedAtMs?: number
  /** Who brought it in, and why. */
  readonly by: string
  readonly why: string
}

/** A key of which not all components were entered yet. */
export type HalfMadeKey = {
  readonly id: string
  readonly zone: string
  readonly type: KeyTypeName
  readonly kind: KeyKind
  /** How many components make the key. */
  readonly parts: number
  readonly components: readonly EnteredComponent[]
  readonly lmk: string
  readonly begunAtMs: number
  readonly expiresAtMs: number
  readonly why: string
}

export type EnteredComponent = {
  /** Opaque, under the LMK. */
  readonly block: string
  readonly checkValue: string
  readonly by: string
  readonly atMs: number
}

/** Who acts, and why. */
export type Who = { readonly by: string; readonly why: string }

/** One line of the store's own record of what was done. */
export type KeyAct = Who & {
  readonly atMs: number
  /** `generate`, `import`, `component`, `activate`, `offer`, `withdraw`, `exchange`, `revoke`, … */
  readonly act: string
  /** The id of the key, or of the half-made one. */
  readonly subject: string
  readonly zone: string
  readonly type: string
  readonly detail?: string
}

/** All that is in use: revoked keys are not in it. `version` grows with every change. */
export type KeyBook = {
  readonly version: number
  readonly keys: readonly KeyRecord[]
  readonly halves: readonly HalfMadeKey[]
}

/** Rows to write and the acts that wrote them: all of it or none. */
export type KeyChange = {
  /** In this order: the key that makes place before the one that takes it. */
  readonly put?: readonly KeyRecord[]
  readonly putHalf?: HalfMadeKey
  readonly dropHalves?: readonly string[]
  readonly acts: readonly KeyAct[]
}

/** The book after a change. */
export function applied(book: KeyBook, { put = [], putHalf, dropHalves = [] }: KeyChange): KeyBook {
  const keys = new Map(book.keys.map(key => [key.id, key]))
  for (const key of put) {
    if (key.state === 'revoked') keys.delete(key.id)
    else keys.set(key.id, key)
  }
  const halves = new Map(book.halves.map(half => [half.id, half]))
  if (putHalf) halves.set(putHalf.id, putHalf)
  for (const id of dropHalves) halves.delete(id)
  return { version: book.version + 1, keys: [...keys.values()], halves: [...halves.values()] }
}

import { type Clock, isNadiError, NadiError } from '#base'
import type { PaymentHsm } from '#hsm'
import type { KeyAct, KeyRecord, Who } from './record.ts'
import type { KeyShelf } from './shelf.ts'

type Parts = {
  readonly shelf: KeyShelf
  readonly hsm: PaymentHsm
  readonly clock: Clock
  readonly masterLifetimeMs: number
  readonly keyLifetimeMs: number
}

export type Checked = {
  readonly key: KeyRecord
  /** `good`, `other` (the block holds another key than is written), or the code of an error. */
  readonly result: string
  /** Used for longer than it ought to be. */
  readonly pastDue: boolean
  /** Under another LMK than the HSM has: `nadi key migrate`. */
  readonly otherLmk: boolean
}

export type Migrated = { readonly moved: number; readonly stayed: number; readonly lmk: string }

/** Looking after all keys at once. */
export class KeyCare {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  isPastDue({ type, state, activeAtMs }: KeyRecord): boolean {
    const { clock, masterLifetimeMs, keyLifetimeMs } = this.#parts
    if (state !== 'active' || activeAtMs === undefined) return false
    const lifetimeMs = type === 'ZMK' || type === 'TMK' ? masterLifetimeMs : keyLifetimeMs
    return clock.nowMs() - activeAtMs > lifetimeMs
  }

  /** The HSM opens every key that is not revoked, and computes its check value anew. */
  async check(who: Who): Promise<Checked[]> {
    const { shelf, hsm } = this.#parts
    const { lmkCheckValue } = await hsm.status()
    const checked: Checked[] = []
    for (const key of shelf.keys)
      checked.push({
        key,
        result: await this.#checkOne(key),
        pastDue: this.isPastDue(key),
        otherLmk: key.lmk !== lmkCheckValue,
      })
    const bad = checked.filter(({ result }) => result !== 'good').length
    await shelf.change(() => ({ acts: [this.#act('check', who, `${checked.length}, ${bad} bad`)] }))
    return checked
  }

  /**
   * Puts every key under the LMK that the HSM has now, from the one before it, which it must have
   * been given too. All keys in one change, or none. Throws HSM_NOT_PERMITTED, HSM_KEY.
   */
  async migrate(who: Who): Promise<Migrated> {
    const { shelf, hsm } = this.#parts
    const { lmkCheckValue: lmk } = await hsm.status()
    const moved = new Map<string, KeyRecord>()
    let stayed = 0
    // Keys that come in meanwhile are under the new LMK already; those that end meanwhile stay ended.
    for (const key of shelf.keys) {
      if (key.lmk === lmk) stayed++
      else moved.set(key.id, { ...key, block: await this.#moved(key), lmk })
    }
    await shelf.change(({ keys }) => {
      const put = keys.flatMap(key => {
        const { block } = moved.get(key.id) ?? {}
        return block === undefined ? [] : [{ ...key, block, lmk }]
      })
      return { put, acts: [this.#act('migrate', who, `${put.length} to the LMK ${lmk}`)] }
    })
    return { moved: moved.size, stayed, lmk }
  }

  async #moved({ id, block, checkValue }: KeyRecord): Promise<string> {
    const made = await this.#parts.hsm.rewrapKey(block)
    if (made.checkValue !== checkValue)
      throw new NadiError('KEY_CHECK_VALUE', {
        path: id,
        expected: checkValue,
        actual: made.checkValue,
      })
    return made.key
  }

  async #checkOne({ block, checkValue }: KeyRecord): Promise<string> {
    try {
      return (await this.#parts.hsm.checkValue(block)) === checkValue ? 'good' : 'other'
    } catch (error) {
      if (isNadiError(error)) return error.code
      throw error
    }
  }

  #act(act: string, { by, why }: Who, detail: string): KeyAct {
    const atMs = this.#parts.clock.nowMs()
    return { atMs, act, subject: 'all', zone: '', type: '', by, why, detail }
  }
}

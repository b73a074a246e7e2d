import type { KeyTypeName } from '#hsm'
import { isOffered } from './lifecycle.ts'
import type { KeyRecord } from './record.ts'

/** The keys of one zone and type, ready for use. */
export type Slot = {
  readonly active: KeyRecord | undefined
  readonly previous: KeyRecord | undefined
  /** Given to the counterpart by an exchange, and not confirmed. */
  readonly offered: KeyRecord | undefined
  /** Blocks, as `accepted` gives them out while the two overlap, and afterwards. */
  readonly both: readonly string[]
  readonly alone: readonly string[]
}

const EMPTY: Slot = {
  active: undefined,
  previous: undefined,
  offered: undefined,
  both: [],
  alone: [],
}

/** Looked up at every message, so it is made once for each change of the book. */
export class Slots {
  readonly #slots = new Map<string, Slot>()

  constructor(keys: readonly KeyRecord[]) {
    const used = keys.filter(
      key => key.state === 'active' || key.state === 'previous' || isOffered(key),
    )
    for (const [name, group] of Map.groupBy(used, ({ zone, type }) => nameOf(zone, type))) {
      const active = group.find(({ state }) => state === 'active')
      const previous = group.find(({ state }) => state === 'previous')
      const offered = group.findLast(isOffered)
      const alone = active ? [active.block] : []
      const both = previous ? [...alone, previous.block] : alone
      this.#slots.set(name, { active, previous, offered, both, alone })
    }
  }

  of(zone: string, type: KeyTypeName): Slot {
    return this.#slots.get(nameOf(zone, type)) ?? EMPTY
  }
}

function nameOf(zone: string, type: string): string {
  return `${zone} ${type}`
}

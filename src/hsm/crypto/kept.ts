/**
 * Things worked out from a key, kept for its next use. Secret bytes never become strings, which
 * nothing can wipe: an entry is found by a number mixed from them, proved by comparing them, and
 * its copy of them is wiped when it is dropped.
 *
 * Two generations take turns: what is used moves into the young one, and when that is full, the old
 * one goes, with what nobody has asked for since the last time.
 */
export class Kept<V> {
  readonly #max: number
  readonly #wipe: (value: V) => void
  #young = new Map<number, Entry<V>>()
  #old = new Map<number, Entry<V>>()

  /** At most so many are kept; `wipe` is told of each value that is dropped. */
  constructor(max: number, wipe: (value: V) => void = () => {}) {
    this.#max = Math.max(2, max)
    this.#wipe = wipe
  }

  /** The value of these bytes, `more` among them where there are two sorts; made when there is none. */
  of(bytes: Uint8Array, more: Uint8Array, make: () => V): V {
    const mixed = mix(bytes, mix(more, SEED))
    const young = this.#young.get(mixed)
    if (young && same(young, bytes, more)) return young.value
    const old = this.#old.get(mixed)
    if (old && same(old, bytes, more)) {
      this.#old.delete(mixed)
      this.#keep(mixed, old)
      return old.value
    }
    const value = make()
    this.#keep(mixed, { bytes: Buffer.concat([bytes, more]), split: bytes.length, value })
    return value
  }

  /** Forgets everything. */
  clear(): void {
    this.#drop(this.#young)
    this.#drop(this.#old)
  }

  #keep(mixed: number, entry: Entry<V>): void {
    const other = this.#young.get(mixed)
    // Other bytes that mix to the same number make room: rare, and only a matter of speed.
    if (other) this.#wipeEntry(other)
    this.#young.set(mixed, entry)
    if (this.#young.size < this.#max / 2) return
    this.#drop(this.#old)
    ;[this.#young, this.#old] = [this.#old, this.#young]
  }

  #drop(entries: Map<number, Entry<V>>): void {
    for (const entry of entries.values()) this.#wipeEntry(entry)
    entries.clear()
  }

  #wipeEntry({ bytes, value }: Entry<V>): void {
    bytes.fill(0)
    this.#wipe(value)
  }
}

type Entry<V> = {
  /** Both sorts, one behind the other. */
  readonly bytes: Uint8Array
  readonly split: number
  readonly value: V
}

const SEED = 0x811c9dc5

/** FNV-1a, a byte at a time. */
function mix(bytes: Uint8Array, from: number): number {
  let mixed = from
  for (let i = 0; i < bytes.length; i++) mixed = Math.imul(mixed ^ (bytes[i] as number), 0x01000193)
  return mixed
}

function same({ bytes, split }: Entry<unknown>, one: Uint8Array, more: Uint8Array): boolean {
  if (split !== one.length || bytes.length !== split + more.length) return false
  for (let i = 0; i < split; i++) if (bytes[i] !== one[i]) return false
  for (let i = 0; i < more.length; i++) if (bytes[split + i] !== more[i]) return false
  return true
}

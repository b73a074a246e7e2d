import { type Clock, NadiError, type Random } from '#base'
import type { KeyKind, KeyTypeName, MadeKey, PaymentHsm } from '#hsm'
import { KEY_TYPES } from '#hsm'
import { checkSame } from './check-value.ts'
import { newKeyId } from './ids.ts'
import type { EnteredComponent, HalfMadeKey, KeyAct, KeyOrigin, KeyRecord, Who } from './record.ts'
import type { KeyShelf } from './shelf.ts'

type Parts = {
  readonly shelf: KeyShelf
  readonly hsm: PaymentHsm
  readonly clock: Clock
  readonly random: Random
  readonly componentsMs: number
  record(
    of: { readonly zone: string; readonly type: KeyTypeName; readonly kind?: KeyKind },
    made: MadeKey,
    origin: KeyOrigin,
    who: Who,
  ): Promise<KeyRecord>
}

export type ForComponents = {
  readonly zone: string
  readonly type: KeyTypeName
  readonly kind?: KeyKind
  /** How many components: 2 to 9. */
  readonly parts: number
}

/** A component that a custodian has typed, or `generate`: the HSM draws it and shows it once. */
export type Component = {
  readonly clear: Uint8Array | 'generate'
  /** On the custodian's envelope; a component that has another is not kept. */
  readonly checkValue?: string
}

export type Entered = {
  readonly half: HalfMadeKey
  /** Of the component just entered: for this custodian only. */
  readonly checkValue: string
  /** In clear, once, when it was drawn here; whoever shows it wipes it. */
  readonly clear?: Uint8Array
  /** The key, when this was the last component. */
  readonly key?: KeyRecord
}

const PARTS_MAX = 9

/**
 * Keys of components, under dual control: each component is an act of another operator, and none is
 * ever shown again. The last one forms the key, which then waits to be activated.
 */
export class KeyComponents {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get halves(): readonly HalfMadeKey[] {
    return this.#parts.shelf.halves
  }

  /** The first component. The bytes given are wiped. */
  async begin(of: ForComponents, component: Component, who: Who): Promise<Entered> {
    const { hsm, clock, random, componentsMs, shelf } = this.#parts
    if (!(of.parts >= 2 && of.parts <= PARTS_MAX))
      throw new NadiError('HSM_REQUEST', { path: 'parts', expected: `2 to ${PARTS_MAX}` })
    const kind = of.kind ?? KEY_TYPES[of.type].kinds[0]
    const { entered, clear } = await this.#take(of.type, kind, component, who)
    const { lmkCheckValue: lmk } = await hsm.status()
    const nowMs = clock.nowMs()
    const half: HalfMadeKey = {
      id: newKeyId(random),
      zone: of.zone,
      type: of.type,
      kind,
      parts: of.parts,
      components: [entered],
      lmk,
      begunAtMs: nowMs,
      expiresAtMs: nowMs + componentsMs,
      why: who.why,
    }
    await shelf.change(() => ({ putHalf: half, acts: [this.#act('component', half, who)] }))
    return { half, checkValue: entered.checkValue, ...(clear && { clear }) }
  }

  /** One more. Throws KEY_NOT_FOUND when it expired, KEY_DUAL_CONTROL for an operator who did one. */
  async enter(id: string, component: Component, who: Who): Promise<Entered> {
    // Before anything is opened, and again when it is written.
    const before = this.#open(this.halves, id, who)
    const { entered, clear } = await this.#take(before.type, before.kind, component, who)
    const shown = { checkValue: entered.checkValue, ...(clear && { clear }) }
    if (before.components.length + 1 === before.parts)
      return { ...(await this.#form(id, before, entered, who)), ...shown }
    let half = before
    await this.#parts.shelf.change(({ halves }) => {
      const now = this.#open(halves, id, who)
      if (now.components.length + 1 >= now.parts) throw tooMany(id)
      half = { ...now, components: [...now.components, entered] }
      return { putHalf: half, acts: [this.#act('component', half, who)] }
    })
    return { half, ...shown }
  }

  /** What was entered so far is thrown away. */
  async cancel(id: string, who: Who): Promise<void> {
    await this.#parts.shelf.change(({ halves }) => {
      const half = halfOf(halves, id)
      return { dropHalves: [id], acts: [this.#act('cancel', half, who)] }
    })
  }

  async #form(
    id: string,
    before: HalfMadeKey,
    entered: EnteredComponent,
    who: Who,
  ): Promise<{ readonly half: HalfMadeKey; readonly key: KeyRecord }> {
    const { hsm, shelf } = this.#parts
    const half = { ...before, components: [...before.components, entered] }
    const { zone, type, kind, components } = half
    const made = await hsm.formKey(
      type,
      components.map(({ block }) => block),
    )
    const names = components.map(({ by }) => by).join(', ')
    const origin = { by: names.slice(0, 200), why: half.why }
    const key = await this.#parts.record({ zone, type, kind }, made, 'components', origin)
    await shelf.change(({ halves }) => {
      // The components are those that the key is of, or it is not that key.
      const now = this.#open(halves, id, who)
      if (now.components.length !== before.components.length) throw tooMany(id)
      const acts = [
        this.#act('component', half, who),
        { ...this.#act('form', half, who), subject: key.id, detail: `components of ${names}` },
      ]
      return { put: [key], dropHalves: [id], acts }
    })
    return { half, key }
  }

  async #take(
    type: KeyTypeName,
    kind: KeyKind,
    { clear: given, checkValue }: Component,
    { by }: Who,
  ): Promise<{ readonly entered: EnteredComponent; readonly clear?: Uint8Array }> {
    const { hsm, clock } = this.#parts
    if (given === 'generate') {
      const { key: block, checkValue: made, clear } = await hsm.generateComponent(type, kind)
      return { entered: { block, checkValue: made, by, atMs: clock.nowMs() }, clear }
    }
    try {
      const made = await hsm.takeComponent(type, given, kind)
      checkSame(checkValue, made.checkValue)
      return { entered: { block: made.key, checkValue: made.checkValue, by, atMs: clock.nowMs() } }
    } finally {
      given.fill(0)
    }
  }

  #open(halves: readonly HalfMadeKey[], id: string, { by }: Who): HalfMadeKey {
    const half = halfOf(halves, id)
    if (half.expiresAtMs <= this.#parts.clock.nowMs())
      throw new NadiError('KEY_NOT_FOUND', { path: id })
    if (half.components.some(component => sameName(component.by, by)))
      throw new NadiError('KEY_DUAL_CONTROL', { path: id, actual: by })
    return half
  }

  #act(act: string, { id, zone, type, parts, components }: HalfMadeKey, { by, why }: Who): KeyAct {
    const detail = `${components.length} of ${parts}`
    return { atMs: this.#parts.clock.nowMs(), act, subject: id, zone, type, by, why, detail }
  }
}

function halfOf(halves: readonly HalfMadeKey[], id: string): HalfMadeKey {
  const half = halves.find(each => each.id === id)
  if (half) return half
  throw new NadiError('KEY_NOT_FOUND', { path: id, expected: 'a half-made key' })
}

/** One person under two spellings is one person. */
function sameName(one: string, other: string): boolean {
  const plain = (name: string): string => name.normalize('NFKC').trim().toLowerCase()
  return plain(one) === plain(other)
}

function tooMany(id: string): NadiError {
  return new NadiError('KEY_STATE', {
    path: id,
    hint: 'somebody else entered a component meanwhile',
  })
}

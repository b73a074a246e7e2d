import { type Clock, NadiError, type Random } from '#base'
import {
  type ExportScheme,
  KEY_TYPES,
  type KeyCause,
  type KeyKind,
  type KeyTypeName,
  type MadeKey,
  type PaymentHsm,
  payShieldKey,
  type ZoneKeyring,
} from '#hsm'
import type { Log } from '#telemetry'
import { KeyCare } from './care.ts'
import { checkSame } from './check-value.ts'
import { KeyComponents } from './components.ts'
import { newKeyId } from './ids.ts'
import { activating, revoking, wrongState } from './lifecycle.ts'
import type { KeyAct, KeyBook, KeyOrigin, KeyRecord, Who } from './record.ts'
import type { KeyFilter, KeyRecords } from './records.ts'
import { KeyShelf } from './shelf.ts'
import { zoneKeyring } from './zone-keyring.ts'

export type KeyStoreOptions = {
  readonly hsm: PaymentHsm
  readonly records: KeyRecords
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** How long a key that was replaced is still accepted; 0 not at all. */
  readonly overlapMs: number
  /** A key of which not all components were entered by then is dropped. */
  readonly componentsMs: number
  /** How long keys that wrap others (ZMK, TMK), and all others, ought to be used. */
  readonly masterLifetimeMs: number
  readonly keyLifetimeMs: number
}

export type Wanted = {
  readonly zone: string
  readonly type: KeyTypeName
  readonly kind?: KeyKind
  /** In use at once; else it waits until somebody activates it. */
  readonly activate?: boolean
}

export type ForImport = Wanted & {
  /** As it came: X9.143 or Thales block, or X, U, Y, T and hexadecimal digits. */
  readonly wrapped: string
  /** A ZMK's id; where none is given the zone's active one. `lmk`: it is under our own LMK. */
  readonly under?: string
  /** What the partner says that it is; a key without a block around it needs one. */
  readonly checkValue?: string
}

export type ForExport = { readonly under?: string; readonly scheme: ExportScheme }

/** A key as the partner gets it: under the ZMK. */
export type Exported = {
  readonly key: KeyRecord
  readonly wrapped: string
  readonly checkValue: string
  readonly under: string
}

/** Schemes that nothing proves but parity. */
const LEGACY = /^[XUYT][0-9A-F]+$/i

/**
 * Which keys we share with whom. Keys are opaque blocks under the HSM's LMK; each act is written
 * with who and why in the transaction that does it. Beside the HSM's own errors it throws KEY_…
 */
export class KeyStore {
  readonly components: KeyComponents
  readonly care: KeyCare
  readonly #options: KeyStoreOptions
  readonly #shelf: KeyShelf

  private constructor(options: KeyStoreOptions, shelf: KeyShelf) {
    this.#options = options
    this.#shelf = shelf
    const parts = { ...options, shelf, record: this.#record.bind(this) }
    this.components = new KeyComponents(parts)
    this.care = new KeyCare(parts)
  }

  /** Throws KEY_STORE. */
  static async open(options: KeyStoreOptions): Promise<KeyStore> {
    return new KeyStore(options, await KeyShelf.open(options))
  }

  /** The keys of one link or listener, for whoever uses and agrees them. */
  zone(name: string): ZoneKeyring {
    const { hsm, clock, overlapMs } = this.#options
    const record = (type: KeyTypeName, kind: KeyKind, made: MadeKey, cause: KeyCause) =>
      this.#record({ zone: name, type, kind }, made, 'exchanged', cause)
    const known = this.#refuseKnown.bind(this)
    return zoneKeyring(name, { shelf: this.#shelf, hsm, clock, overlapMs, record, known })
  }

  /** Those in use, without asking anyone; revoked ones only where the filter names that state. */
  async list(filter: KeyFilter, all: boolean): Promise<KeyRecord[]> {
    const found = await this.#options.records.find(filter)
    return all || filter.state === 'revoked'
      ? found
      : found.filter(({ state }) => state !== 'revoked')
  }

  /** Throws KEY_NOT_FOUND. */
  async show(id: string): Promise<{ readonly key: KeyRecord; readonly acts: KeyAct[] }> {
    const { records } = this.#options
    const [key] = await records.find({ id })
    if (!key) throw new NadiError('KEY_NOT_FOUND', { path: id })
    return { key, acts: await records.acts(id) }
  }

  /** What was done since this process started, and how many keys are in which state. */
  figures(): {
    readonly keys: readonly KeyRecord[]
    readonly pastDue: number
    readonly acts: ReadonlyMap<string, number>
  } {
    const { keys } = this.#shelf
    const pastDue = keys.filter(key => this.care.isPastDue(key)).length
    return { keys, pastDue, acts: this.#shelf.counts }
  }

  async generate(wanted: Wanted, who: Who): Promise<KeyRecord> {
    const made = await this.#options.hsm.generateKey(wanted.type, wanted.kind)
    const key = await this.#record(wanted, made, 'generated', who)
    return this.#keep(key, 'generate', who, wanted.activate)
  }

  /** Throws KEY_CHECK_VALUE, KEY_KNOWN: nothing was kept. */
  async importKey(given: ForImport, who: Who): Promise<KeyRecord> {
    const { zone, type, under } = given
    if (under !== 'lmk' && LEGACY.test(given.wrapped) && given.checkValue === undefined)
      throw new NadiError('KEY_CHECK_VALUE', {
        expected: "the partner's check value, since nothing else proves a key of this scheme",
      })
    const made =
      under === 'lmk'
        ? await this.#ownKey(given)
        : await this.#options.hsm.importKey(type, given.wrapped, this.#zmk(zone, under).block)
    checkSame(given.checkValue, made.checkValue)
    await this.#refuseKnown(zone, type, made.checkValue)
    const key = await this.#record(given, made, 'imported', who)
    return this.#keep(key, 'import', who, given.activate)
  }

  /** Under a ZMK, for the partner. Throws KEY_STATE for a key that is not in use. */
  async exportKey(id: string, { under, scheme }: ForExport, who: Who): Promise<Exported> {
    const key = this.#find(id)
    const zmk = this.#zmk(key.zone, under)
    const { key: wrapped, checkValue } = await this.#options.hsm.exportKey(
      key.block,
      zmk.block,
      scheme,
    )
    const detail = `under ${zmk.id}, scheme ${scheme}`
    await this.#shelf.change(() => ({ acts: [this.#act('export', key, who, detail)] }))
    return { key, wrapped, checkValue, under: zmk.id }
  }

  /** A new key for the partner, like the active one; it waits until both sides have it. */
  async rotate(wanted: Omit<Wanted, 'activate'>, how: ForExport, who: Who): Promise<Exported> {
    const { zone, type } = wanted
    const kind = wanted.kind ?? this.#shelf.slots.of(zone, type).active?.kind
    const zmk = this.#zmk(zone, how.under)
    const { hsm } = this.#options
    const made = await hsm.generateKey(type, kind)
    // Before it is kept: a key that cannot be handed over is of no use.
    const sealed = await hsm.exportKey(made.key, zmk.block, how.scheme)
    const key = await this.#record({ zone, type, ...(kind && { kind }) }, made, 'generated', who)
    const detail = `under ${zmk.id}, scheme ${how.scheme}`
    await this.#shelf.change(() => ({
      put: [key],
      acts: [this.#act('rotate', key, who, detail)],
    }))
    return { key, wrapped: sealed.key, checkValue: sealed.checkValue, under: zmk.id }
  }

  /** The one before it is accepted until the overlap ends. */
  async activate(id: string, who: Who): Promise<KeyRecord> {
    const { clock, overlapMs } = this.#options
    await this.#shelf.change(({ keys }) => {
      const key = found(keys, id)
      const put = activating(keys, key, clock.nowMs(), overlapMs)
      return { put, acts: put.map(each => this.#act(nameOf(each), each, who)) }
    })
    return this.#find(id)
  }

  /** Its block is thrown away: from here on nobody can use it. */
  async revoke(id: string, who: Who): Promise<KeyRecord> {
    let gone: KeyRecord | undefined
    await this.#shelf.change(({ keys }) => {
      gone = revoking(found(keys, id), this.#options.clock.nowMs())
      return { put: [gone], acts: [this.#act('revoke', gone, who)] }
    })
    return gone as KeyRecord
  }

  async close(): Promise<void> {
    await this.#shelf.close()
  }

  async #keep(key: KeyRecord, act: string, who: Who, activate = false): Promise<KeyRecord> {
    const { clock, overlapMs } = this.#options
    await this.#shelf.change(({ keys }) => {
      const put = activate ? activating(keys, key, clock.nowMs(), overlapMs) : [key]
      const acts = put.map(each => this.#act(each.id === key.id ? act : nameOf(each), each, who))
      return { put, acts }
    })
    return this.#find(key.id)
  }

  async #record(
    { zone, type, kind }: Wanted,
    made: MadeKey,
    origin: KeyOrigin,
    { by, why }: Who,
  ): Promise<KeyRecord> {
    const { hsm, clock, random } = this.#options
    const [{ lmkCheckValue }, facts] = await Promise.all([hsm.status(), hsm.describeKey(made.key)])
    return {
      id: newKeyId(random),
      zone,
      type,
      kind: kind ?? facts.kind,
      block: made.key,
      lmk: lmkCheckValue,
      checkValue: made.checkValue,
      state: 'pending',
      origin,
      madeAtMs: clock.nowMs(),
      by,
      why,
    }
  }

  /** A key that was put under our LMK elsewhere: at the console of the box. */
  async #ownKey({ type, kind, wrapped }: ForImport): Promise<MadeKey> {
    const { hsm } = this.#options
    const key =
      hsm.capabilities.keeper === 'payshield' && !wrapped.includes('/')
        ? payShieldKey(type, kind ?? KEY_TYPES[type].kinds[0], wrapped)
        : wrapped
    const facts = await hsm.describeKey(key)
    if (facts.type !== type)
      throw new NadiError('HSM_KEY_USAGE', { path: 'key', expected: type, actual: facts.type })
    return { key, checkValue: await hsm.checkValue(key) }
  }

  /** Keys go forward only: a replayed or resent old one must not come back. */
  async #refuseKnown(
    zone: string,
    type: KeyTypeName,
    checkValue: string,
    but?: string,
  ): Promise<void> {
    const others = await this.#options.records.find({ zone, type, checkValue })
    const known = others.find(({ id }) => id !== but)
    if (known) throw new NadiError('KEY_KNOWN', { path: known.id, actual: known.state })
  }

  #zmk(zone: string, id: string | undefined): KeyRecord {
    const zmk = id === undefined ? this.#shelf.slots.of(zone, 'ZMK').active : this.#find(id)
    if (!zmk)
      throw new NadiError('KEY_NOT_FOUND', { path: zone, expected: 'an active ZMK of this zone' })
    if (zmk.type !== 'ZMK')
      throw new NadiError('HSM_KEY_USAGE', { path: zmk.id, expected: 'a ZMK', actual: zmk.type })
    if (zmk.state === 'pending') throw wrongState(zmk, 'an active ZMK')
    return zmk
  }

  #find(id: string): KeyRecord {
    return found(this.#shelf.keys, id)
  }

  #act(act: string, { id, zone, type }: KeyRecord, { by, why }: Who, detail?: string): KeyAct {
    const atMs = this.#options.clock.nowMs()
    return { atMs, act, subject: id, zone, type, by, why, ...(detail !== undefined && { detail }) }
  }
}

/** What became of a key, as acts call it. */
function nameOf({ state }: KeyRecord): string {
  return { pending: 'generate', active: 'activate', previous: 'replace', revoked: 'revoke' }[state]
}

function found(keys: KeyBook['keys'], id: string): KeyRecord {
  const key = keys.find(each => each.id === id)
  if (key) return key
  throw new NadiError('KEY_NOT_FOUND', { path: id, expected: 'a key that is not revoked' })
}

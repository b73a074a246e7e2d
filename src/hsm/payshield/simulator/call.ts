import type { Random } from '#base'
import type { CommandCode, RequestOf, ResponseOf } from '../grammar/index.ts'
import type { HostCode } from '../host-codes.ts'
import type { Lmk } from './lmk.ts'
import type { KeyOpener, OpenKeys } from './open-keys.ts'

/** What a command is carried out with. */
export type Call<C extends CommandCode> = {
  readonly request: RequestOf<C>
  readonly keys: OpenKeys
  readonly lmk: Lmk
  readonly box: BoxState
}

/** The parts of a box that commands look at and change. */
export type BoxState = {
  readonly settings: BoxSettings
  readonly random: Random
  readonly opener: KeyOpener
  authorised: boolean
  delayMs: number
}

export type BoxSettings = {
  /** Nine characters, as the diagnostics show them. */
  readonly firmware: string
  readonly connectionsMax: number
  readonly pci: boolean
  /** Tables for IBM PINs may come in clear, as old transcripts have them; boxes forbid it. */
  readonly clearTables: boolean
  /** MA, MC and ME take data that is all hexadecimal digits for expanded bytes. */
  readonly expandedData: boolean
}

/** The fields of a good answer, with the code of a warning when it bears one. */
export type Answer<C extends CommandCode> = {
  readonly code?: HostCode
  readonly values: ResponseOf<C>
}

/** Carries one command out. Throws HostRefusal with the error code to answer. */
export type Handler<C extends CommandCode> = (call: Call<C>) => Answer<C>

export type Handlers<C extends CommandCode> = { readonly [K in C]: Handler<K> }

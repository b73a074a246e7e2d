import { type ErrorCode, NadiError } from '#base'
import type { HostPool } from '../client/index.ts'
import type { CommandCode, RequestOf, ResponseOf } from '../grammar/index.ts'
import { HOST_CODES, isHostCode } from '../host-codes.ts'
import type { HostCode, HostCodeKind } from '../host-codes.ts'

/** Which LMK of the box the keys of this keeper are under. */
export type HostLmk = {
  /** Two digits, as `%nn` names it. */
  readonly id: string
  readonly scheme: 'variant' | 'tdes-blocks' | 'aes-blocks'
}

/** Which value of the caller's an error code speaks of; `key` where nothing else is said. */
export type Paths = Partial<Record<HostCode, string>>

/** The box as the operations see it: fields in, fields out, and every no an error of the interface. */
export class Asking {
  readonly lmk: HostLmk
  readonly #pool: HostPool

  constructor(pool: HostPool, lmk: HostLmk) {
    this.#pool = pool
    this.lmk = lmk
  }

  get blocks(): boolean {
    return this.lmk.scheme !== 'variant'
  }

  /** Throws what `hostError` makes of any code but 00 and those in `also`. */
  async ask<C extends CommandCode>(
    code: C,
    values: RequestOf<C>,
    { paths = {}, also = [] }: { readonly paths?: Paths; readonly also?: readonly HostCode[] } = {},
  ): Promise<{ readonly code: string; readonly values: ResponseOf<C> }> {
    const answer = await this.#pool.ask(code, values, this.lmk.id)
    if (answer.code !== '00' && !also.some(one => one === answer.code)) {
      throw hostError(code, answer.code, paths)
    }
    // A refusal that is waited for (01, a PIN that is wrong) comes without fields.
    return { code: answer.code, values: answer.values ?? ({} as ResponseOf<C>) }
  }

  /** Of a verification: 01 is no, 00 and a warning are yes. */
  async verify<C extends CommandCode>(
    code: C,
    values: RequestOf<C>,
    paths: Paths = {},
  ): Promise<boolean> {
    const answer = await this.ask(code, values, { paths, also: ['01', '02'] })
    return answer.code !== '01'
  }
}

const CODES_OF_KIND: Readonly<Record<Exclude<HostCodeKind, 'ok'>, ErrorCode>> = {
  verifyFail: 'HSM_REQUEST',
  keyParity: 'HSM_KEY_PARITY',
  keyUsage: 'HSM_KEY_USAGE',
  pinBlock: 'HSM_PIN_BLOCK',
  length: 'HSM_REQUEST',
  notPermitted: 'HSM_NOT_PERMITTED',
  badRequest: 'HSM_REQUEST',
  unavailable: 'HSM_UNAVAILABLE',
}

/** Codes that say that the key is not this LMK's, or was changed, whatever their kind. */
const NOT_OURS: readonly string[] = ['10', '11', 'A1', 'A2', 'A3', 'A4', 'B2', '13']
/** What is wrong with a PIN block, in the words of the interface. */
const BLOCK_WORDS: Partial<Record<string, string>> = { '20': 'values', '24': 'length' }

/** An error code of the box as an error of the interface; a code of no table is the box's fault. */
export function hostError(command: CommandCode, code: string, paths: Paths): NadiError {
  if (!isHostCode(code)) return new NadiError('HSM_RESPONSE', { path: command })
  const { kind, text } = HOST_CODES[code]
  const hint = `${command} was answered ${code}: ${text}`
  const path = paths[code] ?? 'key'
  if (NOT_OURS.includes(code)) return new NadiError('HSM_KEY', { path, hint })
  if (kind === 'ok') return new NadiError('HSM_RESPONSE', { path: command })
  const found = CODES_OF_KIND[kind]
  if (found !== 'HSM_PIN_BLOCK') return new NadiError(found, { path, hint })
  const actual = BLOCK_WORDS[code]
  return new NadiError(found, { path: 'pinBlock', hint, ...(actual !== undefined && { actual }) })
}

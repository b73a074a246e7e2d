import { softCapabilities } from '../soft/soft-hsm.ts'
import { ThreadHsm } from '../soft/thread-hsm.ts'
import type { ThreadOptions } from '../soft/thread-hsm.ts'
import type { LmkPlace } from '../soft/wire.ts'
import { Token } from './token.ts'
import type { TokenOptions } from './token.ts'

export type Pkcs11HsmOptions = ThreadOptions & {
  readonly token: TokenOptions
  /** While keys move to this LMK: where the one before it is. */
  readonly before?: LmkPlace
}

/**
 * An HSM whose LMK lies in a PKCS#11 token and cannot be taken out: without the token and its PIN
 * the stored keys are worth nothing. What it is not: working keys are unwrapped in the token, but
 * used in the memory of one thread of ours, since tokens have no PIN blocks, PVVs, retail MACs or
 * DUKPT; so the same operations run on them as in the embedded HSM.
 */
export class Pkcs11Hsm extends ThreadHsm {
  /** Throws HSM_LMK, HSM_UNAVAILABLE. */
  static async start({ token, before, ...options }: Pkcs11HsmOptions): Promise<Pkcs11Hsm> {
    return new Pkcs11Hsm(
      {
        setup: { tag: 'pkcs11', token, ...(before && { before }) },
        capabilities: softCapabilities('pkcs11', options),
        about: `LMK in the PKCS#11 token ${token.token}`,
      },
      options,
    ).started()
  }

  /** Makes the LMK in the token, once, at the key ceremony. Throws HSM_LMK. */
  static async makeLmk(token: TokenOptions): Promise<void> {
    await Token.makeKeys(token)
  }
}

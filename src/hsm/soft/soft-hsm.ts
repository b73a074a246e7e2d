import { KEY_KINDS } from '../key-types.ts'
import type { KeyKind } from '../key-types.ts'
import type { HsmCapabilities } from '../payment-hsm.ts'
import { DATA_BYTES_MAX } from '../request.ts'
import type { LmkSource } from './lmk.ts'
import { ThreadHsm } from './thread-hsm.ts'
import type { ThreadOptions } from './thread-hsm.ts'
import type { LmkPlace } from './wire.ts'

export type SoftHsmOptions = ThreadOptions & {
  readonly lmk: LmkSource
  /** A published test LMK is taken. */
  readonly lab: boolean
  /** While keys move to a new LMK: where the one before it is. */
  readonly before?: LmkPlace
}

const IN_FLIGHT_MAX = 10_000

/**
 * The embedded HSM. It is no tamper-proof device, and no PCI-approved one: keys lie in the memory of
 * this process, in one thread of it. For the lab, for MACs and data keys, and for who accepts that.
 */
export class SoftHsm extends ThreadHsm {
  /** Throws HSM_LMK, HSM_UNAVAILABLE. */
  static async start({ lmk, lab, before, ...options }: SoftHsmOptions): Promise<SoftHsm> {
    return new SoftHsm(
      {
        setup: { tag: 'soft', lmk, lab, ...(before && { before }) },
        capabilities: softCapabilities('soft', options),
        about: 'embedded, in a worker thread; not a PCI-approved device',
      },
      options,
    ).started()
  }
}

/** What SoftKeeper can, whatever its LMK is. */
export function softCapabilities(
  keeper: HsmCapabilities['keeper'],
  { inFlightMax = IN_FLIGHT_MAX }: ThreadOptions,
): HsmCapabilities {
  return {
    keeper,
    kinds: Object.keys(KEY_KINDS) as KeyKind[],
    pinFormats: [0, 1, 3, 4],
    macs: ['retail', 'cbc', 'cmac', 'hmac'],
    dukpt: ['TDES', 'AES'],
    dukptMacs: [
      'retail-request',
      'retail-response',
      'cbc-request',
      'cbc-response',
      'cmac-request',
      'cmac-response',
    ],
    macBytesMax: 32,
    exportSchemes: ['R', 'X', 'U'],
    components: true,
    movesKeys: true,
    authenticatesKeys: true,
    sealsDecimalisation: true,
    dataBytesMax: DATA_BYTES_MAX,
    inFlightMax,
  }
}

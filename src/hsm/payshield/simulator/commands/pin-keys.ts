import { HostRefusal } from '../../host-codes.ts'
import { dukptKey } from '../../../crypto/dukpt.ts'
import type { PinKey } from '../../../crypto/pin-block.ts'
import { bytesOf } from './pin-text.ts'

/** The PIN key of one transaction of a device. Throws 27 for a base key that is not double. */
export function pinKeyOf(bdk: Uint8Array, ksn: string): PinKey {
  if (bdk.length !== 16) throw new HostRefusal('27', 'bdk')
  return { bytes: dukptKey(bdk, bytesOf(ksn), 'pin'), algorithm: 'T' }
}

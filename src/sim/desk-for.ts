import type { Message } from '#message'
import type { Desk } from './desk.ts'
import { bills, topUp, transfer } from './generic.ts'
import { LINED } from './lines.ts'
import { merchants } from './qris.ts'

/** The desk for a product that is no PLN product. */
export function deskFor({ product = '', transfer: sent, qr }: Message): Desk {
  if (sent) return transfer
  if (qr) return merchants
  return LINED[product] ?? (/^pulsa|^data|^game|^emoney/.test(product) ? topUp : bills)
}

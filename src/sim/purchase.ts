import { minor, rupiah, ZERO, type AmountMinor } from '#base'
import type { Token } from '#message'
import type { PrepaidAccount } from './customers.ts'
import { hash } from './invent.ts'

/** Above this a receipt bears stamp duty. */
const STAMPED_ABOVE_MINOR = rupiah(5_000_000)
const STAMP_DUTY_MINOR = rupiah(10_000)
const LIGHTING_TAX_PERCENT = 5

/**
 * What an amount buys: every part in minor units, adding up exactly,
 *
 *     amount = admin + stamp duty + VAT + lighting tax + installment + energy
 *
 * or undefined when the amount does not even pay the fees.
 */
export function breakdown(account: PrepaidAccount, amountMinor: AmountMinor): Token | undefined {
  const stampDutyMinor = amountMinor > STAMPED_ABOVE_MINOR ? STAMP_DUTY_MINOR : ZERO
  const afterFees = minor(amountMinor - account.adminMinor - stampDutyMinor)
  // An installment is taken only from purchases that leave something to light with.
  const installmentMinor =
    account.installmentMinor * 2n <= afterFees ? account.installmentMinor : ZERO
  const netMinor = afterFees - installmentMinor
  if (netMinor <= 0n) return undefined
  const whole = BigInt(100 + LIGHTING_TAX_PERCENT + account.vatPercent)
  const vatMinor = minor((netMinor * BigInt(account.vatPercent)) / whole)
  const lightingTaxMinor = minor((netMinor * BigInt(LIGHTING_TAX_PERCENT)) / whole)
  const energyMinor = minor(netMinor - vatMinor - lightingTaxMinor)
  return {
    stampDutyMinor,
    vatMinor,
    lightingTaxMinor,
    installmentMinor,
    energyMinor,
    kwhHundredths: Number((energyMinor * 100n) / BigInt(account.kwhMinor)),
  }
}

/**
 * Twenty digits that are a 66-bit number, as real tokens are (IEC 62055-41). The same for the same
 * meter and trace: asking twice shows one token.
 */
export function tokenNumber(number: string, trace: string): string {
  const text = `${number}/${trace}`
  const high = BigInt(hash(text, 11)) << 34n
  const low = (BigInt(hash(text, 12)) << 2n) | BigInt(hash(text, 13) & 3)
  return (high | low).toString().padStart(20, '0')
}

/** Vending receipt number, eight digits. */
export function receiptNumber(number: string, trace: string): string {
  return String(hash(`${number}/${trace}`, 14) % 100_000_000).padStart(8, '0')
}

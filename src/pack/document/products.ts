import { rupiah, type AmountMinor } from '#base'
import type { Message } from '#message'
import type { Check } from '../check.ts'
import type { MapEntry } from '../source.ts'

/** What a code of the wire sells: a product, of one denomination where the code says that too. */
export type Sold = { readonly product: string; readonly amountMinor: AmountMinor | undefined }

/**
 * `products:`, Nadi's product by its code on the wire. Where each denomination has its own code, it
 * stands behind the product in whole rupiah.
 *
 *     products:
 *       pln: pln-postpaid
 *       xld10: pulsa-xl 10000
 *       xld25: pulsa-xl 25000
 */
export class Products {
  readonly #byCode: ReadonlyMap<string, Sold>
  readonly #codes = new Map<string, string>()
  readonly names: readonly string[]

  constructor(byCode: ReadonlyMap<string, Sold>) {
    this.#byCode = byCode
    for (const [code, sold] of byCode) this.#codes.set(keyOf(sold), code)
    this.names = [...new Set([...byCode.values()].map(sold => sold.product))]
  }

  soldBy(code: string): Sold | undefined {
    return this.#byCode.get(code)
  }

  /** The code for what a message is about; undefined when there is none of that denomination. */
  codeOf({ product = '', amountMinor }: Message): string | undefined {
    return (
      this.#codes.get(product) ??
      (amountMinor === undefined ? undefined : this.#codes.get(keyOf({ product, amountMinor })))
    )
  }
}

function keyOf({ product, amountMinor }: Sold): string {
  return amountMinor === undefined ? product : `${product} ${amountMinor}`
}

export function compileDocumentProducts(check: Check, { value }: MapEntry): Products {
  const byCode = new Map<string, Sold>()
  const taken = new Set<string>()
  const map = check.map(value, 'products')
  for (const [code, entry] of map?.entries ?? []) {
    const text = check.text(entry.value, `the product of ${code}`)
    if (!text) continue
    const match = /^([a-z0-9][a-z0-9-]*)(?: (\d{1,12}))?$/.exec(text.text)
    if (!match) {
      check.wrong(text.at, `"${text.text}" must read PRODUCT or PRODUCT AMOUNT in whole rupiah`)
      continue
    }
    const amountMinor = match[2] === undefined ? undefined : rupiah(BigInt(match[2]))
    const sold: Sold = { product: match[1] as string, amountMinor }
    const key = keyOf(sold)
    const whole = [...byCode.values()].some(
      one =>
        one.product === sold.product &&
        (one.amountMinor === undefined) !== (sold.amountMinor === undefined),
    )
    if (taken.has(key)) check.wrong(entry.at, `"${text.text}" has two codes`)
    else if (whole) {
      check.wrong(entry.at, `"${sold.product}" has codes with a denomination and without one`)
    } else byCode.set(code, sold)
    taken.add(key)
  }
  return new Products(byCode)
}

import type { KeyTypeName, MadeKey } from '#hsm'
import type { IsoDraft, IsoMessage } from '#iso8583'
import type { ExchangeProfile, ExchangeSettings, Part, Place } from './exchange-profile.ts'

/** A key as it stands in a message of the exchange. */
export type Offered = {
  readonly type: KeyTypeName
  /** As the HSM takes it: with the letter of its scheme. */
  readonly wrapped: string
  /** Undefined where the profile has none. */
  readonly checkValue: string | undefined
}

/** Undefined when no key of this exchange stands there. */
export function readOffer(
  message: IsoMessage,
  { profile, keys }: ExchangeSettings,
): Offered | undefined {
  const found: Partial<Record<Part['is'], string>> = {}
  for (const place of profile.places) {
    const value = message.get(place.element)
    if (value === undefined || !readPlace(place, value, found)) return undefined
  }
  const { key, mark, check: checkValue } = found
  const type = keys.find(one => mark === undefined || profile.marks[one] === mark)
  if (type === undefined || !key) return undefined
  return { type, wrapped: withScheme(key), checkValue }
}

export function writeOffer(
  draft: IsoDraft,
  type: KeyTypeName,
  { key, checkValue }: MadeKey,
  { places, marks, written }: ExchangeProfile,
): void {
  const values: Record<Exclude<Part['is'], 'text'>, string> = {
    key: written === 'U' ? key : key.slice(1),
    mark: marks[type] ?? '',
    check: checkValue,
  }
  for (const { element, parts } of places) {
    const texts = parts.map(part =>
      part.is === 'text'
        ? part.text
        : part.is === 'key'
          ? values.key
          : values[part.is].slice(0, part.digits),
    )
    draft.set(element, texts.join(''))
  }
}

/** Only the mark, for who asks: the rest of its element is filled with zeros. */
export function writeWanted(draft: IsoDraft, type: KeyTypeName, profile: ExchangeProfile): void {
  for (const { element, parts } of profile.places) {
    if (!parts.some(({ is }) => is === 'mark')) continue
    const texts = parts.map(part =>
      part.is === 'mark' ? (profile.marks[type] ?? '') : part.is === 'text' ? part.text : '',
    )
    draft.set(element, texts.join(''))
  }
}

/** Which key is asked for; undefined when none of this exchange is. */
export function readWanted(
  message: IsoMessage,
  { profile, keys }: ExchangeSettings,
): KeyTypeName | undefined {
  for (const { element, parts } of profile.places) {
    if (parts[0]?.is !== 'mark') continue
    const mark = message.get(element)?.slice(0, parts[0].digits)
    return keys.find(one => profile.marks[one] === mark)
  }
  return keys[0]
}

/** Whether two check values are the same, as far as the shorter one tells. */
export function sameCheckValue(made: string, told: string): boolean {
  const digits = Math.min(made.length, told.length)
  return digits >= CHECK_DIGITS_MIN && made.slice(0, digits) === told.slice(0, digits).toUpperCase()
}

const CHECK_DIGITS_MIN = 4

/** Parts of fixed size from both ends; the key is what they leave over. */
function readPlace(
  { parts }: Place,
  value: string,
  found: Partial<Record<Part['is'], string>>,
): boolean {
  const sizes = parts.map(part =>
    part.is === 'key' ? 0 : part.is === 'text' ? part.text.length : part.digits,
  )
  const rest = value.length - sizes.reduce((sum, size) => sum + size, 0)
  if (rest < 0 || (rest > 0 && !parts.some(({ is }) => is === 'key'))) return false
  let at = 0
  for (const [index, part] of parts.entries()) {
    const end = at + (part.is === 'key' ? rest : (sizes[index] as number))
    const piece = value.slice(at, end)
    if (part.is === 'text' && piece !== part.text) return false
    found[part.is] = piece
    at = end
  }
  return true
}

/** Bare digits are ECB under the ZMK, by their number X or Y; all else has its own letter. */
function withScheme(key: string): string {
  if (/^[0-9A-F]{32}$/i.test(key)) return `X${key}`
  return /^[0-9A-F]{48}$/i.test(key) ? `Y${key}` : key
}

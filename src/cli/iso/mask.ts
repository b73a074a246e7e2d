import { luhn } from '#base'
import type { FieldMask } from '#iso8583'
import { maskValue } from '#message'
import type { Node } from './tree.ts'

/** What of a value is shown. */
export function shown({ mask, text = '', spec }: Node, unsafe: boolean): string {
  if (unsafe) return text
  if (mask) return masked(mask, text)
  // Digits of a fixed width are amounts, dates and counters; elsewhere a card number may hide.
  const free = spec?.content !== 'b' && !(spec?.content === 'n' && spec.length.form === 'fixed')
  return free ? maskCards(text) : text
}

function masked(mask: FieldMask, text: string): string {
  switch (mask) {
    case 'pan':
      return card(text)
    case 'track':
      return track(text)
    case 'pin':
      return stars(text.length)
    case 'hidden':
    case 'name':
    case 'token':
    case 'partial':
      return maskValue(mask, text)
  }
}

const stars = (count: number) => '*'.repeat(Math.max(0, count))

/** First six and last four, when enough is between them; nothing else of a card number is shown. */
function card(text: string): string {
  const digits = text.trimEnd().replace(/F+$/i, '')
  if (digits.length < 13) return stars(text.length)
  return (
    digits.slice(0, 6) + stars(digits.length - 10) + digits.slice(-4) + text.slice(digits.length)
  )
}

/** The card number in it as above, and nothing behind it. */
function track(text: string): string {
  const match = /^(%?[A-Z]?)(\d{12,19})([=D^])/i.exec(text)
  if (!match) return stars(text.length)
  const [all, start = '', number = '', separator = ''] = match
  return start + card(number) + separator + stars(text.length - all.length)
}

/** Card numbers inside of free text: 13 to 19 digits by themselves whose check digit is right. */
export function maskCards(text: string): string {
  return text.replace(/(?<!\d)\d{13,19}(?!\d)/g, digits => (luhn(digits) ? card(digits) : digits))
}

const DIGITS = Array.from({ length: 10 }, (_, digit) => `${digit}`)

/**
 * A value of the same length and class that says nothing: digits become 0, letters X. A card number
 * keeps its first six and last four, and its check digit stays right.
 */
export function redacted({ mask, text = '', spec }: Node): string {
  // Bytes are told as hexadecimal, also those of tags that the dialect does not name.
  const blank = spec === undefined || /^(?:b|h)$/.test(spec.content) ? blankHex : blankText
  if (mask === undefined) return redactCards(text)
  if (mask === 'pan') return redactCard(text, blank)
  if (mask !== 'track') return blank(text)
  const match = /^(%?[A-Z]?)(\d{12,19})([=D^])(.*)$/is.exec(text)
  if (!match) return blank(text)
  const [, start = '', number = '', separator = '', rest = ''] = match
  return start + redactCard(number, blank) + separator + blank(rest)
}

function redactCards(text: string): string {
  return text.replace(/(?<!\d)\d{13,19}(?!\d)/g, one =>
    luhn(one) ? redactCard(one, blankText) : one,
  )
}

/** Marks and spaces stay, so that the shape of the value does. */
function blankText(text: string): string {
  return text.replace(/\d/g, '0').replace(/[A-Z]/g, 'X').replace(/[a-z]/g, 'x')
}

/** An F that fills up an odd digit stays. */
function blankHex(text: string): string {
  return text.replace(/[0-9A-F](?!$)/gi, '0').replace(/[0-9A-E]$/i, '0')
}

function redactCard(text: string, blank: (text: string) => string): string {
  const digits = /^\d*/.exec(text)?.[0] ?? ''
  if (digits.length < 13) return blank(text)
  const [first, last] = [digits.slice(0, 6), digits.slice(-4)]
  const zeros = '0'.repeat(digits.length - 11)
  // One digit between them brings the check digit back.
  const right = DIGITS.find(digit => luhn(first + zeros + digit + last) === luhn(digits))
  return first + zeros + (right ?? '0') + last + text.slice(digits.length)
}

import { NadiError } from '#base'
import type { CodePage } from './ebcdic.ts'
import { CODE_PAGES } from './ebcdic.ts'
import type { Out } from './out.ts'
import { badValue, truncated } from './rejects.ts'
import type { MtiSpec, TextEncoding } from './spec.ts'

/**
 * The message type, four digits (ISO 8583-1, clause 4.1):
 *
 *     0 2 1 0
 *     │ │ │ └ origin: 0 acquirer, 1 its repeat, 2 issuer, 3 its repeat, 4 other, 5 its repeat
 *     │ │ └── function: 0 request, 1 response, 2 advice, 3 advice response, 4 notification, …
 *     │ └──── class: 1 authorization, 2 financial, 3 file, 4 reversal, 5 reconciliation, …, 8 network
 *     └────── version: 0 is 1987, 1 is 1993, 2 is 2003; 8 national, 9 private use
 */
export type MtiVersion = 1987 | 1993 | 2003 | undefined

const digit = (mti: string, place: number): number => mti.charCodeAt(place) - 0x30

export function versionOf(mti: string): MtiVersion {
  return ([1987, 1993, 2003] as const)[digit(mti, 0)]
}

/** Asks for something to be done: it gets a response (even functions but 4, notifications). */
export function isRequest(mti: string): boolean {
  return digit(mti, 2) % 2 === 0 && digit(mti, 2) !== 4
}

/** Answers: an odd function (5, a notification's acknowledgement, too). */
export function isResponse(mti: string): boolean {
  return digit(mti, 2) % 2 === 1
}

/** An advice or the response to one. */
export function isAdvice(mti: string): boolean {
  return digit(mti, 2) === 2 || digit(mti, 2) === 3
}

export function isReversal(mti: string): boolean {
  return digit(mti, 1) === 4
}

export function isNetwork(mti: string): boolean {
  return digit(mti, 1) === 8
}

export function isRepeat(mti: string): boolean {
  return digit(mti, 3) % 2 === 1
}

/** The type that answers: 0200 0210, 0421 0430 (an answer is never a repeat of its request). */
export function responseOf(mti: string): string {
  if (isResponse(mti)) throw badValue('mti', 'a message that can be answered', mti)
  return withDigits(mti, digit(mti, 2) + 1, digit(mti, 3) & ~1)
}

/** The type of a request or advice sent again: 0200 0201. Itself when it is one already. */
export function repeatOf(mti: string): string {
  return withDigits(mti, digit(mti, 2), digit(mti, 3) | 1)
}

/** The type of the advice about what a request asked for: 0200 0220. */
export function adviceOf(mti: string): string {
  return withDigits(mti, isResponse(mti) ? 3 : 2, digit(mti, 3) & ~1)
}

/** The type of the reversal of a request: 0200 0400. As an advice: `adviceOf(reversalOf(mti))`. */
export function reversalOf(mti: string): string {
  return `${mti[0]}400`.slice(0, 3) + (mti[3] ?? '')
}

function withDigits(mti: string, kind: number, origin: number): string {
  return mti.slice(0, 2) + String(kind) + String(origin)
}

/** The message type on the wire. */
export class MtiCodec {
  readonly bytes: number
  readonly #spec: MtiSpec
  readonly #page: CodePage
  /** Which of the ten thousand are taken. */
  readonly #taken: Uint8Array
  #last = ''
  #lastBytes = 0

  constructor(spec: MtiSpec, reservedToo: boolean) {
    const { encoding } = spec
    this.#spec = spec
    this.#taken = Uint8Array.from(TEXTS, (_, mti) => (wrongMti(mti, spec, reservedToo) ? 0 : 1))
    this.bytes = encoding === 'none' ? 0 : encoding === 'bcd' ? 2 : 4
    const text: TextEncoding = encoding === 'none' || encoding === 'bcd' ? 'ascii' : encoding
    this.#page = CODE_PAGES[text]
  }

  /** As a number of four digits; throws CODEC_MTI. */
  read(bytes: Uint8Array, at: number, end: number): number {
    if (this.bytes === 0) return 0
    if (this.bytes > end - at) throw truncated('mti', at, this.bytes, end - at)
    let mti = 0
    for (let place = 0; place < 4; place++) {
      const value = this.#digit(bytes, at, place)
      if (value < 0 || value > 9) throw badMti(at, ['four digits', 'something else'])
      mti = mti * 10 + value
    }
    this.#check(mti, at)
    return mti
  }

  write(out: Out, mti: string): void {
    if (this.bytes === 0) return
    out.room(4)
    // Of the few types that a dialect has, the next is most often the last one again.
    if (mti !== this.#last) this.#remember(mti)
    out.view.setInt32(out.at, this.#lastBytes)
    out.at += this.bytes
  }

  #remember(mti: string): void {
    const number = numberOf(mti)
    if (number < 0) throw badValue('mti', 'four digits')
    this.#check(number, 0)
    let bytes = 0
    for (let i = 0; i < 4; i++) {
      const byte = this.#page.byteOfChar[mti.charCodeAt(i)] as number
      bytes = this.bytes === 2 ? bytes | (digit(mti, i) << (28 - i * 4)) : (bytes << 8) | byte
    }
    this.#last = mti
    this.#lastBytes = bytes
  }

  #digit(bytes: Uint8Array, at: number, place: number): number {
    if (this.bytes === 4) {
      return (this.#page.charOfByte[bytes[at + place] as number] as number) - 0x30
    }
    const byte = bytes[at + (place >> 1)] as number
    return place % 2 === 0 ? byte >> 4 : byte & 15
  }

  #check(mti: number, at: number): void {
    if (this.#taken[mti] === 1) return
    throw badMti(at, wrongMti(mti, this.#spec, false) ?? ['a message type', 'another'])
  }
}

/** What is expected and what is there instead, or undefined for a type that is taken. */
function wrongMti(mti: number, { versions }: MtiSpec, reserved: boolean): string[] | undefined {
  const version = Math.trunc(mti / 1000)
  if (versions.length > 0 && !versions.includes(version)) {
    return [`version ${versions.join(' or ')}`, String(version)]
  }
  if (reserved) return undefined
  const kind = Math.trunc(mti / 100) % 10
  if (kind === 0 || kind === 9) return ['class 1 to 8', String(kind)]
  return mti % 10 > 5 ? ['origin 0 to 5', String(mti % 10)] : undefined
}

function badMti(offset: number, [expected, actual]: readonly string[]): NadiError {
  return new NadiError('CODEC_MTI', {
    path: 'mti',
    offset,
    expected: expected as string,
    actual: actual as string,
  })
}

const TEXTS = Array.from({ length: 10_000 }, (_, mti) => String(mti).padStart(4, '0'))

/** Four digits as a number, or -1. */
function numberOf(mti: string): number {
  if (mti.length !== 4) return -1
  let number = 0
  for (let i = 0; i < 4; i++) {
    const value = digit(mti, i)
    if (value < 0 || value > 9) return -1
    number = number * 10 + value
  }
  return number
}

export function mtiText(mti: number): string {
  return TEXTS[mti] as string
}

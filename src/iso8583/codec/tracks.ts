/**
 * What stands on the tracks of a card (ISO/IEC 7813; track 3 ISO/IEC 4909), as data elements 45, 35
 * and 36 carry it: without start and end sentinel and without check character.
 *
 *     track 1   B4761739001010010^DOE/JOHN^2812201000000000
 *               │ └ pan             └ name   │   │  └ discretionary
 *               └ format             expires ┘   └ service
 *     track 2   4761739001010010=2812201000000000       separator = or D
 *     track 3   014761739001010010=36036000...          format 01, further fields are the issuer's
 *
 * All of it is sensitive: none may be logged or shown but the masked number.
 */
export type Track1 = CardTrack & { readonly format: string; readonly name: string }
export type Track2 = CardTrack
export type CardTrack = {
  readonly pan: string
  /** YYMM, or undefined where a separator stands instead. */
  readonly expires: string | undefined
  /** Three digits, or undefined where a separator stands instead. */
  readonly service: string | undefined
  readonly discretionary: string
}
export type Track3 = {
  readonly format: string
  readonly pan: string
  /** All behind the first separator, fields and separators as they are. */
  readonly rest: string
}

const TRACK_1 = /^([A-Z])([0-9]{1,19})\^([^^]{2,26})\^(?:([0-9]{4})|\^)(?:([0-9]{3})|\^)([^^?]*)$/
const TRACK_2 = /^([0-9]{1,19})[=D](?:([0-9]{4})|[=D])(?:([0-9]{3})|[=D])([0-9:;<=>D]*)$/
const TRACK_3 = /^([0-9]{2})([0-9]{1,19})[=D]([0-9:;<=>?D]*)$/

/** Takes track 1 apart; undefined when it is none. The name keeps its blanks and its slash. */
export function parseTrack1(text: string): Track1 | undefined {
  const match = TRACK_1.exec(text)
  if (!match) return undefined
  const [, format, pan, name, expires, service, discretionary] = match as unknown as string[]
  return { format, pan, name, expires, service, discretionary } as Track1
}

export function parseTrack2(text: string): Track2 | undefined {
  const match = TRACK_2.exec(text)
  if (!match) return undefined
  const [, pan, expires, service, discretionary] = match as unknown as string[]
  return { pan, expires, service, discretionary } as Track2
}

export function parseTrack3(text: string): Track3 | undefined {
  const match = TRACK_3.exec(text)
  if (!match) return undefined
  const [, format, pan, rest] = match as unknown as string[]
  return { format, pan, rest } as Track3
}

/** Track 1 put together again. */
export function formatTrack1({ format, name, ...card }: Track1): string {
  return `${format}${card.pan}^${name}^${tailOf(card, '^')}`
}

/** Track 2 put together again, with `=` between number and expiry. */
export function formatTrack2(card: Track2): string {
  return `${card.pan}=${tailOf(card, '=')}`
}

export function formatTrack3({ format, pan, rest }: Track3): string {
  return `${format}${pan}=${rest}`
}

/** What is missing has a separator in its place. */
function tailOf({ expires, service, discretionary }: CardTrack, separator: string): string {
  return (expires ?? separator) + (service ?? separator) + discretionary
}

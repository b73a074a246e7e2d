import { isNadiError } from '#base'
import {
  CHANNELS,
  compileFraming,
  type Framer,
  type FramingSpec,
  type HeaderForm,
  type IsoCodec,
  measureBy,
} from '#iso8583'
import type { Check } from './check.ts'
import type { MapEntry, MapTree, Tree } from './source.ts'

const FRAME_BYTES_MAX = 1_000_000

/**
 * `framing:`, part by part or by the name that it has in the trade:
 *
 *     framing: { length: 2 bytes big-endian, counts: body trailer, trailer: 03, frameBytesMax: 4096 }
 *     framing: { length: 2 bytes big-endian, counts: header body, header: tpdu swapped 6000010002,
 *                frameBytesMax: 4096 }
 *     framing: { channel: nac-tpdu, frameBytesMax: 4096 }
 */
export function compilePackFraming(
  check: Check,
  { at, value }: MapEntry,
  codec: IsoCodec | undefined,
): Framer | undefined {
  const map = check.map(value, 'framing')
  const spec = map && (map.entries.has('channel') ? byName(check, map) : byParts(check, map))
  if (!spec || !codec) return undefined
  try {
    return compileFraming(spec, { measure: measureBy(codec) })
  } catch (error) {
    if (!isNadiError(error, 'CODEC_SPEC')) throw error
    return check.wrong(at, `this framing cannot be: expected ${error.expected}`)
  }
}

function byName(check: Check, map: MapTree): FramingSpec | undefined {
  check.only(map, ['channel', 'header', 'frameBytesMax'])
  const [channel, max] = [check.need(map, 'channel'), check.need(map, 'frameBytesMax')]
  if (!channel || !max) return undefined
  const names = Object.keys(CHANNELS) as (keyof typeof CHANNELS)[]
  const name = check.oneOf(channel.value, 'channel', names)
  const frameBytesMax = check.integer(max.value, 'frameBytesMax', 20, FRAME_BYTES_MAX)
  const entry = map.entries.get('header')
  const header = entry && parseHeader(check, entry.value)
  if (!name || frameBytesMax === undefined || (entry && !header)) return undefined
  const { framing } = CHANNELS[name]
  return { ...framing, frameBytesMax, ...(header && { header }) }
}

function byParts(check: Check, map: MapTree): FramingSpec | undefined {
  check.only(map, ['length', 'counts', 'header', 'trailer', 'frameBytesMax'])
  const [length, counts, max] = [
    check.need(map, 'length'),
    check.need(map, 'counts'),
    check.need(map, 'frameBytesMax'),
  ]
  if (!length || !counts || !max) return undefined
  const lengthSpec = parseLength(check, length.value)
  const counted = parseCounts(check, counts.value)
  const frameBytesMax = check.integer(max.value, 'frameBytesMax', 20, FRAME_BYTES_MAX)
  const trailerEntry = map.entries.get('trailer')
  const trailer = trailerEntry && parseTrailer(check, trailerEntry.value)
  const headerEntry = map.entries.get('header')
  const header = headerEntry && parseHeader(check, headerEntry.value)
  if (!lengthSpec || !counted || frameBytesMax === undefined) return undefined
  for (const part of ['trailer', 'header'] as const) {
    if (counted.includes(part) && !map.entries.has(part)) {
      return check.wrong(counts.at, `counts names a ${part}, and there is none`)
    }
  }
  return {
    length: lengthSpec,
    counts: {
      itself: counted.includes('length'),
      trailer: counted.includes('trailer'),
      header: counted.includes('header'),
    },
    ...(trailer && { trailer }),
    ...(header && { header }),
    frameBytesMax,
  }
}

const COUNTED = ['length', 'header', 'body', 'trailer']

/** What the length counts, named in the order on the wire: `length header body trailer`. */
function parseCounts(check: Check, tree: Tree): readonly string[] | undefined {
  const text = check.text(tree, 'counts')?.text ?? ''
  const words = text.split(' ')
  const inOrder = COUNTED.filter(word => words.includes(word)).join(' ') === text
  if (inOrder && words.includes('body')) return words
  const allowed = 'body, and beside it length, header, trailer, as in "length header body trailer"'
  return check.wrong(tree.at, `counts is "${text}"; there are ${allowed}`)
}

function parseLength(check: Check, tree: Tree): FramingSpec['length'] | undefined {
  const text = check.text(tree, 'length')?.text ?? ''
  const binary = /^([1-4]) bytes? (big|little)-endian$/.exec(text)
  if (binary) {
    const [bytes, order] = [Number(binary[1]) as 2, binary[2] as 'big' | 'little']
    return { form: 'binary', bytes, order }
  }
  const bcd = /^([1-4]) bytes? bcd$/.exec(text)
  if (bcd) return { form: 'bcd', bytes: Number(bcd[1]) as 2 }
  const digits = /^([2-6]) (decimal|hex) digits$/.exec(text)
  if (digits) return { form: digits[2] as 'decimal' | 'hex', digits: Number(digits[1]) }
  if (text === 'none') return { form: 'none', ends: 'trailer' }
  const allowed =
    '2 bytes big-endian, 4 bytes little-endian, 2 bytes bcd, 4 decimal digits, 4 hex digits, none'
  return check.wrong(tree.at, `"${text}" is not a form of length; there are ${allowed}`)
}

function parseTrailer(check: Check, tree: Tree): readonly number[] | undefined {
  const text = check.text(tree, 'trailer')?.text ?? ''
  if (/^(?:[0-9a-fA-F]{2}){1,4}$/.test(text)) return [...Buffer.from(text, 'hex')]
  return check.wrong(tree.at, `the trailer is "${text}"; it is up to 4 bytes as hex digits`)
}

/**
 * `tpdu swapped 6000010002`, `tpdu kept 6000010002`, `base24 ISO005000060 answered 5`,
 * `12 bytes`: what we send before a request, and how an answer turns what came round.
 */
function parseHeader(check: Check, tree: Tree): HeaderForm | undefined {
  const text = check.text(tree, 'header')?.text ?? ''
  const tpdu = /^tpdu (swapped|kept)(?: ([0-9a-fA-F]{10}))?$/.exec(text)
  if (tpdu) {
    const [, how, send] = tpdu
    return { form: 'tpdu', swap: how === 'swapped', ...(send !== undefined && { send }) }
  }
  const base24 = /^base24(?: (ISO[0-9]{9}))? answered ([0-9])$/.exec(text)
  if (base24) {
    const [, send, responder = ''] = base24
    return { form: 'base24', responder, ...(send !== undefined && { send }) }
  }
  const opaque = /^(\d{1,2}) bytes(?: ([0-9a-fA-F]+))?$/.exec(text)
  if (opaque) {
    const [, bytes, send] = opaque
    return { form: 'opaque', bytes: Number(bytes), ...(send !== undefined && { send }) }
  }
  const allowed =
    'tpdu swapped 6000010002, tpdu kept 6000010002, base24 ISO005000060 answered 5, 12 bytes'
  return check.wrong(tree.at, `"${text}" is not a header; there are ${allowed}`)
}

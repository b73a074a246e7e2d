import { fromHex, NadiError } from '#base'
import { CountedReader, type CountedShape } from './counted.ts'
import {
  DelimitedReader,
  findDocument,
  findMessage,
  findTrailer,
  isDocument,
  indexOf,
  type Find,
} from './delimited.ts'
import type { Framer, Measure, OnFrame } from './framing.ts'
import { findGzip, gzip, GZIP_BYTES_MORE } from './gzip.ts'
import { compileHeader, type HeaderCodec } from './header.ts'
import { compileLength, type LengthCodec } from './length.ts'
import type { FramingSpec, LengthForm } from './spec.ts'

export type FramingOptions = {
  /** Needed where the length is `none` and the message ends a frame. */
  readonly measure?: Measure
}

/** Every choice is made here, once. Throws CODEC_SPEC when the spec contradicts itself. */
export function compileFraming(spec: FramingSpec, options: FramingOptions = {}): Framer {
  const parts = compileParts(spec)
  const { length } = spec
  if (length.form === 'none' || length.form === 'document') {
    if (spec.compressed) throw contradicts('a length where the body is compressed')
    return delimited(spec, length, parts, options)
  }
  const codec = compileLength(length)
  return spec.compressed ? zipped(spec, codec, parts) : counted(spec, codec, parts)
}

type Parts = {
  readonly header: HeaderCodec | undefined
  readonly before: Constant
  readonly after: Constant
  readonly trailer: Uint8Array
  /** The largest header and body together as they stand on the wire. */
  readonly contentBytesMax: number
}

function compileParts(spec: FramingSpec): Parts {
  const { trailer, frameBytesMax } = spec
  const header = compileHeader(spec.header)
  if (spec.counts.header === false && header && header.min !== header.max) {
    throw contradicts('a header of fixed size where it is not counted')
  }
  return {
    header,
    before: constant(spec.before),
    after: constant(spec.after),
    trailer: Uint8Array.from(
      trailer === undefined ? [] : typeof trailer === 'number' ? [trailer] : trailer,
    ),
    contentBytesMax: frameBytesMax + (header?.max ?? 0),
  }
}

function counted(spec: FramingSpec, length: LengthCodec, parts: Parts): Framer {
  const { counts, keepAlive, frameBytesMax } = spec
  const { header, before, after, trailer, contentBytesMax } = parts
  const lengthAt = before.bytes.length
  const afterAt = lengthAt + length.bytes
  const prefixBytes = afterAt + after.bytes.length
  const own =
    (counts.itself ? length.bytes : 0) + (counts.constants ? prefixBytes - length.bytes : 0)
  // What has to be taken off the number to get header and body.
  const extra =
    own + (counts.trailer ? trailer.length : 0) - (counts.header === false ? (header?.max ?? 0) : 0)
  const checked = before.checked || after.checked
  const shape: CountedShape = {
    prefixBytes,
    keepAlivesMax: keepAlive?.inARowMax ?? 0,
    restBytes(bytes, at) {
      if (checked) {
        before.check(bytes, at)
        after.check(bytes, at + afterAt)
      }
      const number = length.read(bytes, at + lengthAt)
      const content = number - extra
      if (content >= 1 && content <= contentBytesMax) return content + trailer.length
      if (keepAlive && (number === 0 || number === own)) return 0
      const expected = `a length from ${1 + extra} to ${frameBytesMax + extra}`
      throw new NadiError('FRAME_LENGTH', { expected })
    },
    deliver: deliverer(spec, parts),
  }
  const prefix = (out: Uint8Array, number: number): void => {
    if (lengthAt > 0) out.set(before.bytes, 0)
    length.write(out, lengthAt, number)
    if (afterAt < prefixBytes) out.set(after.bytes, afterAt)
  }
  return {
    frameBytesMax,
    reader: () => new CountedReader(shape),
    wrap(frame, given) {
      checkSize(spec, frame)
      const head = header ? headerToSend(header, given) : NOTHING
      const content = head.length + frame.length
      if (content + extra > length.max) throw wrongSize(spec, frame)
      const out = Buffer.allocUnsafe(prefixBytes + content + trailer.length)
      prefix(out, content + extra)
      fill(out, prefixBytes, head, frame, parts)
      return out
    },
    ...headers(header),
    ...keepAlives(spec, () => {
      const out = new Uint8Array(prefixBytes)
      prefix(out, own)
      return out
    }),
    endsByPause: false,
  }
}

function delimited(
  spec: FramingSpec,
  length: Extract<LengthForm, { form: 'none' | 'document' }>,
  parts: Parts,
  { measure }: FramingOptions,
): Framer {
  const { header, trailer, contentBytesMax } = parts
  if (parts.before.bytes.length + parts.after.bytes.length > 0) {
    throw contradicts('no constants where there is no length')
  }
  const document = length.form === 'document' ? Buffer.from(length.text, 'latin1') : undefined
  const ends = length.form === 'none' ? length.ends : 'document'
  const find = finder(ends, trailer, document, measure)
  const deliver = deliverer(spec, { ...parts, trailer: NOTHING })
  return {
    frameBytesMax: spec.frameBytesMax,
    reader: () =>
      new DelimitedReader({
        find,
        wireBytesMax: contentBytesMax + trailer.length,
        deliver,
        keepAlivesMax: spec.keepAlive?.inARowMax ?? 0,
      }),
    wrap(frame, given) {
      checkSize(spec, frame)
      const head = header ? headerToSend(header, given) : NOTHING
      const out = Buffer.allocUnsafe(head.length + frame.length + trailer.length)
      fill(out, 0, head, frame, parts)
      if (document && !isDocument(frame, document)) {
        throw notSo(`a document that ends with ${document.toString('latin1')}`)
      }
      // A trailer that begins in the body would be found too early.
      if (ends === 'trailer' && indexOf(out, trailer, 0) !== out.length - trailer.length) {
        throw notSo('a body without the bytes that end a frame')
      }
      return out
    },
    ...headers(header),
    ...keepAlives(spec, () => trailer),
    endsByPause: ends === 'pause',
  }
}

function zipped(spec: FramingSpec, length: LengthCodec, parts: Parts): Framer {
  const { frameBytesMax, before, after, trailer, header, keepAlive } = spec
  if (before ?? after ?? trailer ?? header ?? keepAlive) {
    throw contradicts('nothing but a length and the body where that is compressed')
  }
  const find = findGzip(length, frameBytesMax)
  const wireBytesMax = length.bytes + frameBytesMax + GZIP_BYTES_MORE
  const deliver = deliverer(spec, parts)
  return {
    frameBytesMax,
    reader: () => new DelimitedReader({ find, wireBytesMax, deliver, keepAlivesMax: 0 }),
    wrap(frame) {
      checkSize(spec, frame)
      if (frame.length > length.max) throw wrongSize(spec, frame)
      const body = gzip(frame)
      const out = Buffer.allocUnsafe(length.bytes + body.length)
      length.write(out, 0, frame.length)
      out.set(body, length.bytes)
      return out
    },
    ...headers(undefined),
    ...keepAlives(spec, () => NOTHING),
    endsByPause: false,
  }
}

function finder(
  ends: 'trailer' | 'message' | 'pause' | 'document',
  trailer: Uint8Array,
  document: Uint8Array | undefined,
  measure: Measure | undefined,
): Find | undefined {
  if (document) return findDocument(document)
  if (ends === 'trailer') {
    if (trailer.length === 0) throw contradicts('a trailer, which ends a frame')
    return findTrailer(trailer)
  }
  if (ends !== 'message') return undefined
  if (!measure) throw contradicts('a codec that measures messages')
  return findMessage(measure)
}

const NOTHING = new Uint8Array(0)

function deliverer(spec: FramingSpec, parts: Parts): CountedShape['deliver'] {
  const { header, trailer } = parts
  const { frameBytesMax } = spec
  const only = trailer.length === 1 ? (trailer[0] as number) : -1
  if (!header && trailer.length <= 1) {
    return (bytes, start, trailerEnd, onFrame) => {
      const end = trailerEnd - trailer.length
      if (only >= 0 && bytes[end] !== only) throw wrongTrailer(trailer)
      const body = bytes.subarray(start, end)
      // What is looked for and not counted can be longer by as much as ends it.
      if (body.length > frameBytesMax) throw wrongSize(spec, body)
      onFrame(body, NOTHING)
    }
  }
  return (bytes, start, trailerEnd, onFrame: OnFrame) => {
    const end = trailerEnd - trailer.length
    if (!trailer.every((byte, index) => bytes[end + index] === byte)) throw wrongTrailer(trailer)
    const bodyAt = start + (header?.bytes(bytes, start, end) ?? 0)
    const body = bytes.subarray(bodyAt, end)
    if (body.length < 1 || body.length > frameBytesMax) throw wrongSize(spec, body)
    onFrame(body, bytes.subarray(start, bodyAt))
  }
}

function checkSize(spec: FramingSpec, frame: Uint8Array): void {
  if (frame.length < 1 || frame.length > spec.frameBytesMax) throw wrongSize(spec, frame)
}

function headerToSend(header: HeaderCodec, given: Uint8Array | undefined): Uint8Array {
  const head = given ?? header.own
  if (head.length >= header.min && head.length <= header.max) return head
  const expected = `a header of ${header.min} bytes to send before the message`
  throw new NadiError('FRAME_LENGTH', { expected, actual: `${head.length}` })
}

function fill(out: Uint8Array, at: number, head: Uint8Array, body: Uint8Array, parts: Parts): void {
  if (head.length > 0) out.set(head, at)
  out.set(body, at + head.length)
  if (parts.trailer.length > 0) out.set(parts.trailer, at + head.length + body.length)
  parts.header?.complete(out, at, body.length)
}

function headers(header: HeaderCodec | undefined): Pick<Framer, 'answerHeader'> {
  return { answerHeader: given => (header ? header.answer(given) : NOTHING) }
}

function keepAlives(
  { keepAlive }: FramingSpec,
  make: () => Uint8Array,
): Pick<Framer, 'keepAlive' | 'keepAliveAnswered'> {
  return {
    keepAlive: keepAlive && make(),
    keepAliveAnswered: keepAlive?.answered === true,
  }
}

/** Bytes that are always there; `..` is any byte. */
type Constant = {
  readonly bytes: Uint8Array
  readonly checked: boolean
  check(bytes: Uint8Array, at: number): void
}

function constant(text = ''): Constant {
  const bytes = fromHex(text.replaceAll('.', '0'))
  if (!bytes || !/^(?:\.\.|[0-9a-f]{2})*$/i.test(text)) {
    throw contradicts('constants as hexadecimal bytes, or .. for any')
  }
  const fixed = [...bytes.keys()].filter(index => text[index * 2] !== '.')
  return {
    bytes,
    checked: fixed.length > 0,
    check(from, at) {
      for (const index of fixed) {
        if (from[at + index] !== bytes[index]) {
          throw new NadiError('FRAME_LENGTH', { expected: `the bytes ${text} of the framing` })
        }
      }
    },
  }
}

function wrongSize({ frameBytesMax }: FramingSpec, frame: Uint8Array): NadiError {
  const [expected, actual] = [`1 to ${frameBytesMax} bytes`, `${frame.length}`]
  return new NadiError('FRAME_LENGTH', { expected, actual })
}

function wrongTrailer(trailer: Uint8Array): NadiError {
  const expected = `the trailer 0x${Buffer.from(trailer).toString('hex')} after the body`
  return new NadiError('FRAME_LENGTH', { expected })
}

function notSo(expected: string): NadiError {
  return new NadiError('CODEC_VALUE', { path: 'frame', expected })
}

function contradicts(expected: string): NadiError {
  return new NadiError('CODEC_SPEC', { path: 'framing', expected })
}

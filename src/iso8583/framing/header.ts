import { fromHex, fromLatin1, NadiError } from '#base'
import type { HeaderForm } from './spec.ts'

/** The bytes between length and body. */
export type HeaderCodec = {
  /** At least and at most so many bytes. */
  readonly min: number
  readonly max: number
  /** How many of the bytes from `start` to `end` are header. Throws FRAME_LENGTH. */
  bytes(frame: Uint8Array, start: number, end: number): number
  /** What goes out where no header is given; empty where the spec names none. */
  readonly own: Uint8Array
  /** Makes the header fit the body that it goes before. */
  complete(header: Uint8Array, at: number, bodyBytes: number): void
  answer(header: Uint8Array): Uint8Array
}

const NOTHING = new Uint8Array(0)

export function compileHeader(header: HeaderForm | undefined): HeaderCodec | undefined {
  switch (header?.form) {
    case undefined:
      return undefined
    case 'opaque':
      return { ...fixed(header.bytes, hexOf(header.send, header.bytes)), answer: copy }
    case 'tpdu':
      return { ...fixed(TPDU_BYTES, hexOf(header.send, TPDU_BYTES)), answer: answerTpdu(header) }
    case 'base1':
      return base1(header.source, header.destination)
    case 'base24':
      return base24(header.send, header.responder)
  }
}

const TPDU_BYTES = 5

function fixed(bytes: number, own: Uint8Array): Omit<HeaderCodec, 'answer'> {
  return {
    min: bytes,
    max: bytes,
    own,
    complete() {},
    bytes(_, start, end) {
      if (end - start < bytes) throw refused(`a header of ${bytes} bytes`)
      return bytes
    },
  }
}

function copy(header: Uint8Array): Uint8Array {
  return Uint8Array.from(header)
}

//   id │ destination │ source          id │ source │ destination
//   60 │    00 01    │  00 02    ──▶    60 │  00 02 │    00 01
function answerTpdu({ swap }: { readonly swap: boolean }) {
  return (header: Uint8Array): Uint8Array => {
    const out = copy(header)
    if (swap && out.length === TPDU_BYTES) {
      out.set(header.subarray(3, 5), 1)
      out.set(header.subarray(1, 3), 3)
    }
    return out
  }
}

const BASE1_BYTES = 22
/** Two headers, the first as long as its own length byte can say. */
const BASE1_BYTES_MAX = 255 + 255

function base1(source: string, destination: string): HeaderCodec {
  const own = new Uint8Array(BASE1_BYTES)
  own.set([BASE1_BYTES, 1, 2])
  own.set(hexOf(destination, 3), 5)
  own.set(hexOf(source, 3), 8)
  return {
    min: BASE1_BYTES,
    max: BASE1_BYTES_MAX,
    own,
    bytes(frame, start, end) {
      const first = base1Bytes(frame, start, end)
      // The highest bit of the second byte says that another header follows.
      const more = ((frame[start + 1] as number) & 0x80) !== 0
      return more ? first + base1Bytes(frame, start + first, end) : first
    },
    complete(out, at, bodyBytes) {
      const total = (out[at] as number) + bodyBytes
      out[at + 3] = total >> 8
      out[at + 4] = total
    },
    /** A rejected message comes with two headers; only the second one is its own. */
    answer(header) {
      const more = ((header[1] as number) & 0x80) !== 0
      const out = copy(more ? header.subarray(header[0]) : header)
      const there = out.slice(5, 8)
      out.copyWithin(5, 8, 11)
      out.set(there, 8)
      return out
    },
  }
}

function base1Bytes(frame: Uint8Array, start: number, end: number): number {
  const bytes = start < end ? (frame[start] as number) : 0
  if (bytes >= BASE1_BYTES && start + bytes < end) return bytes
  throw refused(`a BASE I header of ${BASE1_BYTES} bytes or more before the body`)
}

const BASE24_BYTES = 12
const BASE24_MARK = fromLatin1('ISO')

function base24(send: string | undefined, responder: string): HeaderCodec {
  const own = send === undefined ? NOTHING : fromLatin1(send)
  if (own.length > 0 && own.length !== BASE24_BYTES) throw contradicts('12 characters to send')
  const fits = fixed(BASE24_BYTES, own)
  return {
    ...fits,
    bytes(frame, start, end) {
      fits.bytes(frame, start, end)
      if (BASE24_MARK.every((byte, index) => frame[start + index] === byte)) return BASE24_BYTES
      throw refused('a header that begins with ISO')
    },
    answer(header) {
      const out = copy(header)
      out[BASE24_BYTES - 1] = responder.charCodeAt(0)
      return out
    },
  }
}

function hexOf(text: string | undefined, bytes: number): Uint8Array {
  if (text === undefined) return NOTHING
  const value = fromHex(text)
  if (value?.length === bytes) return value
  throw contradicts(`${bytes} bytes as hexadecimal`)
}

function refused(expected: string): NadiError {
  return new NadiError('FRAME_LENGTH', { expected })
}

function contradicts(expected: string): NadiError {
  return new NadiError('CODEC_SPEC', { path: 'framing.header', expected })
}

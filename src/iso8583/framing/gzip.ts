import { crc32, gzipSync, inflateRawSync } from 'node:zlib'
import { NadiError } from '#base'
import type { Found } from './delimited.ts'
import type { LengthCodec } from './length.ts'

/** What gzip adds at most to a body that cannot be made smaller (RFC 1952, one member, stored). */
export const GZIP_BYTES_MORE = 128

//   1f 8b │ 08 │ flags │ time (4) │ extra │ system │ deflated … │ CRC-32 (4) │ size (4)
const HEAD_BYTES = 10
const TAIL_BYTES = 8
const MAGIC = [0x1f, 0x8b, 0x08, 0x00]
const SYSTEM_AT = 9
const SYSTEM_UNKNOWN = 255

/** The same bytes on every machine: the system that made them is left unsaid. */
export function gzip(body: Uint8Array): Uint8Array {
  const out = gzipSync(body)
  out[SYSTEM_AT] = SYSTEM_UNKNOWN
  return out
}

/**
 * A length that counts the body before it was compressed, then one gzip member: where it ends only
 * inflating can tell. Never makes more than the length says, which is bounded.
 */
export function findGzip(length: LengthCodec, frameBytesMax: number) {
  return (bytes: Uint8Array): Found | undefined => {
    if (bytes.length < length.bytes) return undefined
    const size = length.read(bytes, 0)
    if (size < 1 || size > frameBytesMax) throw refused(`a length from 1 to ${frameBytesMax}`)
    const inflated = gunzip(bytes.subarray(length.bytes), size)
    if (!inflated) return undefined
    const end = length.bytes + inflated.taken
    return { start: length.bytes, end, next: end, body: inflated.body }
  }
}

function gunzip(bytes: Uint8Array, size: number): { body: Uint8Array; taken: number } | undefined {
  MAGIC.forEach((byte, index) => {
    if (index < bytes.length && bytes[index] !== byte) throw refused('a gzip header without extras')
  })
  if (bytes.length <= HEAD_BYTES) return undefined
  const inflated = inflate(bytes.subarray(HEAD_BYTES), size)
  if (!inflated) return undefined
  const tailAt = HEAD_BYTES + inflated.engine.bytesWritten
  if (bytes.length < tailAt + TAIL_BYTES) return undefined
  const tail = new DataView(bytes.buffer, bytes.byteOffset + tailAt, TAIL_BYTES)
  const body = inflated.buffer
  if (body.length !== size || tail.getUint32(4, true) !== size) throw refused(`${size} bytes`)
  if (tail.getUint32(0, true) !== crc32(body)) throw refused('the CRC-32 of the body')
  return { body, taken: tailAt + TAIL_BYTES }
}

type Inflated = { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } }

/** Undefined when the data ends too early. */
function inflate(bytes: Uint8Array, maxOutputLength: number): Inflated | undefined {
  try {
    return inflateRawSync(bytes, { maxOutputLength, info: true }) as unknown as Inflated
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR') return undefined
    throw refused(`deflated data of ${maxOutputLength} bytes`)
  }
}

function refused(expected: string): NadiError {
  return new NadiError('FRAME_LENGTH', { expected })
}

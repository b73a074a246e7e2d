import { NadiError } from '#base'
import type { DocLimits, Source } from './node.ts'

const EMPTY_BASE = 0

export type Charset = 'utf-8' | 'iso-8859-1'

/** What the bytes of a body say. Size and encoding are looked at before anything is parsed. */
export function decodeText(
  body: Uint8Array,
  {
    limits,
    bom,
    charset = 'utf-8',
    base = EMPTY_BASE,
  }: { limits: DocLimits; bom: 'refused' | 'skipped'; charset?: Charset; base?: number },
): Source {
  if (body.length > limits.bytesMax) {
    const [expected, actual] = [`at most ${limits.bytesMax} bytes`, `${body.length}`]
    throw new NadiError('DOCUMENT_LIMIT', { path: 'body', expected, actual })
  }
  const skip = startsWithBom(body) ? BOM_BYTES : 0
  if (skip > 0 && bom === 'refused') {
    throw new NadiError('DOCUMENT_SYNTAX', { path: 'body', offset: base, expected: 'no BOM' })
  }
  const whole = asBuffer(body)
  const bytes = skip > 0 ? whole.subarray(skip) : whole
  if (charset === 'iso-8859-1') {
    return { text: bytes.toString('latin1'), base: base + skip, limits, latin1: true }
  }
  const text = bytes.toString('utf8')
  // Bytes that are not UTF-8 become U+FFFD; one that was sent as such is told apart by its bytes.
  if (text.includes('\ufffd') && !Buffer.from(text).equals(bytes)) {
    const offset = base + skip + firstDifference(Buffer.from(text), bytes)
    throw new NadiError('DOCUMENT_SYNTAX', { path: 'body', offset, expected: 'UTF-8' })
  }
  return { text, base: base + skip, limits, latin1: false }
}

function asBuffer(bytes: Uint8Array): Buffer {
  if (bytes instanceof Buffer) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const BOM_BYTES = 3

function startsWithBom(body: Uint8Array): boolean {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  let at = 0
  while (at < b.length && a[at] === b[at]) at++
  return at
}

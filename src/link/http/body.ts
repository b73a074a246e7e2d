import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, type ZlibOptions } from 'node:zlib'
import type { IncomingHttpHeaders } from 'node:http'
import { writeHttpResponse } from '#http'

type Decoder = (body: Uint8Array, options: ZlibOptions) => Promise<Buffer>

const DECODERS: Readonly<Record<string, Decoder>> = {
  gzip: promisify<Uint8Array, ZlibOptions, Buffer>(gunzip),
  'x-gzip': promisify<Uint8Array, ZlibOptions, Buffer>(gunzip),
  deflate: promisify<Uint8Array, ZlibOptions, Buffer>(inflate),
  br: promisify<Uint8Array, ZlibOptions, Buffer>(brotliDecompress),
}

/**
 * The body as it was meant, at most `bytesMax` of it: what unpacks to more is not unpacked further.
 * Undefined when it cannot be had.
 */
export async function decoded(
  body: Buffer,
  encoding: string | undefined,
  bytesMax: number,
): Promise<Buffer | undefined> {
  const name = encoding?.trim().toLowerCase() ?? ''
  if (name === '' || name === 'identity') return body
  const decoder = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined
  if (!decoder) return undefined
  try {
    return await decoder(body, { maxOutputLength: bytesMax })
  } catch {
    return undefined
  }
}

/** True of the connection and not of the message, or no longer true of the body that is kept. */
const NOT_KEPT: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-encoding',
  'content-length',
  'trailer',
  'upgrade',
  // A session of theirs would be a secret in our evidence.
  'set-cookie',
])

/** What came, as a frame (#http). Throws HTTP_FRAME when a header is none. */
export function responseFrame(
  status: number,
  headers: IncomingHttpHeaders,
  body: Uint8Array,
): Uint8Array {
  const kept: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && !NOT_KEPT.has(name))
      kept[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return writeHttpResponse({ status, headers: kept, body })
}

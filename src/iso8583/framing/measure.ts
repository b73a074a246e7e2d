import type { IsoCodec } from '../codec/codec.ts'
import type { Measure } from './framing.ts'

/**
 * Lets a codec say where a message ends, for streams that do not (jPOS calls them PAD channels):
 * too few bytes are a message that goes on, bytes left over are the next one.
 */
export function measureBy(codec: IsoCodec): Measure {
  return bytes => {
    const { error } = codec.parsePartly(bytes)
    if (error === undefined) return bytes.length
    if (error.code === 'CODEC_TRUNCATED') return undefined
    if (error.code === 'CODEC_TRAILING' && error.offset) return error.offset
    throw error
  }
}

import { compileFraming } from '#iso8583'
import type { Framer } from '#iso8583'

/** Two bytes big-endian, the length without itself: what the partners' side speaks. */
export function twoByteFramer(frameBytesMax = 8192): Framer {
  return compileFraming({
    length: { form: 'binary', bytes: 2, order: 'big' },
    counts: { itself: false, trailer: false },
    frameBytesMax,
  })
}

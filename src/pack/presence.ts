import { NadiError } from '#base'
import type { IsoMessage, IsoPath } from '#iso8583'
import type { Variant } from './plan.ts'

const BITMAP_OFFSET = 4

/** Cheaper than `has`, which also asks whether the bit names a field. */
export function isThere(fields: IsoMessage, number: number): boolean {
  return (fields.word((number - 1) >> 5) & (0x80000000 >>> ((number - 1) & 31))) !== 0
}

/** Every element that the message needs is there, and none that it does not have. */
export function checkPresence(fields: IsoMessage, { allowed, required }: Variant): void {
  for (let index = 0; index < allowed.length; index++) {
    const present = fields.word(index)
    const lacking = (required[index] as number) & ~present
    const unknown = present & ~(allowed[index] as number)
    if ((lacking | unknown) === 0) continue
    const number = index * 32 + 1 + Math.clz32(lacking === 0 ? unknown : lacking)
    if (lacking !== 0) throw missing(`de${number}`, BITMAP_OFFSET + fields.codec.spec.headerBytes)
    const [path, offset] = [`de${number}`, placeOf(fields, fields.raw(number))]
    throw new NadiError('PACK_UNKNOWN_FIELD', { path, offset })
  }
}

/** A field that is not there has no offset of its own; the bitmap is where it is not named. */
export function missing(field: string, offset = BITMAP_OFFSET): NadiError {
  const expected = field.includes('.') ? 'this part' : 'its bit in the bitmap'
  return new NadiError('PACK_MISSING_FIELD', { path: field, offset, expected })
}

/** Where a value begins; of what was decoded on the way, where the message does. */
export function offsetOf(fields: IsoMessage, at: IsoPath): number {
  return placeOf(fields, at.readBytes(fields))
}

function placeOf({ frame }: IsoMessage, value: Uint8Array | undefined): number {
  return value?.buffer === frame.buffer ? value.byteOffset - frame.byteOffset : 0
}

import { fromHex } from '#base'
import type { Random } from '#base'
import { KeyBlockLmk } from './key-block-lmk.ts'
import type { Lmk } from './lmk.ts'
import { VariantLmk } from './variant-lmk.ts'

/**
 * The local master keys that every box has for tests. They are published, so nothing under them is
 * secret, and no box that serves payments may have them.
 */
const VARIANT_PAIRS = [
  '01010101010101017902CD1FD36EF8BA',
  '20202020202020203131313131313131',
  '40404040404040405151515151515151',
  '61616161616161617070707070707070',
  '80808080808080809191919191919191',
  'A1A1A1A1A1A1A1A1B0B0B0B0B0B0B0B0',
  'C1C1010101010101D0D0010101010101',
  'E0E0010101010101F1F1010101010101',
  '1C587F1C13924FEF0101010101010101',
  '01010101010101010101010101010101',
  '02020202020202020404040404040404',
  '07070707070707071010101010101010',
  '13131313131313131515151515151515',
  '16161616161616161919191919191919',
  '1A1A1A1A1A1A1A1A1C1C1C1C1C1C1C1C',
  '23232323232323232525252525252525',
  '26262626262626262929292929292929',
  '2A2A2A2A2A2A2A2A2C2C2C2C2C2C2C2C',
  '2F2F2F2F2F2F2F2F3131313131313131',
  '01010101010101010101010101010101',
]
const TDES_BLOCK = '0123456789ABCDEF8080808080808080FEDCBA9876543210'
const AES_BLOCK = '9B71333A13F9FAE72F9D0E2DAB4AD6784718012F9244033F3F26A2DE0C8AA11A'

/** 00 the variant one, 01 the one for TDES key blocks, 02 the one for AES key blocks. */
export function testLmks(random: Random): readonly Lmk[] {
  return [
    new VariantLmk({ id: '00', pairs: VARIANT_PAIRS.map(bytes), checkValue: '2686040000000000' }),
    new KeyBlockLmk({
      id: '01',
      key: bytes(TDES_BLOCK),
      algorithm: 'T',
      checkValue: '1651260000000000',
      random,
    }),
    new KeyBlockLmk({
      id: '02',
      key: bytes(AES_BLOCK),
      algorithm: 'A',
      checkValue: '9D04A00000000000',
      random,
    }),
  ]
}

function bytes(hex: string): Uint8Array {
  return fromHex(hex) ?? new Uint8Array()
}

import type { TextEncoding } from './spec.ts'

/**
 * The EBCDIC code pages of the trade, as the Latin-1 character of each byte 0x00 to 0xff. Line feed
 * stands at 0x15 and next line at 0x25, as payment hosts have them (z/OS open systems mapping).
 * 500 and 1047 differ from 037 in the places given; digits and letters are the same in all three.
 */
const PAGE_037 =
  '000102039c09867f978d8e0b0c0d0e0f101112139d0a08871819928f1c1d1e1f' +
  '808182838485171b88898a8b8c050607909116939495960498999a9b14159e1a' +
  '20a0e2e4e0e1e3e5e7f1a22e3c282b7c26e9eaebe8edeeefecdf21242a293bac' +
  '2d2fc2c4c0c1c3c5c7d1a62c255f3e3ff8c9cacbc8cdcecfcc603a2340273d22' +
  'd8616263646566676869abbbf0fdfeb1b06a6b6c6d6e6f707172aabae6b8c6a4' +
  'b57e737475767778797aa1bfd0dddeae5ea3a5b7a9a7b6bcbdbe5b5dafa8b4d7' +
  '7b414243444546474849adf4f6f2f3f57d4a4b4c4d4e4f505152b9fbfcf9faff' +
  '5cf7535455565758595ab2d4d6d2d3d530313233343536373839b3dbdcd9da9f'

const CHANGES: Readonly<Record<Exclude<TextEncoding, 'ascii'>, string>> = {
  'ebcdic-037': '',
  'ebcdic-500': '4a:5b 4f:21 5a:5d 5f:5e b0:a2 ba:ac bb:7c',
  'ebcdic-1047': '5f:5e ad:5b b0:ac ba:dd bb:a8 bd:5d',
}

export type CodePage = {
  /** Latin-1 character of each byte. */
  readonly charOfByte: Uint8Array
  /** Byte of each Latin-1 character. */
  readonly byteOfChar: Uint8Array
}

function page(changes: string): CodePage {
  const charOfByte = Uint8Array.from(Buffer.from(PAGE_037, 'hex'))
  for (const change of changes.split(' ').filter(Boolean)) {
    const [byte, char] = change.split(':') as [string, string]
    charOfByte[parseInt(byte, 16)] = parseInt(char, 16)
  }
  const byteOfChar = new Uint8Array(256)
  charOfByte.forEach((char, byte) => (byteOfChar[char] = byte))
  return { charOfByte, byteOfChar }
}

const IDENTITY = Uint8Array.from({ length: 256 }, (_, byte) => byte)

export const CODE_PAGES: Readonly<Record<TextEncoding, CodePage>> = {
  ascii: { charOfByte: IDENTITY, byteOfChar: IDENTITY },
  'ebcdic-037': page(CHANGES['ebcdic-037']),
  'ebcdic-500': page(CHANGES['ebcdic-500']),
  'ebcdic-1047': page(CHANGES['ebcdic-1047']),
}

import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { AssertionFailed, SeededRandom } from '#base'
import {
  cfb,
  cipherOf,
  decryptCbc,
  encryptCbc,
  forgetCiphers,
} from '../../src/hsm/crypto/cipher.ts'
import type { Algorithm } from '../../src/hsm/crypto/cipher.ts'
import { dukptKey, forgetDukptKeys, transactionKey } from '../../src/hsm/crypto/dukpt.ts'
import type { DukptPurpose } from '../../src/hsm/crypto/dukpt.ts'
import { aesDukptKey, forgetAesDukptKeys } from '../../src/hsm/crypto/dukpt-aes.ts'
import { Kept } from '../../src/hsm/crypto/kept.ts'
import {
  forgetBlockKeys,
  unwrapBlock,
  wrapBlock,
  wrappingAlgorithm,
} from '../../src/hsm/crypto/key-block.ts'
import { cbcMac, cmac, hmac, padded, retailMac, retailPart } from '../../src/hsm/crypto/mac.ts'
import { isOdd, isSingle, isWeak, oddParity } from '../../src/hsm/crypto/parity.ts'
import {
  accountFor,
  checkChange,
  openPin,
  pinFormat,
  PinProblem,
  sealPin,
  translatePin,
} from '../../src/hsm/crypto/pin-block.ts'
import type { PinFormat, PinKey } from '../../src/hsm/crypto/pin-block.ts'
import { naturalPin, offsetOf, plusOffset, pvvOf } from '../../src/hsm/crypto/pin-check.ts'
import {
  atallaVariant,
  decryptUnder,
  encryptUnder,
  variantOf,
} from '../../src/hsm/crypto/variant.ts'

const random = new SeededRandom(42)
const NOTHING = new Uint8Array()
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')
const hex = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString('hex')
const ofLength = (...lengths: number[]) =>
  fc.constantFrom(...lengths).chain(length => aBlock(length))
const aBlock = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const digits = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.integer({ min: 0, max: 9 }).map(String), minLength, maxLength })

type Key = { readonly algorithm: Algorithm; readonly key: Uint8Array }
const aKey: fc.Arbitrary<Key> = fc.oneof(
  ofLength(8, 16, 24).map(key => ({ algorithm: 'T' as const, key })),
  ofLength(16, 24, 32).map(key => ({ algorithm: 'A' as const, key })),
)

/** What OpenSSL says, with objects of its own for each call. */
function plain({ algorithm, key }: Key, mode: 'ecb' | 'cbc', iv: Uint8Array | null) {
  const whole = algorithm === 'T' && key.length < 24 ? tripled(key) : key
  const name = algorithm === 'A' ? `aes-${key.length * 8}-${mode}` : `des-ede3-${mode}`
  const made = (cipher: ReturnType<typeof createCipheriv>, data: Uint8Array) =>
    hex(Buffer.concat([cipher.setAutoPadding(false).update(data), cipher.final()]))
  return {
    encrypt: (data: Uint8Array) => made(createCipheriv(name, whole, iv), data),
    decrypt: (data: Uint8Array) => made(createDecipheriv(name, whole, iv), data),
  }
}

function tripled(key: Uint8Array): Buffer {
  return Buffer.concat([key, key, key]).subarray(0, 24)
}

t.test('kept ciphers do what fresh ones do, in whatever order they are used', async () => {
  const aCall = fc.record({
    which: fc.nat(3),
    what: fc.constantFrom('encrypt', 'decrypt', 'encrypt cbc', 'decrypt cbc', 'forget'),
    blocks: fc.nat(5),
    seed: fc.nat(),
  })
  fc.assert(
    fc.property(
      fc.array(aKey, { minLength: 4, maxLength: 4 }),
      fc.array(aCall, { maxLength: 30 }),
      (keys, calls) => {
        for (const { which, what, blocks, seed } of calls) {
          const key = keys[which] as Key
          const cipher = cipherOf(key.key, key.algorithm)
          const chance = new SeededRandom(seed)
          const data = chance.bytes(blocks * cipher.blockBytes)
          const iv = chance.bytes(cipher.blockBytes)
          const before = hex(data)
          const same: Record<string, () => boolean> = {
            encrypt: () => hex(cipher.encrypt(data)) === plain(key, 'ecb', null).encrypt(data),
            decrypt: () => hex(cipher.decrypt(data)) === plain(key, 'ecb', null).decrypt(data),
            'encrypt cbc': () =>
              hex(encryptCbc(cipher, iv, data)) === plain(key, 'cbc', iv).encrypt(data),
            'decrypt cbc': () =>
              hex(decryptCbc(cipher, iv, data)) === plain(key, 'cbc', iv).decrypt(data),
            forget: () => (forgetCiphers(), true),
          }
          if (!same[what]?.() || hex(data) !== before) return false
        }
        return true
      },
    ),
  )
})

t.test('part of a block is refused, and leaves nothing behind', async t => {
  const key = bytes('0123456789ABCDEFFEDCBA9876543210')
  for (const algorithm of ['T', 'A'] as const) {
    const cipher = cipherOf(key, algorithm)
    const block = Buffer.alloc(cipher.blockBytes, 7)
    const before = hex(cipher.encrypt(block)) + hex(cipher.encryptCbc(block, block))
    for (const length of [1, cipher.blockBytes - 1, cipher.blockBytes + 1]) {
      t.throws(() => cipher.encrypt(Buffer.alloc(length)), AssertionFailed)
      t.throws(() => cipher.decrypt(Buffer.alloc(length)), AssertionFailed)
      t.throws(() => cipher.encryptCbc(block, Buffer.alloc(length)), AssertionFailed)
    }
    t.equal(hex(cipher.encrypt(block)) + hex(cipher.encryptCbc(block, block)), before)
  }
})

t.test('CFB opens what it has closed, and says where to go on', async () => {
  fc.assert(
    fc.property(
      aKey,
      fc.boolean(),
      fc.uint8Array({ maxLength: 70 }),
      fc.nat(70),
      (key, bytewise, data, at) => {
        const cipher = cipherOf(key.key, key.algorithm)
        const feedback = bytewise ? 1 : cipher.blockBytes
        const iv = Buffer.alloc(cipher.blockBytes, 3)
        const { output } = cfb(cipher, iv, data, feedback, 'encrypt')
        const cut = Math.min(data.length, at - (at % feedback))
        const first = cfb(cipher, iv, output.subarray(0, cut), feedback, 'decrypt')
        const rest = cfb(cipher, first.nextIv, output.subarray(cut), feedback, 'decrypt')
        return hex(Buffer.concat([first.output, rest.output])) === hex(data)
      },
    ),
  )
})

t.test('what is kept for some bytes is never given for others', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.tuple(ofLength(0, 1, 2), ofLength(0, 1, 2)), { maxLength: 60 }),
      (max, asked) => {
        const dropped: string[] = []
        const kept = new Kept<string>(max, value => dropped.push(value))
        let made = 0
        for (const [one, more] of asked) {
          const name = `${hex(one)}/${hex(more)}`
          if (kept.of(one, more, () => (made++, name)) !== name) return false
        }
        kept.clear()
        return dropped.length === made
      },
    ),
  )
})

t.test('bytes that are mixed to one number are told apart', async t => {
  // Well-known pairs that FNV-1a of 32 bits gives one number.
  for (const pair of [
    ['costarring', 'liquid'],
    ['declinate', 'macallums'],
    ['altarages', 'zinkes'],
  ]) {
    const dropped: string[] = []
    const kept = new Kept<string>(100, word => dropped.push(word))
    for (const word of [...pair, ...pair])
      t.equal(
        kept.of(Buffer.from(word), NOTHING, () => word),
        word,
      )
    t.equal(dropped.length, 3, `${pair.join(' and ')} take each other's place`)
  }
})

t.test('a MAC in parts is the MAC in one', async () => {
  fc.assert(
    fc.property(
      aKey,
      fc.uint8Array({ maxLength: 100 }),
      fc.nat(12),
      fc.constantFrom('1', '2', '3'),
      ({ algorithm, key }, data, cut, padding) => {
        const cipher = cipherOf(key, algorithm)
        const { blockBytes } = cipher
        const zeros = Buffer.alloc(blockBytes)
        const blocks = padded(data, padding, blockBytes) as Buffer
        const at = Math.min(cut * blockBytes, blocks.length - blockBytes)
        const [first, rest] = [blocks.subarray(0, at), blocks.subarray(at)]
        const chain = at === 0 ? zeros : cbcMac(cipher, zeros, first)
        const inOne = hex(cbcMac(cipher, zeros, blocks))
        if (hex(cbcMac(cipher, chain, rest)) !== inOne) return false
        // CMAC takes all but a last part from the same chain.
        const whole = Math.min(
          at,
          Math.max(0, Math.ceil(data.length / blockBytes) - 1) * blockBytes,
        )
        const before = whole === 0 ? zeros : cbcMac(cipher, zeros, data.subarray(0, whole))
        const parted = cmac(key, algorithm, data.subarray(whole), before)
        if (hex(parted) !== hex(cmac(key, algorithm, data))) return false
        if (algorithm === 'A') return true
        const retail = at === 0 ? zeros : retailPart(key, zeros, first)
        return hex(retailMac(key, retail, rest)) === hex(retailMac(key, zeros, blocks))
      },
    ),
  )
})

t.test('a retail MAC is a chain under the first key, then D and E once', async () => {
  fc.assert(
    fc.property(ofLength(8, 16, 24), fc.uint8Array({ maxLength: 80 }), (key, data) => {
      const blocks = padded(data, '2', 8) as Buffer
      const first = { algorithm: 'T' as const, key: key.subarray(0, 8) }
      const second = { algorithm: 'T' as const, key: key.length > 8 ? key.subarray(8, 16) : key }
      const last = key.length === 24 ? { ...first, key: key.subarray(16) } : first
      const chain = bytes(plain(first, 'cbc', Buffer.alloc(8)).encrypt(blocks)).subarray(-8)
      const between = bytes(plain(second, 'ecb', null).decrypt(chain))
      const wanted = plain(last, 'ecb', null).encrypt(between)
      return hex(retailMac(key, Buffer.alloc(8), blocks)) === wanted
    }),
  )
})

t.test('padding keeps the data, fills with the least, and tells lengths apart', async () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 50 }),
      fc.constantFrom('1', '2', '3'),
      fc.constantFrom(8, 16),
      (data, padding, blockBytes) => {
        const out = padded(data, padding, blockBytes) as Buffer
        const at = padding === '3' ? blockBytes : 0
        const rest = out.subarray(at + data.length)
        const mark = padding === '2' ? rest[0] === 0x80 : true
        const zeros = rest.subarray(padding === '2' ? 1 : 0).every(byte => byte === 0)
        const least = rest.length <= (data.length === 0 ? 2 : 1) * blockBytes
        const length = padding !== '3' || out.readUInt32BE(blockBytes - 4) === 8 * data.length
        const kept = hex(out.subarray(at, at + data.length)) === hex(data)
        return out.length % blockBytes === 0 && mark && zeros && least && length && kept
      },
    ),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), data => {
      const whole = data.length > 0 && data.length % 8 === 0
      return hex(padded(data, '0', 8)) === (whole ? hex(data) : '')
    }),
  )
})

t.test('HMAC is that of node:crypto, whatever the key is', async () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 150 }),
      fc.uint8Array({ maxLength: 100 }),
      fc.constantFrom('sha1', 'sha224', 'sha256', 'sha384', 'sha512'),
      (key, data, hash) =>
        hex(hmac(key, hash, data)) === createHmac(hash, key).update(data).digest('hex'),
    ),
  )
})

/** A header behind its length, with no optional block, one, one with a long length, and two. */
const HEADERS = [
  'P0TE00E0000',
  'M7HC00N0000',
  'B0TX12S0100KS1800604B120F9292800000',
  'B0TX12S0100KS0004002000604B120F929280000000',
  'B0TX12S0100KS00022000604B120F929280000000AB',
  'D0AB00E0200LB0CCOUNTERSPB14ABCDEFGHIJKLMNOP',
]
const aWrapping = fc.constantFrom('0', '1', 'B', 'D').chain(version =>
  fc.record({
    start: fc.constantFrom(...HEADERS).map(header => `${version}0000${header}`),
    kbpk: version === '1' || version === 'D' ? ofLength(16, 24, 32) : ofLength(16, 24),
    key: ofLength(8, 16, 20, 24, 32, 64),
    paddedBytes: fc.constantFrom(0, 24, 32),
  }),
)

t.test('a key block opens to its key, and to nothing once it was touched', async () => {
  fc.assert(
    fc.property(aWrapping, fc.nat(), fc.nat(15), ({ start, kbpk, key, paddedBytes }, at, by) => {
      const block = wrapBlock(kbpk, start, key, random, paddedBytes)
      const place = at % block.length
      const other = by.toString(16).toUpperCase()
      const byte = at % kbpk.length
      const changed = block.slice(0, place) + other + block.slice(place + 1)
      const otherKbpk = kbpk.map((value, n) => (n === byte ? value ^ 0x10 : value))
      forgetBlockKeys()
      return (
        hex(unwrapBlock(kbpk, block)) === hex(key) &&
        (changed === block || unwrapBlock(kbpk, changed) === undefined) &&
        unwrapBlock(kbpk, block.slice(0, place)) === undefined &&
        unwrapBlock(kbpk, `${block}00`) === undefined &&
        unwrapBlock(otherKbpk, block) === undefined
      )
    }),
    { numRuns: 500 },
  )
})

t.test('a key block that contradicts itself is none', async t => {
  const kbpk = bytes('88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6')
  const sound =
    'D0112P0AE00E0000B82679114F470F540165EDFBF7E250FCEA43F810D215F8D207E2E417C07156A27E8E31DA05F7425509593D03A457DC34'
  t.equal(unwrapBlock(kbpk, sound)?.length, 16)
  t.equal(unwrapBlock(kbpk, sound.toLowerCase()), undefined, 'the header is in capitals')
  const rows: [title: string, block: string][] = [
    ['nothing', ''],
    ['a version that is none', `X${sound.slice(1)}`],
    ['the name of an inherited property', `__proto__${sound}`],
    ['a length that is not its own', `D0096${sound.slice(5)}`],
    ['a length that is no number', `D01 2${sound.slice(5)}`],
    ['a header only', 'D0016P0AE00E0000'],
    ['no room for a key', `D0048P0AE00E0000${'0'.repeat(32)}`],
    ['an optional block that is not there', `D0112P0AE00E0100${sound.slice(16)}`],
    ['an optional block of no length', `D0116P0AE00E0100KS00${sound.slice(16)}`],
    ['an optional block of three characters', `D0116P0AE00E0100KS03${sound.slice(16)}`],
    ['an optional block longer than the rest', `D0116P0AE00E0100KSFF${sound.slice(16)}`],
    ['a long length of no digits', `D0118P0AE00E0100KS0000${sound.slice(16)}`],
    ['characters that are no digits', `${sound.slice(0, 40)}GG${sound.slice(42)}`],
    ['control characters', `D0112P0AE00E00\n0${sound.slice(16)}`],
  ]
  for (const [title, block] of rows) t.equal(unwrapBlock(kbpk, block), undefined, title)
  t.equal(unwrapBlock(kbpk.subarray(0, 8), sound), undefined, 'a KBPK of another length')
  const header = 'P0AE00E0000'
  for (const version of ['A', 'C', 'E', '2'])
    t.throws(
      () => wrapBlock(kbpk.subarray(0, 16), `${version}0000${header}`, kbpk, random),
      TypeError,
    )
  t.throws(() => wrapBlock(kbpk, `B0000${header}`, kbpk, random), TypeError, '32 bytes are AES')
  t.throws(() => wrapBlock(kbpk, `D0000${header}`, Buffer.alloc(5000), random), TypeError)
})

t.test('a block that is authentic, and contradicts itself all the same', async t => {
  const kbpk = bytes('89E88CF7931444F334BD7547FC3F380C')
  const key = 'F039121BEC83D26B169BDCD5B22AAF8F'
  /** Version A by hand: whatever it says of itself is under a MAC that holds. */
  const made = (header: string, clear: string, behind = '') => {
    const [encryption, mac] = [0x45, 0x4d].map(mask => kbpk.map(byte => byte ^ mask)) as [
      Buffer,
      Buffer,
    ]
    const head = Buffer.from(header, 'latin1')
    const body = encryptCbc(cipherOf(encryption, 'T'), head.subarray(0, 8), bytes(clear))
    const over = cbcMac(cipherOf(mac, 'T'), Buffer.alloc(8), Buffer.concat([head, body]))
    return `${header}${hex(body)}${hex(over.subarray(0, 4))}${behind}`.toUpperCase()
  }
  const pad = 'A5A5A5A5A5A5'
  t.equal(hex(unwrapBlock(kbpk, made('A0072P0TE00E0000', `0080${key}${pad}`))).toUpperCase(), key)
  const rows: [title: string, block: string][] = [
    ['its length is another', made('A0080P0TE00E0000', `0080${key}${pad}`)],
    ['characters behind it', made('A0074P0TE00E0000', `0080${key}${pad}`, 'GG')],
    ['half a byte behind it', made('A0073P0TE00E0000', `0080${key}${pad}`, '0')],
    ['a key longer than there is room for', made('A0072P0TE00E0000', `00C0${key}${pad}`)],
    ['a key that is no whole bytes', made('A0072P0TE00E0000', `0081${key}${pad}`)],
    ['a key of no length', made('A0072P0TE00E0000', `0000${key}${pad}`)],
    ['a key of 7 bytes', made('A0072P0TE00E0000', `0038${key}${pad}`)],
  ]
  for (const [title, block] of rows) t.equal(unwrapBlock(kbpk, block), undefined, title)
  const labelled = wrapBlock(kbpk, 'B0000P0TE00E0100LB10ZPK0CCOUNTED', bytes(key), random)
  t.equal(hex(unwrapBlock(kbpk, labelled)).toUpperCase(), key)
  const alike = labelled.replace('ZPK', '\u015APK')
  t.equal(unwrapBlock(kbpk, alike), undefined, 'a letter with the same lower byte')
  // This construction has no way to cover a header that ends inside of a cipher block.
  const crooked = `A0078P0TE00E0100LB06XY${'0'.repeat(56)}`
  t.equal(unwrapBlock(kbpk, crooked), undefined, 'a header that is no whole blocks')
  t.throws(() => wrapBlock(kbpk, '00000P0TE00E0100LB06XY', kbpk, random), TypeError)
  for (const version of ['', 'E', 'AB', 'constructor', '__proto__'])
    t.equal(wrappingAlgorithm(version), undefined, `no version: ${version}`)
})

const SCHEMES: readonly (readonly [letter: string, keyBytes: number])[] = [
  ['Z', 8],
  ['', 8],
  ['U', 16],
  ['X', 16],
  ['T', 24],
  ['Y', 24],
]

t.test('keys under variants open again, and not under another variant', async () => {
  fc.assert(
    fc.property(
      ofLength(16, 24),
      fc.constantFrom(...SCHEMES).chain(scheme => fc.tuple(fc.constant(scheme), aBlock(scheme[1]))),
      fc.integer({ min: 1, max: 9 }),
      (pair, [[letter], key], digit) => {
        const sealed = encryptUnder(pair, letter, key)
        const other = variantOf(pair, digit)
        return (
          hex(decryptUnder(pair, letter, sealed)) === hex(key) &&
          hex(decryptUnder(other, letter, sealed)) !== hex(key) &&
          hex(decryptUnder(atallaVariant(pair, digit), letter, sealed)) !== hex(key)
        )
      },
    ),
  )
})

t.test('wrapping keys of one part, and Atalla variants', async t => {
  const part = bytes('0123456789ABCDEF')
  const key = bytes('FEDCBA98765432100123456789ABCDEF')
  for (const letter of ['U', 'X']) {
    const sealed = hex(encryptUnder(Buffer.concat([part, part]), letter, key))
    t.equal(hex(encryptUnder(part, letter, key)), sealed, `${letter} under 8 bytes`)
  }
  t.equal(hex(atallaVariant(key, 3)), 'e6dcba98765432101923456789abcdef')
  t.equal(hex(variantOf(key, 0)), hex(key))
})

const FORMATS = ['01', '03', '05', '47', '48'] as const
const keyFor = (format: PinFormat, key: Uint8Array): PinKey =>
  format === '48' ? { algorithm: 'A', bytes: key } : { algorithm: 'T', bytes: key }
const aPlace = fc.record({ format: fc.constantFrom(...FORMATS), key: aBlock(16) })

t.test(
  'a PIN is found in its block, and stays the same through every change of format',
  async () => {
    fc.assert(
      fc.property(digits(4, 12), digits(8, 19), aPlace, aPlace, (pin, pan, one, other) => {
        const from = { format: one.format, key: keyFor(one.format, one.key) }
        const into = { format: other.format, key: keyFor(other.format, other.key) }
        const block = sealPin(from.key, from.format, pin, accountFor(from.format, pan), random)
        if (openPin(from.key, from.format, block, accountFor(from.format, pan)) !== pin)
          return false
        try {
          checkChange(from.format, into.format)
        } catch (error) {
          // What may not be is refused by the translation, too, and it leaves nothing.
          return (
            refusal(() => translatePin(from, block, into, pan, random)) ===
            (error as PinProblem).why
          )
        }
        const made = translatePin(from, block, into, pan, random)
        return openPin(into.key, into.format, made, accountFor(into.format, pan)) === pin
      }),
      { numRuns: 500 },
    )
  },
)

t.test('a PIN goes only where ISO 9564-1 lets it', async t => {
  const rows: [from: PinFormat, into: string][] = [
    ['01', '01 03 47 48'],
    ['03', '01 03 47 48'],
    ['05', '01 47 48'],
    ['47', '01 47 48'],
    ['48', '01 47 48'],
  ]
  for (const [from, into] of rows) {
    const allowed = FORMATS.filter(format => refusal(() => checkChange(from, format)) === undefined)
    t.equal(allowed.join(' '), into, `from ${from}`)
  }
  for (const code of ['', '00', '02', '34', 'toString', '__proto__'])
    t.equal(
      refusal(() => pinFormat(code)),
      'format',
      `no format: ${code}`,
    )
})

t.test('a block of anything is a PIN or a refusal, never anything else', async () => {
  fc.assert(
    fc.property(aPlace, ofLength(8, 16), digits(0, 19), ({ format, key }, block, pan) => {
      let pin: string | undefined
      const why = refusal(() => (pin = openPin(keyFor(format, key), format, block, pan)))
      return why === undefined ? /^\d{4,12}$/.test(pin ?? '') : ['values', 'length'].includes(why)
    }),
    { numRuns: 1000 },
  )
})

t.test('what is wrong with a PIN block', async t => {
  const key = bytes('0123456789ABCDEFFEDCBA9876543210')
  const tdes = keyFor('01', key)
  const aes = keyFor('48', bytes('E60B15B90ABDF14CEE337C97440F0D6E'))
  const pan = '5555555551234567'
  // Format, clear block as it is without the account, what is wrong.
  const rows: [title: string, format: PinFormat, clear: string, why: string][] = [
    ['another control digit', '01', '341234FFFFFFFFFF', 'values'],
    ['3 digits', '01', '03123FFFFFFFFFFF', 'length'],
    ['13 digits', '01', '0D1234567890123F', 'length'],
    ['a letter among the digits', '01', '0412A4FFFFFFFFFF', 'values'],
    ['a fill that is not F', '01', '041234FFFFFFFFFE', 'values'],
    ['a digit in the fill', '01', '0412345FFFFFFFFF', 'values'],
    ['another control digit', '05', '041234FFFFFFFFFF', 'values'],
    ['a letter among the digits', '05', '15123F5EDCBA9876', 'values'],
    ['15 digits', '05', '1F12345678901234', 'length'],
    ['another control digit', '47', '041234AAAAAAAAAA', 'values'],
    ['a digit in the fill', '47', '341234AAAAAAAAA9', 'values'],
    ['no digits at all', '03', 'FFFFFFFFFFFFFFFF', 'length'],
    ['a digit behind the fill', '03', '1234FFFFFFFFFFF1', 'values'],
    ['16 digits', '03', '1234567890123456', 'length'],
  ]
  const account = bytes(`0000${accountFor('01', pan)}`)
  for (const [title, format, text, why] of rows) {
    const clear = bytes(text)
    if (format === '01' || format === '47')
      for (const [at, byte] of account.entries()) clear[at] = (clear[at] as number) ^ byte
    const block = cipherOf(key, 'T').encrypt(clear)
    const from = { key: tdes, format }
    const runs = {
      opened: () => openPin(tdes, format, block, accountFor(format, pan)),
      'into format 0': () => translatePin(from, block, { key: tdes, format: '01' }, pan, random),
      'into format 4': () => translatePin(from, block, { key: aes, format: '48' }, pan, random),
    }
    for (const [what, run] of Object.entries(runs))
      t.equal(refusal(run), why, `${format}: ${title}, ${what}`)
  }
  const four = bytes('7D5AF4C33667A2098626027FB7A9A1B7')
  t.equal(
    refusal(() => openPin(aes, '48', four, '4266229809609384667')),
    'values',
    '48: control 3',
  )
  t.equal(
    refusal(() => openPin(aes, '01', four, pan)),
    'key',
    'format 0 is under TDES',
  )
  t.equal(
    refusal(() => openPin(tdes, '48', four, pan)),
    'key',
    'format 4 is under AES',
  )
  t.equal(
    refusal(() => openPin(tdes, '01', four, pan)),
    'values',
    'two blocks',
  )
  const long = '1'.repeat(20)
  t.equal(
    refusal(() => openPin(aes, '48', four, long)),
    'values',
    '20 digits of account',
  )
  t.equal(
    refusal(() => sealPin(aes, '48', '1234', long, random)),
    'values',
    'the same in',
  )
  for (const [pin, why] of [
    ['123', 'length'],
    ['1234567890123', 'length'],
    ['12a4', 'values'],
  ] as const)
    t.equal(
      refusal(() => sealPin(tdes, '01', pin, accountFor('01', pan), random)),
      why,
      pin,
    )
})

t.test('a PIN of another account is not the same PIN', async t => {
  const key = keyFor('01', bytes('0123456789ABCDEFFEDCBA9876543210'))
  const block = sealPin(key, '01', '1234', accountFor('01', '5555555551234567'), random)
  t.equal(
    refusal(() => openPin(key, '01', block, accountFor('01', '5555555551234667'))),
    'values',
  )
  // The check digit is no part of it, and short numbers are filled up on the left.
  t.equal(openPin(key, '01', block, accountFor('01', '5555555551234569')), '1234')
  t.equal(accountFor('01', '12345678'), '000001234567')
  t.equal(accountFor('01', '123456789012'), '012345678901')
  t.equal(accountFor('48', '123456789012'), '123456789012')
})

t.test('an offset leads from the natural PIN to the own one', async () => {
  fc.assert(
    fc.property(
      ofLength(16, 24),
      digits(16, 16),
      digits(4, 12),
      digits(16, 16),
      (pvk, data, pin, table) => {
        const natural = naturalPin(pvk, data, table, pin.length)
        const offset = offsetOf(pin, natural)
        const pvv = pvvOf(pvk, '1', data.slice(-12), pin)
        return plusOffset(natural, offset) === pin && /^\d{4}$/.test(pvv) && /^\d+$/.test(offset)
      },
    ),
  )
})

t.test('DUKPT keys are the same from memory and anew, and no two are alike', async t => {
  const bdk = bytes('0123456789ABCDEFFEDCBA9876543210')
  const purposes: DukptPurpose[] = [
    'pin',
    'mac-request',
    'mac-response',
    'data-request',
    'data-response',
  ]
  const seen = new Set<string>()
  for (let counter = 1; counter <= 40; counter++) {
    const ksn = bytes(`FFFF9876543210E${counter.toString(16).padStart(5, '0')}`)
    const long = bytes(`12345678${'9'.repeat(8)}${counter.toString(16).padStart(8, '0')}`)
    const derive = () => [
      ...purposes.flatMap(purpose => [
        dukptKey(bdk, ksn, purpose),
        aesDukptKey(bdk, long, purpose),
      ]),
      transactionKey(bdk, ksn),
    ]
    const first = derive()
    const names = first.map(hex)
    // A key is its asker's own: wiping it takes nothing from who asks next.
    for (const key of first) key.fill(0)
    t.same(derive().map(hex), names, `counter ${counter}: from memory`)
    forgetDukptKeys()
    forgetAesDukptKeys()
    t.same(derive().map(hex), names, `counter ${counter}: anew`)
    for (const name of names) seen.add(name)
  }
  t.equal(seen.size, 40 * 11)
})

t.test('parity is odd, and changes no cipher', async () => {
  fc.assert(
    fc.property(ofLength(8, 16, 24), aBlock(8), (key, data) => {
      const odd = oddParity(key)
      const same = hex(cipherOf(odd, 'T').encrypt(data)) === hex(cipherOf(key, 'T').encrypt(data))
      return same && isOdd(odd) && hex(oddParity(odd)) === hex(odd) && isWeak(odd) === isWeak(key)
    }),
  )
})

t.test('weak keys and single keys in disguise', async t => {
  const part = '0123456789ABCDEF'
  const rows: [title: string, key: string, weak: boolean, single: boolean][] = [
    ['a good pair', `${part}FEDCBA9876543210`, false, false],
    ['a weak key', '0101010101010101', true, false],
    ['a weak key with other parity', '0000000000000000', true, false],
    ['a weak second part', `${part}1F1F1F1F0E0E0E0E`, true, false],
    ['a semi-weak key', '01FE01FE01FE01FE', true, false],
    ['a semi-weak key', 'E01FE01FF10EF10E', true, false],
    ['nearly a semi-weak key', 'E01FE01FF10EF10D', false, false],
    ['the same part twice', part + part, false, true],
    ['the last two parts alike', `FEDCBA9876543210${part}${part}`, false, true],
    ['the outer parts alike', `${part}FEDCBA9876543210${part}`, false, false],
  ]
  for (const [title, key, weak, single] of rows) {
    t.equal(isWeak(bytes(key)), weak, `${title}: weak`)
    t.equal(isSingle(bytes(key)), single, `${title}: single`)
  }
  t.notOk(isOdd(bytes('00')))
  // A weak key of DES undoes itself; a semi-weak one is undone by its pair.
  const twice = (key: string, other: string) =>
    hex(cipherOf(bytes(other), 'T').encrypt(cipherOf(bytes(key), 'T').encrypt(bytes(part))))
  for (const key of [
    '0101010101010101',
    'FEFEFEFEFEFEFEFE',
    '1F1F1F1F0E0E0E0E',
    'E0E0E0E0F1F1F1F1',
  ])
    t.equal(twice(key, key).toUpperCase(), part, `${key} undoes itself`)
  for (const [key, other] of [
    ['011F011F010E010E', '1F011F010E010E01'],
    ['01E001E001F101F1', 'E001E001F101F101'],
    ['01FE01FE01FE01FE', 'FE01FE01FE01FE01'],
    ['1FE01FE00EF10EF1', 'E01FE01FF10EF10E'],
    ['1FFE1FFE0EFE0EFE', 'FE1FFE1FFE0EFE0E'],
    ['E0FEE0FEF1FEF1FE', 'FEE0FEE0FEF1FEF1'],
  ] as const) {
    t.ok(isWeak(bytes(key)) && isWeak(bytes(other)))
    t.equal(twice(key, other).toUpperCase(), part, `${key} is undone by its pair`)
  }
})

/** Why a PIN was refused; undefined when it was not. Anything but a PinProblem is a bug. */
function refusal(run: () => unknown): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (!(error instanceof PinProblem)) throw error
    return error.why
  }
}

import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Random } from '#base'
import { type Algorithm, cipherOf, encryptCbc, xor } from '../../src/hsm/crypto/cipher.ts'
import { dukptKey, transactionKey } from '../../src/hsm/crypto/dukpt.ts'
import {
  aesDukptKey,
  aesInitialKey,
  aesTransactionKey,
  aesUpdateKey,
  isAesKsn,
} from '../../src/hsm/crypto/dukpt-aes.ts'
import type { AesPurpose, WorkingKind } from '../../src/hsm/crypto/dukpt-aes.ts'
import { unwrapBlock, wrapBlock } from '../../src/hsm/crypto/key-block.ts'
import { cbcMac, cmac, hmac, padded, retailMac, retailPart } from '../../src/hsm/crypto/mac.ts'
import { checkValueOf, oddParity, zeroCheckValueOf } from '../../src/hsm/crypto/parity.ts'
import {
  accountFor,
  openPin,
  PinProblem,
  sealPin,
  translatePin,
  twelveOf,
} from '../../src/hsm/crypto/pin-block.ts'
import type { PinFormat, PinKey, PinPlace } from '../../src/hsm/crypto/pin-block.ts'
import { accountField, clearBlock } from '../../src/hsm/crypto/pin-format.ts'
import { cvvOf, naturalPin, offsetOf, plusOffset, pvvOf } from '../../src/hsm/crypto/pin-check.ts'
import { decryptUnder, encryptUnder, variantOf } from '../../src/hsm/crypto/variant.ts'

/** Every published or recomputed value that we have, through the primitives. */
type Row = Readonly<Record<string, string> & { padding?: number; c?: string[]; kcvs?: string[] }>
const VECTORS = JSON.parse(
  readFileSync(new URL('./fixtures/crypto-vectors.json', import.meta.url), 'utf8'),
) as Record<string, Row[]>

const rows = (group: string): Row[] => VECTORS[group] ?? []
const bytes = (hex = ''): Buffer => Buffer.from(hex, 'hex')
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex').toUpperCase()
const ZEROS = Buffer.alloc(8)

/** Chance that was drawn already. */
const drawn = (padHex: string): Random => ({
  next: () => 0,
  bytes: () => bytes(padHex),
})

/** The same, a byte after another. */
const inTurn = (all: string): Random => {
  let at = 0
  return { next: () => 0, bytes: count => bytes(all).subarray(at, (at += count)) }
}

t.test('key blocks (X9.143, TR-31)', async t => {
  for (const { name, kbpk, block, padHex, kcv, result } of rows('tr31')) {
    const text = block as string
    t.equal(hex(unwrapBlock(bytes(kbpk), text) ?? ZEROS), result, `${name}: opens`)
    // The check values of this group are the older ones, over zeros, for TDES keys.
    if (kcv?.length === 6 && text[7] === 'T')
      t.equal(zeroCheckValueOf(bytes(result), 'T', 6), kcv, `${name}: check value`)
    if (padHex === undefined) continue
    const count = Number(text.slice(12, 14))
    const header = count === 0 ? text.slice(0, 16) : text.slice(0, 40)
    const padBytes = 2 + (result as string).length / 2 + bytes(padHex).length - 2
    const again = () => wrapBlock(bytes(kbpk), header, bytes(result), drawn(padHex), padBytes)
    if (/^[AC]/.test(text)) t.throws(again, TypeError, `${name}: is not made any more`)
    else t.equal(again(), text, `${name}: wraps to the same`)
    for (const at of [6, 20, text.length - 1]) {
      const changed = text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1)
      t.equal(unwrapBlock(bytes(kbpk), changed), undefined, `${name}: changed at ${at}`)
    }
  }
})

t.test('Thales key blocks and variants', async t => {
  for (const { lmk, zmk, block, key } of rows('thales-keyblock'))
    t.equal(hex(unwrapBlock(bytes(lmk ?? zmk), (block as string).slice(1)) ?? ZEROS), key)
  const pairs = VECTORS['lmkVariantTest'] as unknown as Record<string, string>
  const pairOf: Record<string, string> = {
    '00': '04-05',
    '01': '06-07',
    '02': '14-15',
    '03': '16-17',
    '04': '18-19',
    '08': '26-27',
    '09': '28-29',
    '0A': '30-31',
    '0B': '32-33',
    '0D': '36-37',
  }
  for (const { keyType, underLmk, clear, cipher, U, X, T_of_triple } of rows('lmk-variant')) {
    if (keyType === undefined) {
      const table = cipherOf(variantOf(bytes(pairs['18-19']), 1), 'T')
      t.equal(hex(table.decrypt(bytes(cipher))), clear, 'a decimalisation table')
      continue
    }
    const pair = bytes(pairs[pairOf[keyType.slice(1)] ?? ''])
    // Both forms of terminal key share the pair of PVKs in boxes as old as the vectors.
    const wrapping = variantOf(
      keyType.endsWith('D') ? bytes(pairs['36-37']) : pair,
      Number(keyType[0]),
    )
    for (const text of [underLmk, U, X]) {
      if (text === undefined) continue
      const letter = text.charAt(0)
      t.equal(
        hex(decryptUnder(wrapping, letter, bytes(text.slice(1)))),
        clear,
        `${keyType} ${letter}`,
      )
      t.equal(letter + hex(encryptUnder(wrapping, letter, bytes(clear))), text)
    }
    if (T_of_triple === undefined) continue
    const triple = `${clear}89ABCDEF01234567`
    t.equal(hex(decryptUnder(wrapping, 'T', bytes(T_of_triple.slice(1)))), triple, `${keyType} T`)
    t.equal(`T${hex(encryptUnder(wrapping, 'T', bytes(triple)))}`, T_of_triple)
  }
})

t.test('PIN blocks', async t => {
  const key = { bytes: bytes('0123456789ABCDEFFEDCBA9876543210'), algorithm: 'T' as Algorithm }
  const seal = (block: string) => cipherOf(key.bytes, 'T').encrypt(bytes(block))
  for (const row of rows('pinblock')) {
    const { format, pin = '', pan = '', block = '', random = '', cipher } = row
    if (format === 'iso0') {
      t.equal(openPin(key, '01', seal(block), twelveOf(pan)), pin)
      t.equal(hex(sealPin(key, '01', pin, twelveOf(pan), drawn(''))), hex(seal(block)))
    }
    if (format === 'iso1') {
      t.equal(openPin(key, '05', seal(block), ''), pin)
      const chance = drawn(random.padStart(16, '0'))
      t.equal(hex(clearBlock('05', Uint8Array.from(pin, Number), chance)), block)
    }
    if (format === 'iso4-panfield')
      t.equal(hex(accountField('48', pan)), row['panField'], 'account of format 4')
    if (format === 'iso3-decode') t.equal(openPin(key, '47', seal(block), twelveOf(pan)), pin)
    if (format === 'iso4') {
      const aes = { bytes: bytes(row['key']), algorithm: 'A' as Algorithm }
      t.equal(openPin(aes, '48', bytes(cipher), pan), pin)
      t.equal(hex(sealPin(aes, '48', pin, pan, drawn(random))), cipher)
    }
  }
  const twelve = twelveOf('5555555551234567')
  const wrong: [block: string, why: PinProblem['why']][] = [
    ['241261AAAAEDCBA9', 'values'],
    ['0F1261AAAAEDCBA9', 'length'],
    ['041261AAAAEDCBAA', 'values'],
    ['051261AAAAEDCBA9', 'values'],
  ]
  for (const [block, why] of wrong)
    t.throws(() => openPin(key, '01', seal(block), twelve), new PinProblem(why), block)
})

t.test('PIN verification: PVV, IBM 3624, CVV', async t => {
  for (const { pvk, pvki = '', pin = '', pan = '', pan12, pvv } of rows('pvv'))
    t.equal(pvvOf(bytes(pvk), pvki, pan12 ?? twelveOf(pan), pin), pvv)
  for (const { pvk, table = '', validationData = '', offset = '', pin = '' } of rows('ibm3624')) {
    const natural = naturalPin(bytes(pvk), validationData, table, pin.length)
    t.equal(plusOffset(natural, offset), pin)
    t.equal(offsetOf(pin, natural), offset)
  }
  for (const { cvk, pan = '', expiry = '', serviceCode = '', cvv } of rows('cvv'))
    t.equal(cvvOf(bytes(cvk), pan, expiry, serviceCode), cvv)
})

t.test('MACs', async t => {
  for (const row of rows('mac')) {
    const { alg = '', key, data, dataHex, padding = 1, mac } = row
    if (row['blockHex'] !== undefined) continue
    const text = dataHex === undefined ? Buffer.from(data ?? '') : bytes(dataHex)
    const blocks = padded(text, `${padding as 1 | 2 | 3}`, 8) as Buffer
    const made = alg.includes('alg3')
      ? retailMac(bytes(key), ZEROS, blocks)
      : cbcMac(cipherOf(bytes(key), 'T'), ZEROS, blocks)
    t.equal(hex(made), mac, `${alg}, padding ${padding}`)
  }
  const parts = rows('mac').find(row => row['blockHex'] !== undefined) as Row
  const [key, block] = [bytes(parts['key']), bytes(parts['blockHex'])]
  let chain: Buffer = ZEROS
  for (const wanted of parts['intermediate'] as unknown as string[]) {
    chain = retailPart(key, chain, block)
    t.equal(hex(chain), wanted)
  }
  t.equal(hex(retailMac(key, chain, block)), parts['mac'], 'in parts')
  for (const { alg = '', key, dataHex, mac } of rows('cmac'))
    t.equal(hex(cmac(bytes(key), alg.startsWith('AES') ? 'A' : 'T', bytes(dataHex))), mac, alg)
  for (const { key, data = '', mac } of rows('hmac'))
    t.equal(hex(hmac(bytes(key), 'sha256', Buffer.from(data))), mac)
})

t.test('check values and components', async t => {
  for (const { alg = '', key, kcv = '' } of rows('kcv')) {
    const made = alg.startsWith('TDES')
      ? checkValueOf(bytes(key), 'T', 6)
      : alg.includes('CMAC')
        ? checkValueOf(bytes(key), 'A', 16).slice(0, 10)
        : zeroCheckValueOf(bytes(key), 'A', 6)
    t.equal(made, kcv, alg)
  }
  for (const { c = [], kcvs = [], key, keyOddParity, kcv } of rows('components')) {
    const [a, b] = c as [string, string]
    for (const [n, wanted] of kcvs.entries())
      t.equal(checkValueOf(bytes(c[n]), 'T', 16).slice(0, wanted.length), wanted)
    const joined = oddParity(xor(bytes(a), bytes(b)))
    if (keyOddParity !== undefined) t.equal(hex(joined), keyOddParity)
    if (key !== undefined) t.equal(hex(xor(bytes(a), bytes(b))), key)
    t.equal(checkValueOf(joined, 'T', 6), kcv)
  }
})

t.test('PIN translation', async t => {
  for (const row of rows('pin-translate')) {
    const { pin = '', pan = '', sourceKey, destKeyTDES, destKeyAES, random = '' } = row
    const from: PinPlace = { key: { bytes: bytes(sourceKey), algorithm: 'T' }, format: '01' }
    const source = bytes(row['source_F0_TDES'])
    t.equal(openPin(from.key, '01', source, twelveOf(pan)), pin)
    const tdes = { bytes: bytes(destKeyTDES), algorithm: 'T' as Algorithm }
    const aes = { bytes: bytes(destKeyAES), algorithm: 'A' as Algorithm }
    const letters = inTurn('0000000000010203040500010203')
    const into: [format: PinFormat, key: PinKey, chance: Random, wanted: string | undefined][] = [
      ['01', tdes, drawn(''), row['dest_F0_TDES']],
      ['47', tdes, letters, row['dest_F3_TDES_fill_ABCDEFABCD']],
      ['48', aes, drawn(random), row['dest_F4_AES']],
    ]
    for (const [format, key, chance, wanted] of into) {
      const made = translatePin(from, source, { key, format }, pan, chance)
      t.equal(hex(made), wanted, `into ${format}`)
      t.equal(openPin(key, format, made, accountFor(format, pan)), pin, `and open again`)
    }
  }
})

t.test('TDES DUKPT (X9.24-1)', async t => {
  const bdk = bytes('0123456789ABCDEFFEDCBA9876543210')
  const pan = '4012345678909'
  const text = Buffer.from('4012345678909D987')
  for (const row of rows('dukpt-tdes')) {
    const { name = '', ksn = '', result } = row
    if (row['bdk'] !== undefined || result === undefined) {
      const own = (purpose: 'pin' | 'mac-request') =>
        dukptKey(bytes(row['bdk']), bytes(ksn), purpose)
      if (row['mac'] !== undefined)
        t.equal(hex(retailMac(own('mac-request'), ZEROS, bytes('ABCDEF1234000000'))), row['mac'])
      else {
        const key = { bytes: own('pin'), algorithm: 'T' as Algorithm }
        t.equal(openPin(key, '01', bytes(row['cipher']), row['pan12'] ?? ''), row['pin'])
      }
      continue
    }
    const serial = bytes(ksn)
    const keyFor = (purpose: Parameters<typeof dukptKey>[2]) => dukptKey(bdk, serial, purpose)
    const blocks = padded(text, '1', 8) as Buffer
    const made: Record<string, () => Buffer> = {
      'transaction key': () => transactionKey(bdk, serial),
      'pin block': () =>
        sealPin({ bytes: keyFor('pin'), algorithm: 'T' }, '01', '1234', twelveOf(pan), drawn('')),
      'mac req': () => retailMac(keyFor('mac-request'), ZEROS, blocks).subarray(0, 4),
      'mac resp': () => retailMac(keyFor('mac-response'), ZEROS, blocks).subarray(0, 4),
      'cmac req': () => cmac(keyFor('mac-request'), 'T', text),
      'data req cbc iv0': () => encryptCbc(cipherOf(keyFor('data-request'), 'T'), ZEROS, blocks),
    }
    const make = made[name]
    if (make) t.equal(hex(make()), result, `${name} ${ksn}`)
    else t.fail(`nobody makes "${name}"`)
  }
})

t.test('AES DUKPT (X9.24-3)', async t => {
  const half = bytes('FEDCBA9876543210F1F1F1F1F1F1F1F1')
  const id = bytes('1234567890123456')
  const text = Buffer.from('4012345678909D987')
  for (const { name = '', ksn = '', result } of rows('dukpt-aes')) {
    const bdk = name.startsWith('256') ? Buffer.concat([half, half]) : half
    const serial = bytes(ksn)
    const working = (purpose: AesPurpose, kind: WorkingKind = 'AES128') =>
      aesDukptKey(bdk, serial, purpose, kind)
    const makers: [pattern: RegExp, make: (found: RegExpExecArray) => Buffer][] = [
      [/ IK$/, () => aesInitialKey(bdk, id)],
      [/txn key$/, () => aesTransactionKey(bdk, serial)],
      [/^update key (\w+)/, ([, kind]) => aesUpdateKey(bdk, id, kind as WorkingKind)],
      [/pin_key_aes(\d+)_verify$/, ([, bits]) => working('pin', `AES${bits}` as WorkingKind)],
      [/cmac_aes(\d+)_key/, ([, bits]) => working('mac-request', `AES${bits}` as WorkingKind)],
      [/data_aes(\d+)_key/, ([, bits]) => working('data-request', `AES${bits}` as WorkingKind)],
      [/^CMAC-AES128 request/, () => cmac(working('mac-request'), 'A', text)],
      [/^CMAC resp/, () => cmac(working('mac-response'), 'A', text)],
      [/^HMAC-SHA256 request/, () => hmac(working('mac-request', 'HMAC128'), 'sha256', text)],
      [
        /^data req AES128-CBC/,
        () => {
          const blocks = padded(text, '1', 16) as Buffer
          return encryptCbc(cipherOf(working('data-request'), 'A'), Buffer.alloc(16), blocks)
        },
      ],
      [
        /format-4 PIN block$/,
        () => {
          const key = { bytes: working('pin'), algorithm: 'A' as Algorithm }
          return sealPin(key, '48', '1234', '4111111111111111', drawn('2F69ADDE2E9E7ACE'))
        },
      ],
    ]
    const maker = makers.find(([pattern]) => pattern.test(name))
    if (!maker) t.fail(`nobody makes "${name}"`)
    else t.equal(hex(maker[1](maker[0].exec(name) as RegExpExecArray)), result, `${name} ${ksn}`)
  }
})

t.test('counters that an AES DUKPT device cannot have', async t => {
  const ksn = (counter: string) => bytes(`1234567890123456${counter}`)
  for (const counter of ['00000001', '0001FFFE', 'FFFF0000']) t.ok(isAesKsn(ksn(counter)), counter)
  for (const counter of ['00000000', '0001FFFF', 'FFFFFFFF', '8000FFFF'])
    t.notOk(isAesKsn(ksn(counter)), counter)
})

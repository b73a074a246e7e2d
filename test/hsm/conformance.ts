import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { Test } from 'tap'
import { type ErrorCode, isNadiError, type NadiError } from '#base'
import { KEY_KINDS, KEY_TYPES } from '#hsm'
import type {
  ExportScheme,
  HsmCapabilities,
  KeyKind,
  KeyTypeName,
  MacOf,
  PaymentHsm,
  PinFormat,
} from '#hsm'
import { cipherOf } from '../../src/hsm/crypto/cipher.ts'
import { unwrapBlock } from '../../src/hsm/crypto/key-block.ts'
import { isOdd, isSingle, oddParity } from '../../src/hsm/crypto/parity.ts'
import { accountFor, openPin, sealPin } from '../../src/hsm/crypto/pin-block.ts'
import { decryptUnder, encryptUnder } from '../../src/hsm/crypto/variant.ts'
import { bytes, hex, type HsmUnderTest, random, Vault } from './vault.ts'

/**
 * What every PaymentHsm promises, whoever keeps the keys: the vectors through the interface, with
 * keys that come in under a ZMK as a partner's would; the errors; the limits. What a keeper says it
 * cannot do is asked of it, too: the answer is HSM_NOT_PERMITTED, not a surprise.
 */
export function keepsTheHsmPromise(t: Test, fresh: () => Promise<HsmUnderTest>): void {
  // One keeper for all: none keeps anything between calls, and to start one can take a while.
  let started: Promise<HsmUnderTest> | undefined
  t.teardown(async () => (await started)?.hsm.close())
  for (const [title, suite] of Object.entries(SUITES))
    t.test(title, async t => {
      const under = await (started ??= fresh())
      await suite(t, new Vault(under), under.hsm.capabilities)
    })
}

type Suite = (t: Test, vault: Vault, can: HsmCapabilities) => Promise<void>

type Row = Readonly<Record<string, string> & { padding?: number; c: string[]; kcvs: string[] }>
const VECTORS = JSON.parse(
  readFileSync(new URL('./fixtures/crypto-vectors.json', import.meta.url), 'utf8'),
) as Record<string, Row[]>
const rows = (group: string): Row[] => VECTORS[group] ?? []

const CODES = { 0: '01', 1: '05', 3: '47', 4: '48' } as const
const ZPK = 'C7152C20BC2C830EA7EC9E8334ABE3FE'
const ZPK_INTO = '0123456789ABCDEFFEDCBA9876543210'
const AES_ZPK = '00112233445566778899AABBCCDDEEFF'
const PAN = '4111111111111111'
const TDES_BDK = '0123456789ABCDEFFEDCBA9876543210'
const AES_BDK = 'FEDCBA9876543210F1F1F1F1F1F1F1F1'
const DUKPT_PAN = '4012345678909'

/** A key as it may come in without a block around it. */
const good = (key: string): boolean => isOdd(bytes(key)) && !isSingle(bytes(key))

function sealed(key: string, format: PinFormat, pin: string, pan: string): string {
  const algorithm = format === 4 ? 'A' : 'T'
  const code = CODES[format]
  return hex(sealPin({ bytes: bytes(key), algorithm }, code, pin, accountFor(code, pan), random))
}

function opened(key: string, format: PinFormat, block: string, pan: string): string {
  const algorithm = format === 4 ? 'A' : 'T'
  const code = CODES[format]
  return openPin({ bytes: bytes(key), algorithm }, code, bytes(block), accountFor(code, pan))
}

/** Fails the test unless it is refused with this code; tells what was thrown. */
async function refused(
  t: Test,
  code: ErrorCode,
  what: Promise<unknown>,
  title: string,
): Promise<NadiError | undefined> {
  const error = await what.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  t.ok(isNadiError(error, code), `${title}: ${code}`, { found: String(error) })
  return isNadiError(error) ? error : undefined
}

const SUITES: Readonly<Record<string, Suite>> = {
  async 'it says of itself what it is'(t, { hsm }, can) {
    const status = await hsm.status()
    t.equal(status.up, true)
    t.match(status.lmkCheckValue, /^[0-9A-F]{6,16}$/)
    t.not(status.about, '')
    t.ok(can.kinds.includes('TDES2') && can.pinFormats.includes(0) && can.macs.includes('retail'))
    t.ok(can.dataBytesMax >= 8_192 && can.inFlightMax >= 1)
    const [one, other] = [await hsm.random(16), await hsm.random(16)]
    t.equal(one.length, 16)
    t.notSame(one, other, 'chance does not repeat')
  },

  async 'a key of each type and kind can be made'(t, { hsm }, can) {
    const seen = new Set<string>()
    let made = 0
    for (const type of Object.keys(KEY_TYPES) as KeyTypeName[]) {
      for (const kind of KEY_TYPES[type].kinds as readonly KeyKind[]) {
        if (!can.kinds.includes(kind)) {
          await refused(t, 'HSM_NOT_PERMITTED', hsm.generateKey(type, kind), `${type} ${kind}`)
          continue
        }
        const { key, checkValue } = await hsm.generateKey(type, kind)
        const facts = await hsm.describeKey(key)
        t.same(facts, { type, kind, exportable: KEY_TYPES[type].exportable }, `${type} ${kind}`)
        t.equal(await hsm.checkValue(key), checkValue)
        t.match(checkValue, KEY_KINDS[kind].algorithm === 'T' ? /^[0-9A-F]{6}$/ : /^[0-9A-F]{10}$/)
        seen.add(key)
        seen.add(checkValue)
        made++
      }
    }
    t.equal(seen.size, 2 * made, 'no two keys or check values are alike')
    await refused(t, 'HSM_REQUEST', hsm.generateKey('CVK', 'AES128'), 'a kind the type has not')
    await refused(t, 'HSM_REQUEST', hsm.generateKey('NONE' as 'CVK'), 'a type that is none')
  },

  async 'check values are those of the vectors'(t, vault, can) {
    for (const { alg = '', key = '', kcv = '' } of rows('kcv')) {
      const tdes = alg.startsWith('TDES')
      if (
        tdes
          ? key.length < 32 || !good(key)
          : !alg.includes('CMAC') || !can.kinds.includes('AES128')
      )
        continue
      const block = await vault.key('ZEK', key, tdes ? 'T' : 'A')
      t.equal(await vault.hsm.checkValue(block), kcv, `${alg} ${kcv}`)
    }
  },

  async 'components make the keys of the vectors'(t, { hsm }, can) {
    if (!can.components) {
      await refused(t, 'HSM_NOT_PERMITTED', hsm.generateComponent('ZMK'), 'no components')
      return
    }
    for (const { c, kcvs, kcv } of rows('components')) {
      const parts = await Promise.all(c.map(part => hsm.takeComponent('ZMK', bytes(part))))
      t.same(
        parts.map(part => part.checkValue),
        kcvs.map(value => value.slice(0, 6)),
      )
      const made = await hsm.formKey(
        'ZMK',
        parts.map(part => part.key),
      )
      t.equal(made.checkValue, kcv)
      t.same((await hsm.describeKey(made.key)).type, 'ZMK')
    }
    const one = await hsm.generateComponent('ZMK')
    const other = await hsm.generateComponent('ZPK')
    t.equal(one.clear.length, 16)
    const again = await hsm.takeComponent('ZMK', one.clear)
    t.equal(again.checkValue, one.checkValue, 'what the custodian was shown is what was kept')
    await refused(t, 'HSM_REQUEST', hsm.formKey('ZMK', [one.key]), 'one component')
    await refused(t, 'HSM_REQUEST', hsm.formKey('ZMK', [one.key, again.key]), 'they cancel out')
    await refused(t, 'HSM_KEY_USAGE', hsm.formKey('ZMK', [one.key, other.key]), 'of two types')
    await refused(t, 'HSM_KEY_USAGE', hsm.checkValue(one.key), 'a component is no key')
    const { key } = await hsm.generateKey('ZMK')
    await refused(t, 'HSM_KEY_USAGE', hsm.formKey('ZMK', [key, key]), 'a key is no component')
    await refused(t, 'HSM_REQUEST', hsm.takeComponent('ZMK', bytes('00')), 'too short')
  },

  async 'keys travel under a ZMK'(t, vault, can) {
    const { hsm } = vault
    const { zmk } = vault.under
    for (const [type, key] of [
      ['ZPK', ZPK],
      ['BDK', TDES_BDK],
    ] as const) {
      const block = await vault.key(type, key)
      const values = new Set([await hsm.checkValue(block)])
      for (const scheme of ['X', 'U'] as const) {
        if (!can.exportSchemes.includes(scheme)) {
          await refused(t, 'HSM_NOT_PERMITTED', hsm.exportKey(block, zmk.key, scheme), scheme)
          continue
        }
        const out = await hsm.exportKey(block, zmk.key, scheme)
        t.equal(out.key.charAt(0), scheme)
        t.equal(hex(decryptUnder(zmk.clear, scheme, bytes(out.key.slice(1)))), key, scheme)
        values.add(out.checkValue)
        values.add((await hsm.importKey(type, out.key, zmk.key)).checkValue)
      }
      if (can.exportSchemes.includes('R')) {
        const out = await hsm.exportKey(block, zmk.key, 'R')
        t.match(out.key, /^RB0/)
        t.equal(hex(unwrapBlock(zmk.clear, out.key.slice(1)) ?? zmk.clear), key)
        values.add((await hsm.importKey(type, out.key, zmk.key)).checkValue)
      }
      t.equal(values.size, 1, 'one key has one check value')
    }
  },

  async 'key blocks of the vectors come in'(t, { hsm }, can) {
    if (!can.components) return t.comment('wrapping keys of the vectors are formed of components')
    const types: Record<string, KeyTypeName> = { K0: 'ZMK', B0: 'BDK', P0: 'ZPK', D0: 'ZEK' }
    const blocks = [
      ...rows('tr31').map(({ kbpk, block, result }) => [kbpk, `R${block}`, result]),
      ...rows('thales-keyblock').map(row => [row['zmk'], row['block'], row['key']]),
    ]
    for (const [kbpk, block = '', clear = ''] of blocks) {
      if (kbpk === undefined) continue
      const kind = kindOf(kbpk, block.startsWith('RD') ? 'A' : 'T')
      const under = await formed(hsm, kbpk, kind)
      const type = types[block.slice(6, 8)]
      if (!type || !under || !can.kinds.includes(kind)) continue
      const made = await hsm.importKey(type, block, under)
      const algorithm = block.charAt(8) === 'A' ? 'A' : 'T'
      if (algorithm === 'T')
        t.equal(
          made.checkValue,
          hex(
            cipherOf(bytes(clear), 'T')
              .encrypt(bytes('00'.repeat(8)))
              .subarray(0, 3),
          ),
          block,
        )
      else t.match(made.checkValue, /^[0-9A-F]{10}$/, block)
      const changed = block.slice(0, -1) + (block.endsWith('0') ? '1' : '0')
      await refused(t, 'HSM_KEY', hsm.importKey(type, changed, under), 'a changed block')
      await refused(t, 'HSM_KEY_USAGE', hsm.importKey('CVK', block, under), 'as another type')
    }
  },

  async 'a key is never weaker wrapped than it is, and leaves only if it may'(t, vault, can) {
    const { hsm } = vault
    const { zmk, aesZmk } = vault.under
    const zpk = await vault.key('ZPK', ZPK)
    const { key: zmk2 } = await hsm.generateKey('ZMK', 'TDES2')
    const { key: zpk3 } = await hsm.generateKey('ZPK', 'TDES3')
    await refused(t, 'HSM_NOT_PERMITTED', hsm.exportKey(zpk3, zmk2, 'X'), 'three parts under two')
    await refused(t, 'HSM_NOT_PERMITTED', hsm.exportKey(zmk.key, zmk.key, 'X'), 'a ZMK')
    await refused(t, 'HSM_REQUEST', hsm.exportKey(zpk, zmk.key, 'Q' as ExportScheme), 'no scheme')
    await refused(t, 'HSM_KEY_USAGE', hsm.exportKey(zpk, zpk, 'X'), 'under a key of another type')
    const wrong = `X${hex(encryptUnder(bytes(ZPK_INTO), 'X', bytes(ZPK)))}`
    await refused(t, 'HSM_KEY_PARITY', hsm.importKey('ZPK', wrong, zmk.key), 'under another ZMK')
    const even = bytes(ZPK).map(byte => byte ^ 1)
    const sent = `X${hex(encryptUnder(zmk.clear, 'X', even))}`
    await refused(t, 'HSM_KEY_PARITY', hsm.importKey('ZPK', sent, zmk.key), 'of even parity')
    const corrected = await hsm.importKey('ZPK', sent, zmk.key, 'any')
    t.equal(corrected.checkValue, await hsm.checkValue(zpk), 'of any parity, and corrected')
    const single = `X${hex(encryptUnder(zmk.clear, 'X', bytes('0123456789ABCDEF'.repeat(2))))}`
    await refused(t, 'HSM_REQUEST', hsm.importKey('ZPK', single, zmk.key), 'a single key posing')
    for (const key of [
      '',
      'X',
      'X00',
      `X${'0'.repeat(48)}`,
      `Z${'0'.repeat(16)}`,
      `X${'G'.repeat(32)}`,
    ])
      await refused(t, 'HSM_REQUEST', hsm.importKey('ZPK', key, zmk.key), `"${key.slice(0, 4)}"`)
    if (can.kinds.includes('AES128') && aesZmk) {
      const { key: aes } = await hsm.generateKey('ZPK', 'AES256')
      await refused(t, 'HSM_NOT_PERMITTED', hsm.exportKey(aes, zmk.key, 'R'), 'AES under TDES')
      const { key: block } = await hsm.exportKey(aes, aesZmk.key, 'R')
      t.match(block, /^RD0144P0AB/, 'a block of version D')
    }
    if (!can.exportSchemes.includes('R')) return
    const staying = await vault.block('ZPK', ZPK, { exportability: 'N' })
    await refused(t, 'HSM_NOT_PERMITTED', hsm.exportKey(staying, zmk.key, 'R'), 'N stays')
    t.equal((await hsm.describeKey(staying)).exportable, false)
    const modern = await vault.block('ZPK', ZPK, { exportability: 'E' })
    await refused(t, 'HSM_NOT_PERMITTED', hsm.exportKey(modern, zmk.key, 'X'), 'E in a block only')
    t.match((await hsm.exportKey(modern, zmk.key, 'R')).key, /^RB/)
  },

  async 'PINs are translated as in the vectors'(t, vault, can) {
    const { hsm } = vault
    const [key, intoKey] = [await vault.key('ZPK', ZPK), await vault.key('ZPK', ZPK_INTO)]
    const from = { key, pinBlock: 'F6052A5891953D75', format: 0, pan: PAN } as const
    const made = await hsm.translatePin({ ...from, intoKey, intoFormat: 0 })
    t.equal(made, '2A3D408A1977DDE9')
    const third = await hsm.translatePin({ ...from, intoKey, intoFormat: 3 })
    t.equal(opened(ZPK_INTO, 3, third, PAN), '1234')
    await refused(
      t,
      'HSM_NOT_PERMITTED',
      hsm.translatePin({ ...from, intoKey, intoFormat: 1 }),
      'into 1',
    )
    if (can.pinFormats.includes(4)) {
      const aes = await vault.key('ZPK', AES_ZPK, 'A')
      const fourth = await hsm.translatePin({ ...from, intoKey: aes, intoFormat: 4 })
      t.equal(opened(AES_ZPK, 4, fourth, PAN), '1234')
      const back = {
        key: aes,
        pinBlock: fourth,
        format: 4,
        pan: PAN,
        intoKey,
        intoFormat: 0,
      } as const
      t.equal(await hsm.translatePin(back), '2A3D408A1977DDE9', 'AES back to TDES')
      const other = hsm.translatePin({ ...back, pan: '4111111111111112' })
      await refused(t, 'HSM_PIN_BLOCK', other, 'format 4 for another account')
      const mixed = hsm.translatePin({ ...from, intoKey, intoFormat: 4 })
      await refused(t, 'HSM_KEY_USAGE', mixed, 'format 4 under TDES')
    }
  },

  async 'PIN blocks of the vectors are read, wrong ones are not'(t, vault, can) {
    const { hsm } = vault
    const [key, intoKey] = [await vault.key('ZPK', ZPK), await vault.key('ZPK', ZPK_INTO)]
    const formats: Record<string, 0 | 1 | 3> = { iso0: 0, iso1: 1, 'iso3-decode': 3 }
    for (const { format: name = '', pin, pan = PAN, block } of rows('pinblock')) {
      const format = formats[name]
      if (format === undefined || !can.pinFormats.includes(format)) continue
      const pinBlock = hex(cipherOf(bytes(ZPK), 'T').encrypt(bytes(block)))
      const made = await hsm.translatePin({ key, pinBlock, format, pan, intoKey, intoFormat: 0 })
      t.equal(opened(ZPK_INTO, 0, made, pan), pin, `${name} ${pin?.length} digits`)
    }
    const wrong: [title: string, block: string, format: 0 | 3][] = [
      ['the control digit of another format', '241261AAAAEDCBA9', 0],
      ['a length of 15', '0F1261AAAAEDCBA9', 0],
      ['a length of 3', '031261AAAAEDCBA9', 0],
      ['a wrong fill', '041261AAAAEDCBAA', 0],
      ['a digit that is none', '051261AAAAEDCBA9', 0],
      ['a fill of decimal digits', '341261AAAAEDC009', 3],
    ]
    for (const [title, block, format] of wrong) {
      const pinBlock = hex(cipherOf(bytes(ZPK), 'T').encrypt(bytes(block)))
      const request = {
        key,
        pinBlock,
        format,
        pan: '5555555551234567',
        intoKey,
        intoFormat: 0,
      } as const
      const error = await refused(t, 'HSM_PIN_BLOCK', hsm.translatePin(request), title)
      t.notOk(`${error?.message}${error?.stack}`.includes(pinBlock), 'the block is not told')
    }
    if (!can.pinFormats.includes(4) || !can.kinds.includes('AES128')) return
    for (const { format, key: clear = '', pin, pan = '', cipher = '' } of rows('pinblock')) {
      if (format !== 'iso4') continue
      const aes = await vault.key('ZPK', clear, 'A')
      const request = {
        key: aes,
        pinBlock: cipher,
        format: 4,
        pan,
        intoKey,
        intoFormat: 0,
      } as const
      t.equal(opened(ZPK_INTO, 0, await hsm.translatePin(request), pan), pin, `iso4 ${pan}`)
    }
  },

  async 'a translation keeps the PIN, whatever it is'(t, vault, can) {
    const { hsm } = vault
    const keys: Record<'T' | 'A', [string, string]> = { T: ['', ''], A: ['', ''] }
    keys.T = [await vault.key('ZPK', ZPK), await vault.key('ZPK', ZPK_INTO)]
    if (can.kinds.includes('AES128'))
      keys.A = [await vault.key('ZPK', AES_ZPK, 'A'), await vault.key('ZPK', AES_ZPK, 'A')]
    const clear = { T: [ZPK, ZPK_INTO], A: [AES_ZPK, AES_ZPK] } as const
    const digits = (min: number, max: number) =>
      fc.stringMatching(new RegExp(`^\\d{${min},${max}}$`))
    const formats = can.pinFormats
    const into = formats.filter(format => format !== 1)
    await fc.assert(
      fc.asyncProperty(
        digits(4, 12),
        digits(13, 19),
        fc.constantFrom(...formats),
        fc.constantFrom(...into),
        async (pin, pan, format, intoFormat) => {
          const [one, other] = [format === 4 ? 'A' : 'T', intoFormat === 4 ? 'A' : 'T'] as const
          const made = await hsm.translatePin({
            key: keys[one][0],
            pinBlock: sealed(clear[one][0], format, pin, pan),
            format,
            pan,
            intoKey: keys[other][1],
            intoFormat,
          })
          return opened(clear[other][1], intoFormat, made, pan) === pin
        },
      ),
      { numRuns: 60 },
    )
    t.pass('sixty translations')
  },

  async 'PVVs are those of the vectors'(t, vault) {
    const { hsm } = vault
    const key = await vault.key('ZPK', ZPK)
    for (const { pvk: clear = '', pvki = '', pin = '', pan, pan12 = '', pvv = '' } of rows('pvv')) {
      if (!good(clear)) continue
      const account = pan ?? `9999${pan12}0`
      const pvk = await vault.key('PVK', clear)
      const from = { key, pinBlock: sealed(ZPK, 0, pin, account), format: 0, pan: account } as const
      t.equal(await hsm.generatePvv({ ...from, pvk, pvki }), pvv, pvv)
      t.equal(await hsm.verifyPinPvv({ ...from, pvk, pvki, pvv }), true)
      const other = pvv.startsWith('0') ? `1${pvv.slice(1)}` : `0${pvv.slice(1)}`
      t.equal(await hsm.verifyPinPvv({ ...from, pvk, pvki, pvv: other }), false, 'a wrong PIN')
    }
  },

  async 'PINs and offsets of IBM 3624 are those of the vectors'(t, vault, can) {
    const { hsm } = vault
    if (!can.sealsDecimalisation) {
      await refused(t, 'HSM_NOT_PERMITTED', hsm.sealDecimalisation('0123456789012345'), 'no tables')
      return
    }
    const key = await vault.key('ZPK', ZPK)
    for (const row of rows('ibm3624')) {
      const { pvk: clear = '', table = '', pin = '', offset = '', acct12 = '111111111111' } = row
      if (!good(clear)) continue
      const pan = `${acct12}0`
      const from = { key, pinBlock: sealed(ZPK, 0, pin, pan), format: 0, pan } as const
      const ibm = {
        pvk: await vault.key('PVK_IBM', clear),
        decimalisation: await hsm.sealDecimalisation(table),
        validation: row['pinValidationData'] ?? row['validationData'] ?? '',
        pinLength: pin.length,
      }
      t.equal(await hsm.generateOffset({ ...from, ...ibm }), offset, offset)
      t.equal(await hsm.verifyPinIbm({ ...from, ...ibm, offset }), true)
      t.equal(await hsm.verifyPinIbm({ ...from, ...ibm, offset: offset.padEnd(12, 'F') }), true)
      const other = offset.startsWith('9') ? `0${offset.slice(1)}` : `9${offset.slice(1)}`
      t.equal(await hsm.verifyPinIbm({ ...from, ...ibm, offset: other }), false, 'a wrong PIN')
      const inClear = hsm.verifyPinIbm({ ...from, ...ibm, decimalisation: table, offset })
      await refused(t, 'HSM_KEY', inClear, 'a table in clear')
      const isKey = hsm.verifyPinIbm({ ...from, ...ibm, decimalisation: key, offset })
      await refused(t, 'HSM_KEY_USAGE', isKey, 'a key as table')
      await refused(t, 'HSM_KEY_USAGE', hsm.checkValue(ibm.decimalisation), 'a table as key')
    }
    for (const table of ['', '0123', '0000000000000000', '0123456701234567'.replace('7', 'A')])
      await refused(t, 'HSM_REQUEST', hsm.sealDecimalisation(table), `table of ${table.length}`)
  },

  async 'PINs and MACs come in from DUKPT terminals'(t, vault, can) {
    const { hsm } = vault
    const intoKey = await vault.key('ZPK', ZPK_INTO)
    const pvk = await vault.key('PVK', ZPK_INTO)
    const bdk = await vault.key('BDK', TDES_BDK)
    const data = Buffer.from('4012345678909D987')
    for (const { name = '', ksn = '', result = '' } of rows('dukpt-tdes')) {
      if (name === 'pin block') {
        const from = { key: bdk, ksn, pinBlock: result, format: 0, pan: DUKPT_PAN } as const
        const made = await hsm.translatePin({ ...from, intoKey, intoFormat: 0 })
        t.equal(opened(ZPK_INTO, 0, made, DUKPT_PAN), '1234', ksn)
        const pvv = await hsm.generatePvv({ ...from, pvk, pvki: '1' })
        t.equal(await hsm.verifyPinPvv({ ...from, pvk, pvki: '1', pvv }), true)
      } else if (name.startsWith('mac ')) {
        const direction = name === 'mac req' ? 'request' : 'response'
        const asked = { key: bdk, ksn, direction, algorithm: 'retail', data, macBytes: 4 } as const
        if (!can.dukptMacs.includes(`retail-${direction}`)) {
          await refused(t, 'HSM_NOT_PERMITTED', hsm.generateMac(asked), `${name} ${ksn}`)
          continue
        }
        t.equal(hex(await hsm.generateMac(asked)), result, `${name} ${ksn}`)
        t.equal(await hsm.verifyMac({ ...asked, mac: bytes(result) }), true)
      } else if (name === 'cmac req' && can.dukptMacs.includes('cmac-request')) {
        const asked = { key: bdk, ksn, algorithm: 'cmac', data, macBytes: 8 } as const
        t.equal(hex(await hsm.generateMac(asked)), result, `${name} ${ksn}`)
      }
    }
    const short = {
      key: bdk,
      ksn: 'FFFF98765432',
      pinBlock: '00'.repeat(8),
      format: 0,
      pan: PAN,
    } as const
    await refused(
      t,
      'HSM_REQUEST',
      hsm.translatePin({ ...short, intoKey, intoFormat: 0 }),
      'a short KSN',
    )
    const zone = hsm.translatePin({
      ...short,
      key: intoKey,
      ksn: 'FFFF9876543210E00001',
      intoKey,
      intoFormat: 0,
    })
    await refused(t, 'HSM_KEY_USAGE', zone, 'a ZPK derives nothing')
    if (!can.dukpt.includes('AES')) return
    const aes = await vault.key('BDK', AES_BDK, 'A')
    for (const { name = '', ksn = '', result = '' } of rows('dukpt-aes')) {
      if (name === '128 format-4 PIN block') {
        const from = { key: aes, ksn, pinBlock: result, format: 4, pan: PAN } as const
        const made = await hsm.translatePin({ ...from, intoKey, intoFormat: 0 })
        t.equal(opened(ZPK_INTO, 0, made, PAN), '1234', ksn)
      } else if (name.startsWith('CMAC-AES128 request') || name === 'CMAC resp 2001') {
        const direction = name.includes('resp') ? 'response' : 'request'
        if (!can.dukptMacs.includes(`cmac-${direction}`)) continue
        const asked = { key: aes, ksn, direction, algorithm: 'cmac', data, macBytes: 16 } as const
        t.equal(hex(await hsm.generateMac(asked)), result, `${name} ${ksn}`)
      }
    }
    if (!can.dukptMacs.includes('cmac-request')) return
    const strong = {
      key: aes,
      ksn: '123456789012345600000001',
      derived: 'AES256',
      algorithm: 'cmac',
    } as const
    const asked = hsm.generateMac({ ...strong, data, macBytes: 8 })
    await refused(t, 'HSM_NOT_PERMITTED', asked, 'a key stronger than the BDK')
  },

  async 'MACs are those of the vectors'(t, vault, can) {
    const { hsm } = vault
    const check = async (asked: MacOf, mac: string, title: string): Promise<void> => {
      const macBytes = Math.min(mac.length / 2, can.macBytesMax)
      const made = await hsm.generateMac({ ...asked, macBytes })
      t.equal(hex(made), mac.slice(0, 2 * macBytes), title)
      if (macBytes < mac.length / 2)
        await refused(
          t,
          'HSM_NOT_PERMITTED',
          hsm.generateMac({ ...asked, macBytes: macBytes + 1 }),
          'a longer MAC',
        )
      for (const short of [4, macBytes]) {
        const right = bytes(mac).subarray(0, short)
        t.equal(await hsm.verifyMac({ ...asked, macBytes: short, mac: right }), true)
        const other = Buffer.from(right)
        other[0] = (other[0] as number) ^ 1
        t.equal(await hsm.verifyMac({ ...asked, macBytes: short, mac: other }), false)
        t.equal(await hsm.verifyMac({ ...asked, macBytes: short, mac: right.subarray(1) }), false)
      }
    }
    for (const { alg = '', key = '', data, dataHex, padding, mac = '', intermediate } of rows(
      'mac',
    )) {
      if (key.length < 32 || !good(key) || intermediate !== undefined) continue
      const algorithm = alg.includes('alg3') ? 'retail' : 'cbc'
      const block = await vault.key(algorithm === 'retail' ? 'ZAK' : 'ZAK_CBC', key)
      const text = dataHex === undefined ? Buffer.from(data ?? '', 'latin1') : bytes(dataHex)
      const asked = { key: block, algorithm, data: text, macBytes: 8 } as const
      await check(
        { ...asked, padding: (padding ?? 1) as 1 },
        mac,
        `${alg} ${padding} ${text.length}`,
      )
    }
    if (can.macs.includes('cmac'))
      for (const { alg = '', key = '', dataHex, mac = '' } of rows('cmac')) {
        const algorithm = alg.startsWith('AES') ? 'A' : 'T'
        if (algorithm === 'T' ? !good(key) : !can.kinds.includes('AES128')) continue
        const block = await vault.key('CMAC', key, algorithm)
        const asked = { key: block, algorithm: 'cmac', data: bytes(dataHex), macBytes: 8 } as const
        await check(asked, mac, `${alg} ${bytes(dataHex).length}`)
      }
    const { key } = await hsm.generateKey('ZAK')
    const asked = { key, algorithm: 'retail', data: Buffer.from('x'), macBytes: 8 } as const
    for (const macBytes of [0, 3, 9, 4.5, Number.NaN])
      await refused(t, 'HSM_REQUEST', hsm.generateMac({ ...asked, macBytes }), `${macBytes} bytes`)
    await refused(t, 'HSM_REQUEST', hsm.generateMac({ ...asked, padding: 4 as 3 }), 'padding 4')
    await refused(t, 'HSM_KEY_USAGE', hsm.generateMac({ ...asked, algorithm: 'cbc' }), 'of a ZAK')
    const long = hsm.generateMac({ ...asked, data: new Uint8Array(can.dataBytesMax + 1) })
    await refused(t, 'HSM_REQUEST', long, 'too much data')
    t.equal((await hsm.generateMac({ ...asked, data: new Uint8Array(can.dataBytesMax) })).length, 8)
    t.equal((await hsm.generateMac({ ...asked, data: new Uint8Array() })).length, 8, 'no data')
    if (can.kinds.includes('HMAC256')) {
      const { key: other } = await hsm.generateKey('HMAC', 'HMAC256')
      const mac = await hsm.generateMac({ ...asked, key: other, algorithm: 'hmac', macBytes: 32 })
      t.equal(
        await hsm.verifyMac({ ...asked, key: other, algorithm: 'hmac', macBytes: 32, mac }),
        true,
      )
    }
  },

  async 'CVVs are those of the vectors'(t, vault) {
    const { hsm } = vault
    for (const { cvk: clear = '', pan = '', expiry = '', serviceCode = '', cvv = '' } of rows(
      'cvv',
    )) {
      if (!good(clear)) continue
      const asked = { cvk: await vault.key('CVK', clear), pan, expiry, service: serviceCode }
      t.equal(await hsm.generateCvv(asked), cvv, `${pan} ${serviceCode}`)
      t.equal(await hsm.verifyCvv({ ...asked, cvv }), true)
      const other = cvv.startsWith('0') ? `1${cvv.slice(1)}` : `0${cvv.slice(1)}`
      t.equal(await hsm.verifyCvv({ ...asked, cvv: other }), false)
    }
  },

  async 'data is encrypted as a cipher does it'(t, vault, can) {
    const { hsm } = vault
    const kinds = [
      ['T', ZPK],
      ['A', AES_ZPK],
    ] as const
    for (const [algorithm, clear] of kinds) {
      if (algorithm === 'A' && !can.kinds.includes('AES128')) continue
      const key = await vault.key('ZEK', clear, algorithm)
      const cipher = cipherOf(bytes(clear), algorithm)
      const iv = Buffer.from(random.bytes(cipher.blockBytes))
      const zeros = Buffer.alloc(cipher.blockBytes)
      const data = Buffer.from(random.bytes(96))
      const asked = { key, data } as const
      t.same(Buffer.from(await hsm.encrypt({ ...asked, mode: 'ecb' })), cipher.encrypt(data))
      t.same(
        Buffer.from(await hsm.encrypt({ ...asked, mode: 'cbc' })),
        cipher.encryptCbc(zeros, data),
      )
      const made = await hsm.encrypt({ ...asked, mode: 'cbc', iv })
      t.same(Buffer.from(made), cipher.encryptCbc(iv, data))
      t.same(Buffer.from(await hsm.decrypt({ key, mode: 'cbc', iv, data: made })), data)
      const ecb = await hsm.encrypt({ ...asked, mode: 'ecb' })
      t.same(Buffer.from(await hsm.decrypt({ key, mode: 'ecb', data: ecb })), data)
      for (const length of [0, 1, cipher.blockBytes + 1, can.dataBytesMax + cipher.blockBytes]) {
        const odd = hsm.encrypt({ key, mode: 'cbc', data: new Uint8Array(length) })
        await refused(t, 'HSM_REQUEST', odd, `${length} bytes`)
      }
      await refused(
        t,
        'HSM_REQUEST',
        hsm.encrypt({ ...asked, mode: 'cbc', iv: bytes('00') }),
        'a short IV',
      )
      await refused(
        t,
        'HSM_REQUEST',
        hsm.encrypt({ ...asked, mode: 'ctr' as 'cbc' }),
        'another mode',
      )
    }
  },

  async 'a key does what its type may do, and nothing else'(t, vault) {
    const { hsm } = vault
    const made: Partial<Record<KeyTypeName, string>> = {}
    for (const type of Object.keys(KEY_TYPES) as KeyTypeName[]) {
      const kind = (KEY_TYPES[type].kinds as readonly KeyKind[]).find(
        kind => KEY_KINDS[kind].algorithm === 'T',
      )
      if (kind) made[type] = (await hsm.generateKey(type, kind)).key
    }
    const key = (type: KeyTypeName): string => made[type] as string
    const from = { pinBlock: '00'.repeat(8), format: 0, pan: PAN } as const
    const mac = { algorithm: 'retail', data: bytes('00'), macBytes: 4 } as const
    const card = { pan: PAN, expiry: '2912', service: '101' }
    const ksn = 'FFFF9876543210E00001'
    const uses: [
      title: string,
      may: readonly KeyTypeName[],
      use: (key: string) => Promise<unknown>,
    ][] = [
      [
        'PINs out of',
        ['ZPK', 'TPK'],
        k => hsm.generatePvv({ ...from, key: k, pvk: key('PVK'), pvki: '1' }),
      ],
      [
        'PINs into',
        ['ZPK'],
        k => hsm.translatePin({ ...from, key: key('ZPK'), intoKey: k, intoFormat: 0 }),
      ],
      ['PVVs', ['PVK'], k => hsm.generatePvv({ ...from, key: key('ZPK'), pvk: k, pvki: '1' })],
      ['retail MACs', ['ZAK', 'TAK'], k => hsm.generateMac({ ...mac, key: k })],
      [
        'checks of retail MACs',
        ['ZAK', 'TAK'],
        k => hsm.verifyMac({ ...mac, key: k, mac: bytes('00000000') }),
      ],
      ['CBC-MACs', ['ZAK_CBC'], k => hsm.generateMac({ ...mac, key: k, algorithm: 'cbc' })],
      ['CVVs', ['CVK'], k => hsm.generateCvv({ ...card, cvk: k })],
      [
        'encryption',
        ['ZEK'],
        k => hsm.encrypt({ key: k, mode: 'ecb', data: bytes('00'.repeat(8)) }),
      ],
      [
        'decryption',
        ['ZEK'],
        k => hsm.decrypt({ key: k, mode: 'ecb', data: bytes('00'.repeat(8)) }),
      ],
      ['derived keys', ['BDK'], k => hsm.generateMac({ ...mac, key: k, ksn })],
      ['wrapping', ['ZMK', 'TMK'], k => hsm.exportKey(key('ZPK'), k, 'X')],
      ['unwrapping', ['ZMK'], k => hsm.importKey('ZPK', `X${'0'.repeat(32)}`, k)],
    ]
    for (const [title, may, use] of uses) {
      for (const type of Object.keys(made) as KeyTypeName[]) {
        const error = await use(key(type)).then(
          () => undefined,
          (thrown: unknown) => thrown,
        )
        const right = isNadiError(error, 'HSM_KEY_USAGE') !== may.includes(type)
        t.ok(right, `${title}: ${type}`, { found: String(error) })
      }
    }
  },

  async 'a mode of use that came with a key is kept to'(t, vault, can) {
    const { hsm } = vault
    if (!can.exportSchemes.includes('R')) return t.comment('no blocks')
    const mac = { algorithm: 'retail', data: bytes('00'), macBytes: 4 } as const
    const verifier = await vault.block('ZAK', ZPK, { mode: 'V' })
    const generator = await vault.block('ZAK', ZPK, { mode: 'G' })
    const made = await hsm.generateMac({ ...mac, key: generator })
    t.equal(await hsm.verifyMac({ ...mac, key: verifier, mac: made }), true)
    await refused(t, 'HSM_KEY_USAGE', hsm.generateMac({ ...mac, key: verifier }), 'V makes none')
    await refused(t, 'HSM_KEY_USAGE', hsm.verifyMac({ ...mac, key: generator, mac: made }), 'G')
    const foreign = vault.block('ZAK', ZPK, { mode: 'X' })
    await refused(t, 'HSM_KEY_USAGE', foreign, 'a mode that is none of a MAC key')
  },

  async 'what is no key of this keeper is refused'(t, vault) {
    const { hsm } = vault
    const { key } = await hsm.generateKey('ZEK')
    const data = bytes('00'.repeat(8))
    const use = (key: string): Promise<unknown> => hsm.encrypt({ key, mode: 'ecb', data })
    await use(key)
    for (let at = 0; at < key.length; at++) {
      const changed = key.slice(0, at) + (key[at] === '1' ? '2' : '1') + key.slice(at + 1)
      const error = await use(changed).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      if (error === undefined && !hsm.capabilities.authenticatesKeys) continue
      const refusedWell = isNadiError(error, 'HSM_KEY') || isNadiError(error, 'HSM_KEY_PARITY')
      t.ok(refusedWell || isNadiError(error, 'HSM_KEY_USAGE'), `character ${at} changed`, {
        found: String(error),
      })
    }
    for (let length = 0; length < key.length; length++) {
      const error = await use(key.slice(0, length)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      t.ok(isNadiError(error, 'HSM_KEY'), `cut after ${length}`, { found: String(error) })
    }
    await use(key)
    t.pass('the right one still works')
  },

  async 'values that do not fit are named, and never told'(t, vault) {
    const { hsm } = vault
    const { key } = await hsm.generateKey('ZPK')
    const pvk = (await hsm.generateKey('PVK')).key
    const cvk = (await hsm.generateKey('CVK')).key
    const from = { key, pinBlock: '0123456789ABCDEF', format: 0, pan: PAN } as const
    const secret = '7654321076543210'
    const bad: [path: string, what: Promise<unknown>][] = [
      ['pinBlock', hsm.generatePvv({ ...from, pvk, pvki: '1', pinBlock: `${secret}A` })],
      ['pinBlock', hsm.generatePvv({ ...from, pvk, pvki: '1', pinBlock: `${secret.slice(1)}G` })],
      ['pan', hsm.generatePvv({ ...from, pvk, pvki: '1', pan: `${secret}99999` })],
      ['pan', hsm.generatePvv({ ...from, pvk, pvki: '1', pan: `${secret}x` })],
      ['pan', hsm.generatePvv({ ...from, pvk, pvki: '1', pan: '' })],
      ['pvki', hsm.generatePvv({ ...from, pvk, pvki: secret })],
      ['pvv', hsm.verifyPinPvv({ ...from, pvk, pvki: '1', pvv: secret })],
      ['format', hsm.generatePvv({ ...from, pvk, pvki: '1', format: 2 as 3 })],
      ['intoFormat', hsm.translatePin({ ...from, intoKey: key, intoFormat: 7 as 3 })],
      ['pan', hsm.generateCvv({ cvk, pan: `${secret}x`, expiry: '2912', service: '101' })],
      ['expiry', hsm.generateCvv({ cvk, pan: PAN, expiry: secret, service: '101' })],
      ['service', hsm.generateCvv({ cvk, pan: PAN, expiry: '2912', service: secret })],
      ['cvv', hsm.verifyCvv({ cvk, pan: PAN, expiry: '2912', service: '101', cvv: secret })],
      ['bytes', hsm.random(0)],
      ['bytes', hsm.random(1e9)],
    ]
    for (const [path, what] of bad) {
      const error = await refused(t, 'HSM_REQUEST', what, path)
      t.equal(error?.path, path)
      t.notOk(`${error?.stack}${JSON.stringify(error)}`.includes(secret.slice(1)), 'untold')
    }
  },

  async 'full is an answer, at once'(t, { hsm }, can) {
    const { key } = await hsm.generateKey('ZAK')
    const asked = { key, algorithm: 'retail', data: bytes('00'), macBytes: 4 } as const
    const count = Math.min(can.inFlightMax, 20_000) + 50
    const all = await Promise.allSettled(
      Array.from({ length: count }, () => hsm.generateMac(asked)),
    )
    const failed = all.filter(one => one.status === 'rejected')
    t.ok(failed.length <= 50, `${failed.length} of ${count} were refused`)
    t.ok(failed.every(one => isNadiError(one.reason, 'HSM_BUSY')))
    if (can.inFlightMax <= 20_000) t.ok(failed.length > 0, 'more than may be under way')
    t.equal((await hsm.generateMac(asked)).length, 4, 'and it goes on')
  },
}

function kindOf(kbpk: string, algorithm: 'T' | 'A'): KeyKind {
  const bits = kbpk.length * 4
  return algorithm === 'A' ? (`AES${bits}` as 'AES128') : bits === 192 ? 'TDES3' : 'TDES2'
}

/** A ZMK of this value, of two components; undefined for one that no keeper would take. */
async function formed(hsm: PaymentHsm, clear: string, kind: KeyKind): Promise<string | undefined> {
  const whole = bytes(clear)
  if (kind.startsWith('TDES') && isSingle(oddParity(whole))) return undefined
  const one = Buffer.from(random.bytes(whole.length))
  const other = Buffer.from(whole.map((byte, at) => byte ^ (one[at] as number)))
  const parts = [
    await hsm.takeComponent('ZMK', one, kind),
    await hsm.takeComponent('ZMK', other, kind),
  ]
  return (
    await hsm.formKey(
      'ZMK',
      parts.map(part => part.key),
    )
  ).key
}

/** A ZMK of the test's own, of components: for keepers that take them. */
export async function aZmk(
  hsm: PaymentHsm,
  kind: 'TDES3' | 'AES256',
): Promise<HsmUnderTest['zmk']> {
  const length = KEY_KINDS[kind].bytes
  const drawn = Buffer.from(random.bytes(length))
  const clear = kind === 'TDES3' ? oddParity(drawn) : drawn
  const key = await formed(hsm, hex(clear), kind)
  if (key === undefined) return aZmk(hsm, kind)
  return { key, clear }
}

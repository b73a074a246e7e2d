import { KEY_KINDS, KEY_TYPES, type ExportScheme, type KeyKind, type KeyTypeName } from '#hsm'
import { cipherOf } from '../../../src/hsm/crypto/cipher.ts'
import { unwrapBlock } from '../../../src/hsm/crypto/key-block.ts'
import { decryptUnder, encryptUnder } from '../../../src/hsm/crypto/variant.ts'
import { bytes, hex } from '../vault.ts'
import {
  type Suites,
  rows,
  ZPK,
  ZPK_INTO,
  TDES_BDK,
  good,
  refused,
  kindOf,
  formed,
} from './common.ts'

/** Keys: made, formed of components, carried under a ZMK. */
export const KEYS: Suites = {
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

  async 'a key moves to the LMK of now, where the keeper moves keys'(t, { hsm }, can) {
    const { key, checkValue } = await hsm.generateKey('ZAK')
    if (!can.movesKeys) {
      const error = await refused(t, 'HSM_NOT_PERMITTED', hsm.rewrapKey(key), 'it moves none')
      t.match(error?.hint, /console/, 'and says who does')
      return
    }
    const moved = await hsm.rewrapKey(key)
    t.equal(moved.checkValue, checkValue)
    t.same(await hsm.describeKey(moved.key), await hsm.describeKey(key))
    await refused(t, 'HSM_KEY', hsm.rewrapKey(key.slice(0, -2)), 'what is no key')
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
}

import fc from 'fast-check'
import { cipherOf } from '../../../src/hsm/crypto/cipher.ts'
import { bytes, hex } from '../vault.ts'
import {
  type Suites,
  rows,
  ZPK,
  ZPK_INTO,
  AES_ZPK,
  PAN,
  TDES_BDK,
  AES_BDK,
  DUKPT_PAN,
  good,
  sealed,
  opened,
  refused,
} from './common.ts'

/** PINs: translated, verified, and those of DUKPT terminals. */
export const PINS: Suites = {
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
}

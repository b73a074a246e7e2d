import type { MacOf } from '#hsm'
import { cipherOf } from '../../../src/hsm/crypto/cipher.ts'
import { bytes, hex, random } from '../vault.ts'
import { type Suites, rows, ZPK, AES_ZPK, good, refused } from './common.ts'

/** MACs, card values, data. */
export const DATA: Suites = {
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
}

import { isNadiError } from '#base'
import { KEY_KINDS, KEY_TYPES, type KeyKind, type KeyTypeName } from '#hsm'
import { bytes } from '../vault.ts'
import { type Suites, ZPK, PAN, refused } from './common.ts'

/** What a key may do, what is no key, what does not fit, and what is too much. */
export const USES: Suites = {
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

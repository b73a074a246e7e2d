import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { Test } from 'tap'
import { SystemClock, SystemRandom } from '#base'
import { PayShieldHsm, payShieldKey, payShieldSimulator } from '#hsm'
import type { HostLmk } from '#hsm'
import { NO_LOG } from '#telemetry'
import { isSingle, oddParity } from '../../../src/hsm/crypto/parity.ts'
import { keepsTheHsmPromise } from '../conformance.ts'
import type { HsmUnderTest, WrappingKey } from '../vault.ts'
import { hostError } from '../../../src/hsm/payshield/hsm/asking.ts'
import { block, under } from './keys.ts'

const LMKS: readonly HostLmk[] = [
  { id: '00', scheme: 'variant' },
  { id: '01', scheme: 'tdes-blocks' },
  { id: '02', scheme: 'aes-blocks' },
]

/** A box set as one that serves payments is, but for its LMKs; and the keeper before it. */
async function fresh(t: Test, lmk: HostLmk): Promise<HsmUnderTest & { hsm: PayShieldHsm }> {
  const box = payShieldSimulator({ port: 0, pci: true, clearTables: false, expandedData: false })
  const { port } = await box.start()
  t.teardown(() => box.stop())
  const hsm = await PayShieldHsm.start({
    host: '127.0.0.1',
    port,
    lmk,
    connections: 2,
    inFlightMax: 40,
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: NO_LOG,
  })
  t.teardown(() => hsm.close())
  const zmk = wrapping(lmk, 'T')
  return lmk.scheme === 'aes-blocks' ? { hsm, zmk, aesZmk: wrapping(lmk, 'A') } : { hsm, zmk }
}

/** A ZMK that the box's console would have formed of components. */
function wrapping(lmk: HostLmk, algorithm: 'T' | 'A'): WrappingKey {
  const drawn = algorithm === 'T' ? oddParity(randomBytes(24)) : randomBytes(32)
  if (algorithm === 'T' && isSingle(drawn)) return wrapping(lmk, algorithm)
  const hex = drawn.toString('hex').toUpperCase()
  const kind = algorithm === 'T' ? 'TDES3' : 'AES256'
  const header = { usage: 'K0', modeOfUse: 'B', exportability: 'N', algorithm }
  const text =
    lmk.scheme === 'variant' ? under('000', hex, 'T') : block(lmk.id as '01', hex, header)
  return { key: payShieldKey('ZMK', kind, text), clear: drawn }
}

for (const lmk of LMKS) {
  t.test(`keys under LMK ${lmk.id} (${lmk.scheme})`, async t => {
    keepsTheHsmPromise(t, () => fresh(t, lmk))
  })
}

const ZPK = 'C7152C20BC2C830EA7EC9E8334ABE3FE'
const PAN = '4111111111111111'
/** A PIN of 1234 for that account under that key. */
const BLOCK = 'F6052A5891953D75'
/** 0123456789012345 under the variant LMK and the one for TDES blocks, as boxes have it. */
const TABLES = [
  ['00', 'variant', 'FD64FC3FAD504BB3'],
  ['01', 'tdes-blocks', '709F26B22464E96A'],
] as const

t.test('offsets of IBM 3624 with a table that the console sealed', async t => {
  for (const [id, scheme, decimalisation] of TABLES) {
    const { hsm } = await fresh(t, { id, scheme })
    const kept = (type: 'ZPK' | 'TPK', code: string, modeOfUse: string): string =>
      payShieldKey(type, 'TDES2', id === '00' ? under(code, ZPK) : block(id, ZPK, { modeOfUse }))
    const zpk = kept('ZPK', '001', 'B')
    const tpk = kept('TPK', '70D', 'D')
    const { key: pvk } = await hsm.generateKey('PVK_IBM')
    const { key: bdk } = await hsm.generateKey('BDK')
    const ibm = { pvk, decimalisation, validation: '12345N789012', pinLength: 4 }
    const from = { key: zpk, pinBlock: BLOCK, format: 0, pan: PAN } as const
    const offset = await hsm.generateOffset({ ...from, ...ibm })
    t.match(offset, /^\d{4}$/)
    const other = `${(Number(offset.charAt(0)) + 1) % 10}${offset.slice(1)}`
    for (const key of [zpk, tpk]) {
      t.equal(await hsm.verifyPinIbm({ ...from, key, ...ibm, offset }), true)
      t.equal(await hsm.verifyPinIbm({ ...from, key, ...ibm, offset: other }), false)
    }
    const device = { ...from, key: bdk, ksn: 'FFFF9876543210E00001' }
    await t.rejects(hsm.verifyPinIbm({ ...device, ...ibm, offset }), { code: 'HSM_PIN_BLOCK' })
    const inClear = { ...ibm, decimalisation: '0123456789012345' }
    await t.rejects(hsm.verifyPinIbm({ ...from, ...inClear, offset }), {
      code: 'HSM_REQUEST',
      path: 'decimalisation',
    })
    const whole = { ...ibm, validation: '1234567890123456' }
    await t.rejects(hsm.generateOffset({ ...from, ...whole }), { code: 'HSM_NOT_PERMITTED' })
  }
})

t.test('keys that the console of a box made', async t => {
  const { hsm } = await fresh(t, { id: '01', scheme: 'tdes-blocks' })
  const zpk = 'S00072P0TB00E0001EA421618B34F5FA1A77F7CF6480111B97CF0FAE7BD77D589EC921EF9'
  t.same(await hsm.describeKey(zpk), { type: 'ZPK', kind: 'TDES2', exportable: true })
  t.equal(await hsm.checkValue(zpk), '4FE9FD')
  const rows: [header: Parameters<typeof block>[2], type: string][] = [
    [{ usage: 'P0', modeOfUse: 'D' }, 'TPK'],
    [{ usage: 'K0', modeOfUse: 'E' }, 'TMK'],
    [{ usage: 'K0', modeOfUse: 'B' }, 'ZMK'],
    [{ usage: 'V1', modeOfUse: 'N' }, 'PVK_IBM'],
  ]
  for (const [header, type] of rows) {
    t.equal((await hsm.describeKey(block('01', ZPK, header))).type, type)
  }
  const components = [ZPK, '0123456789ABCDEFFEDCBA9876543210'].map(hex =>
    payShieldKey('ZMK', 'TDES2', block('01', hex, { usage: 'K0', modeOfUse: 'B' })),
  )
  const formed = await hsm.formKey('ZMK', components)
  t.equal(await hsm.checkValue(formed.key), formed.checkValue)
  t.equal((await hsm.describeKey(formed.key)).type, 'ZMK')
  await t.rejects(hsm.formKey('ZPK', components), { code: 'HSM_KEY_USAGE' })
  await t.rejects(hsm.formKey('ZMK', components.slice(1)), { code: 'HSM_REQUEST' })
})

t.test('a box that is away', async t => {
  const { hsm } = await fresh(t, { id: '02', scheme: 'aes-blocks' })
  const { up, test, about } = await hsm.status()
  t.same([up, test, about], [true, true, 'payShield, firmware NADI-0001'])
  await hsm.close()
  t.equal((await hsm.status()).up, false)
  await t.rejects(hsm.random(8), { code: 'HSM_UNAVAILABLE' })
})

t.test('every error code of a box is an error of the interface, with no content', async t => {
  const rows: [code: string, wanted: string, path: string][] = [
    ['01', 'HSM_REQUEST', 'key'],
    ['10', 'HSM_KEY', 'zmk'],
    ['11', 'HSM_KEY', 'key'],
    ['13', 'HSM_KEY', 'key'],
    ['15', 'HSM_REQUEST', 'key'],
    ['17', 'HSM_NOT_PERMITTED', 'key'],
    ['20', 'HSM_PIN_BLOCK', 'pinBlock'],
    ['24', 'HSM_PIN_BLOCK', 'pinBlock'],
    ['27', 'HSM_REQUEST', 'key'],
    ['41', 'HSM_UNAVAILABLE', 'key'],
    ['68', 'HSM_NOT_PERMITTED', 'key'],
    ['A4', 'HSM_KEY', 'key'],
    ['A6', 'HSM_KEY_USAGE', 'key'],
    ['A8', 'HSM_KEY_USAGE', 'key'],
    ['QQ', 'HSM_RESPONSE', 'CA'],
    ['', 'HSM_RESPONSE', 'CA'],
  ]
  for (const [code, wanted, path] of rows) {
    const error = hostError('CA', code, { '10': 'zmk' })
    t.same([error.code, error.path], [wanted, path], code)
  }
})

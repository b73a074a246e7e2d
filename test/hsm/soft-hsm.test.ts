import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { ERRORS, errorText, isNadiError, NadiError, SystemClock, SystemRandom } from '#base'
import { HSM_ERROR_KINDS, hsmErrorKind, type LmkSource, SoftHsm } from '#hsm'
import { NO_LOG } from '#telemetry'
import { loadLmk } from '../../src/hsm/soft/lmk.ts'
import { aZmk, keepsTheHsmPromise } from './conformance.ts'
import { bytes, hex, type HsmUnderTest } from './vault.ts'

const clock = new SystemClock()
const folder = mkdtempSync(join(tmpdir(), 'nadi-lmk-'))
t.teardown(() => rmSync(folder, { recursive: true }))

const LMK = hex(new SystemRandom().bytes(32))
/** The AES test LMK of every payShield. */
const TEST_LMK = '9B71333A13F9FAE72F9D0E2DAB4AD6784718012F9244033F3F26A2DE0C8AA11A'

function file(name: string, content: string | Uint8Array, mode = 0o600): LmkSource {
  const path = join(folder, name)
  writeFileSync(path, content)
  chmodSync(path, mode)
  return { from: 'file', path }
}

const lmk = file('lmk', LMK)

const start = (over: { lmk?: LmkSource; lab?: boolean; inFlightMax?: number } = {}) =>
  SoftHsm.start({ lmk, lab: false, clock, log: NO_LOG, ...over })

async function fresh(): Promise<HsmUnderTest> {
  const hsm = await start({ inFlightMax: 2_000 })
  return { hsm, zmk: await aZmk(hsm, 'TDES3'), aesZmk: await aZmk(hsm, 'AES256') }
}

t.test('the embedded HSM keeps the promise', async t => keepsTheHsmPromise(t, fresh))

t.test('the LMK comes from where it is told', async t => {
  process.env['NADI_TEST_LMK'] = LMK
  process.env['CREDENTIALS_DIRECTORY'] = folder
  t.teardown(() => {
    delete process.env['NADI_TEST_LMK']
    delete process.env['CREDENTIALS_DIRECTORY']
  })
  const sources: [title: string, source: LmkSource][] = [
    ['digits in a file', lmk],
    ['digits and a line end', file('line', `${LMK.toLowerCase()}\n`)],
    ['32 bytes in a file', file('raw', bytes(LMK))],
    ['the environment', { from: 'environment', name: 'NADI_TEST_LMK' }],
    ['a systemd credential', { from: 'credential', name: 'lmk' }],
  ]
  for (const [title, source] of sources) {
    const { bytes: loaded, test } = loadLmk(source, false)
    t.equal(hex(loaded), LMK, title)
    t.equal(test, false)
  }
  const hsm = await start({ lmk: { from: 'environment', name: 'NADI_TEST_LMK' } })
  const made = await hsm.generateKey('ZPK')
  await hsm.close()
  const other = await start({ lmk: { from: 'credential', name: 'lmk' } })
  t.equal(await other.checkValue(made.key), made.checkValue, 'one LMK opens what was made under it')
  await other.close()
})

t.test('an LMK that cannot be used stops the start, and is not told', async t => {
  const wrong: [title: string, source: LmkSource][] = [
    ['a file that is not there', { from: 'file', path: join(folder, 'none') }],
    ['a variable that is not set', { from: 'environment', name: 'NADI_NO_SUCH' }],
    ['a credential without systemd', { from: 'credential', name: 'lmk' }],
    ['a file that others may read', file('open', LMK, 0o644)],
    ['too few digits', file('short', LMK.slice(2))],
    ['too many digits', file('long', `${LMK}00`)],
    ['no digits', file('words', `${LMK.slice(0, 63)}G`)],
    ['an empty file', file('empty', '')],
    ['a large file', file('large', LMK.repeat(100))],
    ['a folder', { from: 'file', path: folder }],
  ]
  for (const [title, source] of wrong) {
    let error: unknown
    try {
      loadLmk(source, false)
    } catch (thrown) {
      error = thrown
    }
    t.ok(isNadiError(error, 'HSM_LMK'), title, { found: errorText(error) })
    t.notOk(errorText(error).includes(LMK.slice(2, 40)), 'untold')
  }
  await t.rejects(start({ lmk: file('short', '00') }), { code: 'HSM_LMK', path: /short$/ })
})

t.test('a published LMK is for the lab only', async t => {
  const published = [
    TEST_LMK,
    TEST_LMK.toLowerCase(),
    '00'.repeat(32),
    '41'.repeat(32),
    '0123456789ABCDEF'.repeat(4),
    '000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F',
  ]
  for (const [n, key] of published.entries()) {
    const source = file(`test-${n}`, key)
    t.throws(() => loadLmk(source, false), { code: 'HSM_LMK' }, key.slice(0, 8))
    t.equal(loadLmk(source, true).test, true)
  }
  await t.rejects(start({ lmk: file('test-lab', TEST_LMK) }), { code: 'HSM_LMK' })
  const hsm = await start({ lmk: file('test-lab', TEST_LMK), lab: true })
  t.match(await hsm.status(), { up: true, test: true, lmkCheckValue: /^DB3FB6/ })
  await hsm.close()
})

t.test('a key of another LMK is none', async t => {
  const one = await start()
  const other = await start({ lmk: file('other', hex(new SystemRandom().bytes(32))) })
  const { key } = await one.generateKey('ZPK')
  await t.rejects(other.checkValue(key), { code: 'HSM_KEY' })
  await one.close()
  await other.close()
})

t.test('requests of one turn are answered each for itself, in order', async t => {
  const hsm = await start()
  const { key } = await hsm.generateKey('ZAK')
  const done: number[] = []
  const asked = Array.from({ length: 100 }, async (_, n) => {
    const macBytes = n % 10 === 3 ? 99 : 8
    const data = Buffer.from(`message ${n}`)
    try {
      return hex(await hsm.generateMac({ key, algorithm: 'retail', data, macBytes }))
    } catch (error) {
      return isNadiError(error) ? error.code : 'another'
    } finally {
      done.push(n)
    }
  })
  const macs = await Promise.all(asked)
  t.same(
    done,
    [...done].sort((a, b) => a - b),
  )
  t.equal(macs.filter(mac => mac === 'HSM_REQUEST').length, 10, 'a bad one hurts nobody')
  t.equal(new Set(macs).size, 91)
  await hsm.close()
})

t.test('a thread that dies fails what is under way, and comes again', async t => {
  const hsm = await start()
  const { key, checkValue } = await hsm.generateKey('ZPK')
  // A value that no caller of ours can pass: in the worker it is a bug, and a bug ends the thread.
  const asked = [hsm.checkValue(key), hsm.checkValue(undefined as unknown as string)]
  const [first, poison] = await Promise.allSettled(asked)
  for (const one of [first, poison])
    t.match(one, { status: 'rejected', reason: { code: 'HSM_UNAVAILABLE', retry: true } })
  await t.rejects(hsm.checkValue(key), { code: 'HSM_UNAVAILABLE' }, 'while it is down')
  t.match(await hsm.status(), { up: false, inFlight: 0 })
  while (!(await hsm.status()).up) await new Promise(resolve => setImmediate(resolve))
  t.equal(await hsm.checkValue(key), checkValue, 'the same LMK opens the same keys')
  await hsm.close()
})

t.test('closing fails what is under way and what comes after, and may be repeated', async t => {
  const hsm = await start()
  const under = hsm.generateKey('ZPK')
  const ended = Promise.all([
    t.rejects(under, { code: 'HSM_UNAVAILABLE' }),
    t.rejects(hsm.random(8), { code: 'HSM_UNAVAILABLE' }),
  ])
  await hsm.close()
  await hsm.close()
  await ended
  await t.rejects(hsm.random(8), { code: 'HSM_UNAVAILABLE' })
})

t.test('what is asked keeps the process, the thread alone does not', async t => {
  const program = join(import.meta.dirname, 'soft-alone.ts')
  const env = { ...process.env, NADI_TEST_LMK: LMK }
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=nadi', program], {
    env,
  })
  t.match(stdout, /^[0-9A-F]{6}\n$/)
})

t.test('every error of an HSM has a kind', async t => {
  const codes = Object.keys(ERRORS).filter(code => code.startsWith('HSM_'))
  t.same(Object.keys(HSM_ERROR_KINDS).sort(), codes.sort())
  t.equal(hsmErrorKind(new NadiError('HSM_KEY_PARITY')), 'keyParity')
  t.equal(hsmErrorKind(new NadiError('CONF_INVALID')), undefined)
  t.equal(hsmErrorKind(new Error('other')), undefined)
})

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import { errorText, isNadiError, SystemClock, SystemRandom } from '#base'
import { type LmkPlace, type PaymentHsm, Pkcs11Hsm, SoftHsm, type TokenOptions } from '#hsm'
import { NO_LOG } from '#telemetry'
import { Token } from '../../../src/hsm/pkcs11/token.ts'
import { TokenLmk } from '../../../src/hsm/pkcs11/token-lmk.ts'
import { aZmk, keepsTheHsmPromise } from '../conformance.ts'
import { freshToken, softHsmLibrary } from './soft-token.ts'

const clock = new SystemClock()
const start = (token: TokenOptions, inFlightMax = 2_000) =>
  Pkcs11Hsm.start({ token, clock, log: NO_LOG, inFlightMax })

const library = softHsmLibrary()
if (library === undefined)
  t.test(
    'a PKCS#11 token keeps the promise',
    { skip: 'there is no SoftHSM2 on this machine: apt-get install softhsm2, then run it again' },
    async () => {},
  )
else {
  const { token, remove } = freshToken(library)
  t.teardown(remove)
  await Pkcs11Hsm.makeLmk(token)
  t.test('a PKCS#11 token keeps the promise', async t => conforms(t, token))
  t.test('what stops the start', async t => stops(t, token))
  t.test('blocks of a token', async t => blocks(t, token))
  t.test('a token that fails in the middle', async t => failing(t, token))
  t.test('keys outlive the thread', async t => outlives(t, token))
  t.test('keys move to the LMK of a token', async t => moves(t, token))
}

function conforms(t: Test, token: TokenOptions): void {
  keepsTheHsmPromise(t, async () => {
    const hsm = await start(token)
    return { hsm, zmk: await aZmk(hsm, 'TDES3'), aesZmk: await aZmk(hsm, 'AES256') }
  })
}

async function stops(t: Test, token: TokenOptions): Promise<void> {
  const pin = `${(token.pin as { path: string }).path}-wrong`
  writeFileSync(pin, '1234', { mode: 0o600 })
  const wrong: [title: string, token: TokenOptions][] = [
    ['a library that is not there', { ...token, library: '/usr/lib/none.so' }],
    ['a library that is none of PKCS#11', { ...token, library: join(import.meta.dirname, 'x') }],
    ['a token that is not there', { ...token, token: 'other' }],
    ['keys that are not there', { ...token, key: 'other' }],
    ['a PIN that is not there', { ...token, pin: { from: 'environment', name: 'NADI_NO_PIN' } }],
  ]
  for (const [title, options] of wrong) {
    const error = await start(options).then(
      hsm => hsm.close(),
      (thrown: unknown) => thrown,
    )
    t.ok(isNadiError(error, 'HSM_LMK'), title, { found: errorText(error) })
  }
  const again = await Pkcs11Hsm.makeLmk(token).catch((thrown: unknown) => thrown)
  t.ok(isNadiError(again, 'HSM_LMK'), 'an LMK is made once', { found: errorText(again) })
}

async function blocks(t: Test, token: TokenOptions): Promise<void> {
  const lmk = new TokenLmk(await Token.open(token), new SystemRandom())
  t.teardown(() => lmk.wipe())
  const key = Buffer.from('0123456789ABCDEFFEDCBA9876543210', 'hex')
  const block = lmk.wrap('P0000P0TB00S0000', key, 24)
  t.match(block, /^P0144P0TB00S0000[0-9A-F]{128}$/)
  t.not(lmk.wrap('P0000P0TB00S0000', key, 24), block, 'no two blocks of one key are alike')
  t.same(lmk.unwrap(block), key)
  for (let at = 0; at < block.length; at++) {
    const changed = block.slice(0, at) + (block[at] === '1' ? '2' : '1') + block.slice(at + 1)
    t.equal(lmk.unwrap(changed), undefined, `character ${at} changed`)
    t.equal(lmk.unwrap(block.slice(0, at)), undefined, `cut after ${at}`)
  }
  t.equal(lmk.unwrap(`${block}00`), undefined)
  for (const length of [8, 16, 24, 32, 64]) {
    const other = Buffer.from(new SystemRandom().bytes(length))
    t.same(lmk.unwrap(lmk.wrap('P0000M7HC00N0000', other, 24)), other, `${length} bytes`)
  }
}

/** A call that is wrong leaves a real token in the middle of an operation. */
async function failing(t: Test, options: TokenOptions): Promise<void> {
  const token = await Token.open(options)
  t.teardown(() => token.close())
  const right = token.cmac(Buffer.alloc(16))
  t.throws(() => token.encryptCbc(Buffer.alloc(3), Buffer.alloc(16)), { code: 'HSM_UNAVAILABLE' })
  t.same(token.cmac(Buffer.alloc(16)), right, 'the next session works')
  t.throws(() => token.decryptCbc(Buffer.alloc(16), Buffer.alloc(15)), { code: 'HSM_UNAVAILABLE' })
  token.close()
  t.same(token.cmac(Buffer.alloc(16)), right, 'a session that was closed is opened again')
}

async function outlives(t: Test, token: TokenOptions): Promise<void> {
  const hsm = await start(token)
  const { key, checkValue } = await hsm.generateKey('ZPK')
  t.match(await hsm.status(), { up: true, test: false, lmkCheckValue: /^[0-9A-F]{10}$/ })
  await t.rejects(hsm.checkValue(undefined as unknown as string), { code: 'HSM_UNAVAILABLE' })
  while (!(await hsm.status()).up) await setImmediate()
  t.equal(await hsm.checkValue(key), checkValue)
  await hsm.close()
  const other = await start(token)
  t.equal(await other.checkValue(key), checkValue)
  await other.close()
  const soft = await SoftHsm.start({
    lmk: { from: 'file', path: (token.pin as { path: string }).path },
    lab: true,
    clock,
    log: NO_LOG,
  }).catch((thrown: unknown) => thrown)
  t.ok(isNadiError(soft, 'HSM_LMK'), 'a PIN is no LMK')
}

/** From a file to a token, from one LMK of a token to the next, and back to a file. */
async function moves(t: Test, token: TokenOptions): Promise<void> {
  const path = `${(token.pin as { path: string }).path}-lmk`
  writeFileSync(path, new SystemRandom().bytes(32), { mode: 0o600 })
  const file = { tag: 'soft', lmk: { from: 'file', path }, lab: false } as const
  const next = { ...token, key: 'lmk-2' }
  await Pkcs11Hsm.makeLmk(next)
  const softOf = (before?: LmkPlace) =>
    SoftHsm.start({ lmk: file.lmk, lab: false, clock, log: NO_LOG, ...(before && { before }) })
  const tokenOf = (options: TokenOptions, before?: LmkPlace) =>
    Pkcs11Hsm.start({ token: options, clock, log: NO_LOG, ...(before && { before }) })
  const steps: [
    title: string,
    open: () => Promise<PaymentHsm>,
    alone: () => Promise<PaymentHsm>,
  ][] = [
    ['from a file', () => tokenOf(token, file), () => tokenOf(token)],
    ['to the next', () => tokenOf(next, { tag: 'pkcs11', token }), () => tokenOf(next)],
    ['to a file', () => softOf({ tag: 'pkcs11', token: next }), () => softOf()],
  ]
  const first = await softOf()
  const made = await first.generateKey('ZAK')
  await first.close()
  const data = Buffer.from('moved')
  const mac = { algorithm: 'retail', padding: 1, macBytes: 8, data } as const
  let { key } = made
  for (const [title, open, alone] of steps) {
    const both = await open()
    const before = await both.generateMac({ key, ...mac })
    t.equal(await both.checkValue(key), made.checkValue, `${title}: the old block is opened`)
    const moved = await both.rewrapKey(key)
    t.equal(moved.checkValue, made.checkValue)
    t.equal((await both.rewrapKey(moved.key)).checkValue, made.checkValue, 'again changes nothing')
    t.match(await both.status(), { lmkCheckValue: /^[0-9A-F]{10}$/ })
    await both.close()
    const now = await alone()
    t.same(await now.generateMac({ key: moved.key, ...mac }), before, 'it is the same key')
    await t.rejects(now.checkValue(key), { code: 'HSM_KEY' }, 'the old block is worth nothing')
    await now.close()
    ;({ key } = moved)
  }
  await t.rejects(
    tokenOf(token, { tag: 'pkcs11', token: { ...token, key: 'gone' } }),
    { code: 'HSM_LMK' },
    'an LMK before that is not there is said at the start',
  )
}

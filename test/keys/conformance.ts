import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Clock, type ErrorCode, isNadiError, SystemRandom, VirtualClock } from '#base'
import { type LmkSource, SoftHsm } from '#hsm'
import { type KeyRecord, type KeyRecords, KeyStore } from '#keys'
import { NO_LOG } from '#telemetry'

export const random = new SystemRandom()
export const HOUR_MS = 3_600_000
export const START_MS = Date.UTC(2026, 10, 25, 2)
export const ANI = { by: 'ani', why: 'ticket 4711' }
export const BUDI = { by: 'budi', why: 'ticket 4711' }

/** As an exchange of its own accord puts it on record. */
export const exchanged = (why: string) => ({ by: 'exchange', why })

const folder = mkdtempSync(join(tmpdir(), 'nadi-keys-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
let files = 0

/** An LMK of chance in a file of its own. */
export function anLmk(): LmkSource & { readonly path: string } {
  const path = join(folder, `lmk-${++files}`)
  writeFileSync(path, random.bytes(32), { mode: 0o600 })
  return { from: 'file', path }
}

export async function aHsm(t: Test, options: Partial<Parameters<typeof SoftHsm.start>[0]> = {}) {
  const clock = new VirtualClock(START_MS)
  const hsm = await SoftHsm.start({ lmk: anLmk(), lab: false, clock, log: NO_LOG, ...options })
  t.teardown(() => hsm.close())
  return hsm
}

export type Shared = {
  /** Records of one more daemon on the same store. */
  open(clock: Clock): Promise<KeyRecords>
}

export type StoreOptions = Partial<Parameters<typeof KeyStore.open>[0]>

export async function aStore(
  t: Test,
  shared: Shared,
  clock: Clock,
  options: StoreOptions & Pick<Parameters<typeof KeyStore.open>[0], 'hsm'>,
): Promise<KeyStore> {
  const store = await KeyStore.open({
    records: await shared.open(clock),
    clock,
    random,
    log: NO_LOG,
    overlapMs: 24 * HOUR_MS,
    componentsMs: HOUR_MS,
    masterLifetimeMs: 365 * 24 * HOUR_MS,
    keyLifetimeMs: 30 * 24 * HOUR_MS,
    ...options,
  })
  t.teardown(() => store.close())
  return store
}

/** Waits for real I/O behind an invented clock. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (await holds()) return
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  throw new Error('it never came to be')
}

export async function refused(
  t: Test,
  code: ErrorCode,
  what: Promise<unknown>,
  title: string,
): Promise<void> {
  const error = await what.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  t.ok(isNadiError(error, code), `${title}: ${code}`, { found: String(error) })
}

const statesOf = (keys: readonly KeyRecord[]): Record<string, string> =>
  Object.fromEntries(keys.map(({ id, state }) => [id, state]))

/** What a store of keys promises, whoever keeps its records. */
export function keepsTheKeysPromise(t: Test, fresh: (t: Test) => Promise<Shared>): void {
  t.test('a key goes from pending to revoked, and each step is on record', async t => {
    const clock = new VirtualClock(START_MS)
    const shared = await fresh(t)
    const hsm = await aHsm(t)
    const store = await aStore(t, shared, clock, { hsm })
    const ring = store.zone('bank')
    t.same([ring.active('ZPK'), ring.accepted('ZPK')], [undefined, []])

    const first = await store.generate({ zone: 'bank', type: 'ZPK' }, ANI)
    t.match(first, { state: 'pending', origin: 'generated', by: 'ani', why: 'ticket 4711' })
    t.equal(await hsm.checkValue(first.block), first.checkValue)
    t.equal(ring.active('ZPK'), undefined, 'a pending key is not used')
    await store.activate(first.id, BUDI)
    t.equal(ring.active('ZPK'), first.block)
    t.same(ring.accepted('ZPK'), [first.block])
    t.equal(store.zone('other').active('ZPK'), undefined, 'zones are apart')
    t.equal(ring.active('ZAK'), undefined, 'types are apart')
    await refused(t, 'KEY_STATE', store.activate(first.id, ANI), 'an active key')

    const second = await store.generate({ zone: 'bank', type: 'ZPK', activate: true }, ANI)
    t.same(ring.accepted('ZPK'), [second.block, first.block], 'both, the new one first')
    const third = await store.generate({ zone: 'bank', type: 'ZPK', activate: true }, ANI)
    t.same(ring.accepted('ZPK'), [third.block, second.block], 'never more than two')
    t.same(statesOf(await store.list({ zone: 'bank' }, true)), {
      [first.id]: 'revoked',
      [second.id]: 'previous',
      [third.id]: 'active',
    })
    t.same(
      (await store.show(first.id)).acts.map(({ act, by }) => `${act} ${by}`),
      ['generate ani', 'activate budi', 'replace ani', 'revoke ani'],
    )
    t.equal((await store.show(first.id)).key.block, '', 'what is revoked is gone')

    const gone = await store.revoke(third.id, { by: 'citra', why: 'it was seen' })
    t.match(gone, { state: 'revoked', block: '', revokedAtMs: START_MS })
    t.equal(ring.active('ZPK'), undefined)
    t.same(ring.accepted('ZPK'), [second.block], 'the one before it goes on to its end')
    t.same(await store.list({ zone: 'bank' }, false).then(statesOf), { [second.id]: 'previous' })
    await refused(t, 'KEY_NOT_FOUND', store.revoke(third.id, ANI), 'revoked already')
    await refused(t, 'KEY_NOT_FOUND', store.show('AAAAAAAA'), 'no such key')
  })

  t.test('the clock ends an overlap, for all daemons', async t => {
    const clock = new VirtualClock(START_MS)
    const shared = await fresh(t)
    const hsm = await aHsm(t)
    const one = await aStore(t, shared, clock, { hsm, overlapMs: HOUR_MS })
    const old = await one.generate({ zone: 'bank', type: 'ZAK', activate: true }, ANI)
    const now = await one.generate({ zone: 'bank', type: 'ZAK', activate: true }, ANI)
    const other = await aStore(t, shared, clock, { hsm })
    for (const store of [one, other])
      t.same(store.zone('bank').accepted('ZAK'), [now.block, old.block])
    await clock.runUntil(START_MS + HOUR_MS - 1)
    for (const store of [one, other])
      t.same(store.zone('bank').accepted('ZAK'), [now.block, old.block], 'to the last moment')
    await clock.runUntil(START_MS + HOUR_MS)
    for (const store of [one, other]) t.same(store.zone('bank').accepted('ZAK'), [now.block])
    await until(async () => (await one.show(old.id)).key.state === 'revoked')
    const { acts, key } = await other.show(old.id)
    t.match(acts.at(-1), { act: 'revoke', by: 'nadi', why: 'the overlap ended' })
    t.equal(acts.filter(({ act }) => act === 'revoke').length, 1, 'once, though two have clocks')
    t.equal(key.block, '')

    const none = await aStore(t, await fresh(t), clock, { hsm, overlapMs: 0 })
    await none.generate({ zone: 'bank', type: 'ZAK', activate: true }, ANI)
    const next = await none.generate({ zone: 'bank', type: 'ZAK', activate: true }, ANI)
    t.same(none.zone('bank').accepted('ZAK'), [next.block], 'no overlap is none')
  })

  t.test('daemons on one store see and do not overwrite one another', async t => {
    const clock = new VirtualClock(START_MS)
    const shared = await fresh(t)
    const hsm = await aHsm(t)
    const stores = await Promise.all([1, 2, 3].map(() => aStore(t, shared, clock, { hsm })))
    const made = await stores[0]!.generate({ zone: 'bank', type: 'ZPK', activate: true }, ANI)
    await until(() => stores.every(store => store.zone('bank').active('ZPK') === made.block))

    await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        stores[n % 3]!.generate({ zone: 'bank', type: 'ZPK', activate: true }, ANI),
      ),
    )
    const all = await stores[1]!.list({ zone: 'bank' }, true)
    const count = (state: string): number => all.filter(key => key.state === state).length
    t.same([all.length, count('active'), count('previous'), count('revoked')], [13, 1, 1, 11])
    const active = all.find(({ state }) => state === 'active')
    await until(() => stores.every(s => s.zone('bank').active('ZPK') === active?.block))
    for (const { id } of all) {
      const acts = (await stores[2]!.show(id)).acts.map(({ act }) => act)
      t.equal(acts[0], 'generate')
      t.equal(new Set(acts).size, acts.length, 'each step once')
    }
  })

  t.test('keys that are agreed by an exchange', async t => {
    const clock = new VirtualClock(START_MS)
    const shared = await fresh(t)
    const hsm = await aHsm(t)
    const [one, other] = [
      await aStore(t, shared, clock, { hsm }),
      await aStore(t, shared, clock, { hsm }),
    ]
    const ring = one.zone('bank')
    const [first, second] = [await hsm.generateKey('ZPK'), await hsm.generateKey('ZPK')]
    await ring.agree('ZPK', first, exchanged('0800/101'))
    t.equal(ring.active('ZPK'), first.key, 'active when it resolves')
    await ring.agree('ZPK', second, exchanged('0800/101'))
    t.same(ring.accepted('ZPK'), [second.key, first.key])
    await ring.agree(
      'ZPK',
      { ...second, key: (await hsm.rewrapKey(second.key)).key },
      exchanged('again'),
    )
    t.same(ring.accepted('ZPK'), [second.key, first.key], 'the same key changes nothing')
    await refused(
      t,
      'KEY_KNOWN',
      ring.agree('ZPK', first, exchanged('replayed')),
      'one that was replaced',
    )
    await until(() => other.zone('bank').active('ZPK') === second.key)
    await refused(
      t,
      'KEY_KNOWN',
      other.zone('bank').agree('ZPK', first, exchanged('x')),
      'from elsewhere',
    )

    const third = await hsm.generateKey('ZPK')
    const rivals = [one, other, one, other].map(s =>
      s.zone('bank').agree('ZPK', third, exchanged('at once')),
    )
    await Promise.all(rivals)
    t.equal(ring.active('ZPK'), third.key)
    const [row, ...more] = await one.list({ zone: 'bank', state: 'active' }, false)
    t.match(row, { origin: 'exchanged', by: 'exchange', why: 'at once', kind: 'TDES2' })
    t.same(more, [])
    t.equal((await one.list({ checkValue: third.checkValue }, true)).length, 1, 'kept once')
  })

  t.test(
    'a key that was offered waits for its answer, in every daemon and after a restart',
    async t => {
      const clock = new VirtualClock(START_MS)
      const shared = await fresh(t)
      const hsm = await aHsm(t)
      const one = await aStore(t, shared, clock, { hsm })
      const ring = one.zone('bank')
      const [first, second, third] = [
        await hsm.generateKey('ZAK'),
        await hsm.generateKey('ZAK'),
        await hsm.generateKey('ZAK'),
      ]
      await ring.agree('ZAK', first, exchanged('first'))
      t.equal(ring.activeSinceMs('ZAK'), START_MS)
      await ring.offer('ZAK', second, ANI)
      t.same(ring.offered('ZAK'), second)
      t.equal(ring.active('ZAK'), first.key, 'nothing leaves under it')
      t.same(ring.accepted('ZAK'), [first.key])
      const other = await aStore(t, shared, clock, { hsm })
      t.same(other.zone('bank').offered('ZAK'), second, 'a daemon that starts gives the same one')
      await other.zone('bank').agree('ZAK', second, ANI)
      await until(() => ring.active('ZAK') === second.key)
      t.same(ring.accepted('ZAK'), [second.key, first.key])
      t.equal(ring.offered('ZAK'), undefined)
      const [kept, ...more] = await one.list({ checkValue: second.checkValue }, true)
      t.same(more, [], 'one record from offer to use')
      const story = await one.show(kept!.id)
      t.same(
        story.acts.map(({ act, by }) => [act, by]),
        [
          ['offer', 'ani'],
          ['exchange', 'ani'],
        ],
      )

      await ring.offer('ZAK', third, BUDI)
      await ring.withdraw('ZAK', BUDI)
      await ring.withdraw('ZAK', BUDI)
      t.equal(ring.offered('ZAK'), undefined)
      t.equal(ring.active('ZAK'), second.key, 'a refused one changes nothing')
      t.match((await one.list({ checkValue: third.checkValue }, true))[0], {
        state: 'revoked',
        block: '',
      })
      await refused(t, 'KEY_KNOWN', ring.agree('ZAK', third, BUDI), 'and never comes back')

      const [fourth, theirs] = [await hsm.generateKey('ZAK'), await hsm.generateKey('ZAK')]
      await ring.offer('ZAK', fourth, ANI)
      await ring.agree('ZAK', theirs, exchanged('taken'))
      t.equal(ring.offered('ZAK'), undefined, 'theirs overtakes ours')
      t.same(ring.accepted('ZAK'), [theirs.key, second.key])

      const fifth = await hsm.generateKey('ZAK')
      await ring.offer('ZAK', fifth, ANI)
      const [waiting] = await one.list({ checkValue: fifth.checkValue }, false)
      await one.activate(waiting!.id, BUDI)
      t.equal(ring.active('ZAK'), fifth.key, 'an operator may confirm it, too')
      t.equal(ring.offered('ZAK'), undefined)
    },
  )

  t.test('a key of components takes as many operators', async t => {
    const clock = new VirtualClock(START_MS)
    const shared = await fresh(t)
    const hsm = await aHsm(t)
    const store = await aStore(t, shared, clock, { hsm })
    const { components } = store
    const of = { zone: 'bank', type: 'ZMK', kind: 'TDES3', parts: 3 } as const
    const typed = (text: string): Buffer => Buffer.from(text, 'hex')
    const C1 = '0123456789ABCDEFFEDCBA987654321089ABCDEF01234567'
    const C2 = '1F0B3D5E7A9BC2D4E6F8102A3C4E5D7091A3B5C7D9EBFD0F'

    const bytes = typed(C1)
    const begun = await components.begin(of, { clear: bytes }, ANI)
    t.ok(
      bytes.every(byte => byte === 0),
      'what was typed is wiped',
    )
    t.match(begun, { half: { parts: 3 }, checkValue: /^[0-9A-F]{6}$/ })
    const { id } = begun.half
    for (const by of ['ani', ' ANI ', 'Ａni']) {
      const again = components.enter(id, { clear: typed(C2) }, { ...ANI, by })
      await refused(t, 'KEY_DUAL_CONTROL', again, `${by} again`)
    }
    const wrong = { clear: typed(C2), checkValue: '000000' }
    await refused(t, 'KEY_CHECK_VALUE', components.enter(id, wrong, BUDI), 'typed wrongly')
    await refused(t, 'HSM_REQUEST', components.enter(id, { clear: typed('00') }, BUDI), 'short')
    t.equal(components.halves[0]?.components.length, 1, 'none of that was kept')

    const drawn = await components.enter(id, { clear: 'generate' }, BUDI)
    t.equal(drawn.clear?.length, 24)
    t.equal(drawn.key, undefined)
    const shown = JSON.stringify(components.halves)
    t.notMatch(
      shown.toUpperCase(),
      Buffer.from(drawn.clear ?? [])
        .toString('hex')
        .toUpperCase(),
    )

    const last = await components.enter(id, { clear: typed(C2) }, { by: 'citra', why: 'x' })
    t.match(last.key, { origin: 'components', by: 'ani, budi, citra', type: 'ZMK', kind: 'TDES3' })
    t.equal(last.key?.state, 'pending', 'until the partner has said its check value')
    t.same(components.halves, [])
    const parts = [typed(C1), Buffer.from(drawn.clear ?? []), typed(C2)]
    const blocks = await Promise.all(
      parts.map(async part => (await hsm.takeComponent('ZMK', part, 'TDES3')).key),
    )
    t.equal((await hsm.formKey('ZMK', blocks)).checkValue, last.key?.checkValue, 'it is their sum')
    t.same(
      (await store.show(last.key?.id ?? '')).acts.map(({ act, detail }) => [act, detail]),
      [['form', 'components of ani, budi, citra']],
    )

    const half = await components.begin({ ...of, parts: 2 }, { clear: typed(C1) }, ANI)
    await components.cancel(half.half.id, BUDI)
    const gone = components.enter(half.half.id, { clear: typed(C2) }, BUDI)
    await refused(t, 'KEY_NOT_FOUND', gone, 'cancelled')

    const other = await aStore(t, shared, clock, { hsm })
    const late = await components.begin({ ...of, parts: 2 }, { clear: typed(C1) }, ANI)
    await until(() => other.components.halves.length === 1)
    await clock.runUntil(START_MS + HOUR_MS)
    for (const { components: each } of [store, other])
      await refused(
        t,
        'KEY_NOT_FOUND',
        each.enter(late.half.id, { clear: typed(C2) }, BUDI),
        'late',
      )
    await until(() => store.components.halves.length + other.components.halves.length === 0)

    const race = await components.begin({ ...of, parts: 2 }, { clear: typed(C1) }, ANI)
    await until(() => other.components.halves.length === 1)
    const both = await Promise.allSettled([
      components.enter(race.half.id, { clear: typed(C2) }, BUDI),
      other.components.enter(race.half.id, { clear: 'generate' }, { by: 'dewi', why: 'y' }),
    ])
    t.equal(both.filter(({ status }) => status === 'fulfilled').length, 1, 'one of two is last')
    t.equal((await store.list({ type: 'ZMK' }, true)).length, 2)
    await refused(
      t,
      'HSM_REQUEST',
      components.begin({ ...of, parts: 1 }, { clear: 'generate' }, ANI),
      'one',
    )
  })

  t.test('keys go to the partner and come from it under a ZMK', async t => {
    const clock = new VirtualClock(START_MS)
    const [here, there] = [await aHsm(t), await aHsm(t)]
    const ours = await aStore(t, await fresh(t), clock, { hsm: here })
    const theirs = await aStore(t, await fresh(t), clock, { hsm: there })
    const zone = 'bank'
    const parts = [Buffer.alloc(16), Buffer.alloc(16)]
    for (const part of parts) part.set(random.bytes(16))
    const zmks = await Promise.all(
      [ours, theirs].map(async ({ components }) => {
        const clear = (n: number): Buffer => Buffer.from(parts[n] ?? [])
        const of = { zone, type: 'ZMK', kind: 'AES128', parts: 2 } as const
        const { half } = await components.begin(of, { clear: clear(0) }, ANI)
        return (await components.enter(half.id, { clear: clear(1) }, BUDI)).key as KeyRecord
      }),
    )
    t.equal(zmks[0]?.checkValue, zmks[1]?.checkValue)
    const aZpk = { zone, type: 'ZPK', kind: 'TDES2' } as const
    await refused(t, 'KEY_NOT_FOUND', ours.rotate(aZpk, { scheme: 'R' }, ANI), 'no active ZMK')
    const under = zmks[0]?.id as string
    await refused(t, 'KEY_STATE', ours.rotate(aZpk, { under, scheme: 'R' }, ANI), 'a pending one')
    for (const [at, store] of [ours, theirs].entries()) await store.activate(zmks[at]!.id, ANI)

    const sent = await ours.rotate(aZpk, { scheme: 'R' }, ANI)
    t.equal(ours.zone(zone).active('ZPK'), undefined, 'not before both have it')
    const wrongOne = { ...aZpk, wrapped: sent.wrapped, checkValue: '0000AA' }
    await refused(t, 'KEY_CHECK_VALUE', theirs.importKey(wrongOne, BUDI), 'another check value')
    const { checkValue } = sent
    const came = await theirs.importKey({ ...wrongOne, checkValue, activate: true }, BUDI)
    await ours.activate(sent.key.id, ANI)
    t.equal(came.checkValue, sent.key.checkValue)
    t.match(came, { origin: 'imported', state: 'active' })
    await refused(
      t,
      'KEY_KNOWN',
      theirs.importKey({ ...wrongOne, checkValue }, BUDI),
      'the same again',
    )
    const next = await ours.rotate({ zone, type: 'ZPK' }, { scheme: 'R' }, ANI)
    t.equal(next.key.kind, 'TDES2', 'like the active one')

    const again = await ours.exportKey(sent.key.id, { scheme: 'R' }, BUDI)
    t.equal(again.checkValue, sent.checkValue)
    t.not(again.wrapped, sent.wrapped, 'sealed anew')
    t.match(
      (await ours.show(sent.key.id)).acts.map(({ act }) => act),
      ['rotate', 'activate', 'export'],
    )
    await refused(
      t,
      'HSM_NOT_PERMITTED',
      ours.exportKey(under, { scheme: 'R' }, ANI),
      'a ZMK stays',
    )
    const zpk = ours.exportKey(next.key.id, { under: sent.key.id, scheme: 'R' }, ANI)
    await refused(t, 'HSM_KEY_USAGE', zpk, 'under what is no ZMK')
    const legacy = { zone, type: 'ZPK', wrapped: `X${'0'.repeat(32)}` } as const
    await refused(t, 'KEY_CHECK_VALUE', theirs.importKey(legacy, ANI), 'X without a check value')

    const own = await here.generateKey('ZAK')
    const taken = await ours.importKey({ zone, type: 'ZAK', wrapped: own.key, under: 'lmk' }, ANI)
    t.match(taken, { block: own.key, checkValue: own.checkValue, kind: 'TDES2' })
    const other = { zone, type: 'ZPK', wrapped: own.key, under: 'lmk' } as const
    await refused(t, 'HSM_KEY_USAGE', ours.importKey(other, ANI), 'of another type')
    const alien = { zone, type: 'ZAK', wrapped: (await there.generateKey('ZAK')).key } as const
    await refused(t, 'HSM_KEY', ours.importKey({ ...alien, under: 'lmk' }, ANI), 'of another LMK')
  })

  t.test('keys are checked, and move to a new LMK while they are in use', async t => {
    const clock = new VirtualClock(START_MS)
    const shared = await fresh(t)
    const [lmk, newLmk] = [anLmk(), anLmk()]
    const before = await aHsm(t, { lmk })
    const ages = { masterLifetimeMs: 3 * HOUR_MS, keyLifetimeMs: HOUR_MS }
    const store = await aStore(t, shared, clock, { hsm: before, ...ages })
    for (const type of ['ZMK', 'ZPK', 'ZAK', 'TPK', 'HMAC', 'CMAC'] as const)
      await store.generate({ zone: 'bank', type, activate: true }, ANI)
    await store.generate({ zone: 'bank', type: 'ZPK', activate: true }, ANI)
    const good = await store.care.check(ANI)
    t.same([...new Set(good.map(({ result }) => result))], ['good'])
    t.same([good.length, store.figures().pastDue], [7, 0])

    await clock.runUntil(START_MS + 2 * HOUR_MS)
    const late = (await store.care.check(ANI)).filter(({ pastDue }) => pastDue)
    t.notOk(
      late.some(({ key }) => key.type === 'ZMK'),
      'a ZMK lives longer',
    )
    t.equal(late.length, 5)
    t.equal(store.figures().pastDue, 5)

    const lost = await aStore(t, shared, clock, { hsm: await aHsm(t) })
    const bad = await lost.care.check(ANI)
    t.ok(
      bad.every(({ result, otherLmk }) => result === 'HSM_KEY' && otherLmk),
      'under another LMK nothing opens',
    )
    await refused(t, 'HSM_KEY', lost.care.migrate(ANI), 'without the LMK before')

    const both = await aHsm(t, { lmk: newLmk, before: { tag: 'soft', lmk, lab: false } })
    const moving = await aStore(t, shared, clock, { hsm: both })
    const asked = (await moving.care.check(ANI)).map(({ result, otherLmk }) => [result, otherLmk])
    t.same(new Set(asked.map(String)), new Set(['good,true']), 'used from under the old one')
    const { moved, stayed, lmk: name } = await moving.care.migrate(BUDI)
    t.same([moved, stayed], [bad.length, 0])
    t.same(await moving.care.migrate(BUDI), { moved: 0, stayed: moved, lmk: name }, 'once')

    const after = await aStore(t, shared, clock, { hsm: await aHsm(t, { lmk: newLmk }) })
    for (const { result, otherLmk } of await after.care.check(ANI))
      t.same([result, otherLmk], ['good', false], 'the new LMK is enough')
    t.same(
      (await after.list({}, true)).map(({ id, checkValue }) => [id, checkValue]),
      (await store.list({}, true)).map(({ id, checkValue }) => [id, checkValue]),
    )
  })
}

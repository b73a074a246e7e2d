import t from 'tap'
import { SeededRandom, VirtualClock } from '#base'
import { KeyMemory, MemoryKeyRecords, parseKeyId } from '#keys'
import { newKeyId } from '../../src/keys/ids.ts'
import {
  aHsm,
  ANI,
  aStore,
  exchanged,
  keepsTheKeysPromise,
  refused,
  START_MS,
  until,
} from './conformance.ts'

t.test('memory keeps the promise', async t => {
  keepsTheKeysPromise(t, async () => {
    const memory = new KeyMemory()
    return { open: async () => new MemoryKeyRecords(memory) }
  })
})

t.test('a store that is away hurts no key in use', async t => {
  const clock = new VirtualClock(START_MS)
  const hsm = await aHsm(t)
  const memory = new KeyMemory()
  const records = new MemoryKeyRecords(memory)
  const store = await aStore(t, { open: async () => records }, clock, { hsm, overlapMs: 1000 })
  const old = await store.generate({ zone: 'bank', type: 'ZPK', activate: true }, ANI)
  const now = await store.generate({ zone: 'bank', type: 'ZPK', activate: true }, ANI)
  const commit = records.commit.bind(records)
  let away = 0
  records.commit = async () => {
    away++
    throw new Error('away')
  }
  await t.rejects(store.generate({ zone: 'bank', type: 'ZPK', activate: true }, ANI))
  const ring = store.zone('bank')
  t.same(ring.accepted('ZPK'), [now.block, old.block], 'nothing half done')
  await t.rejects(ring.agree('ZPK', await hsm.generateKey('ZPK'), exchanged('lost')))
  t.equal(ring.active('ZPK'), now.block, 'what is not durable is not active')
  await clock.runUntil(START_MS + 1000)
  t.same(ring.accepted('ZPK'), [now.block], 'an overlap ends by the clock alone')
  t.equal(away, 3)
  records.commit = commit
  await clock.runUntil(START_MS + 10_000)
  await until(async () => (await store.show(old.id)).key.state === 'revoked')
})

t.test('ids are read as people type them', async t => {
  const random = new SeededRandom(5)
  for (let n = 0; n < 100; n++) {
    const id = newKeyId(random)
    t.equal(parseKeyId(` ${id.toLowerCase()} `), id)
  }
  t.equal(parseKeyId('OIL00000'), '01100000')
  for (const text of ['', 'ABC', 'ABCDEFGU', 'ABCDEFGHJ', "1'; --  "])
    t.equal(parseKeyId(text), undefined, text)
  await refused(t, 'KEY_STORE', Promise.reject(await neverLast()), 'rivals without end')
})

/** What is thrown when every commit finds that somebody else was faster. */
async function neverLast(): Promise<unknown> {
  const { KeyShelf } = await import('../../src/keys/shelf.ts')
  const records = new MemoryKeyRecords()
  records.commit = async () => false
  const log = (await import('#telemetry')).NO_LOG
  const shelf = await KeyShelf.open({ records, clock: new VirtualClock(START_MS), log })
  return shelf.change(() => ({ acts: [] })).catch((error: unknown) => error)
}

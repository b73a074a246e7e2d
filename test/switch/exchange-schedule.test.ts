import t from 'tap'
import { VirtualClock } from '#base'
import type { KeyTypeName } from '#hsm'
import { EXCHANGE_PROFILES, type ExchangeSettings } from '#switch'
import { ExchangeSchedule } from '../../src/switch/security/exchange-schedule.ts'
import { Ring } from './zone.ts'

const START_MS = Date.UTC(2026, 10, 25, 2)
const HOUR_MS = 3_600_000

const SETTINGS: ExchangeSettings = {
  profile: EXCHANGE_PROFILES.de48,
  keys: ['ZPK', 'ZAK'],
  by: 'give',
  everyMs: 24 * HOUR_MS,
  timeoutMs: 1000,
  attempts: 1,
  mac: false,
}

/** A schedule at an hour that is 0; the keys are as old as `ages` says, in hours. */
function scheduled(ages: Partial<Record<KeyTypeName, number>>, settings = SETTINGS) {
  const clock = new VirtualClock(START_MS)
  const since = new Map(
    Object.entries(ages).map(([type, hours]) => [type, START_MS - hours * HOUR_MS]),
  )
  const renewed: [type: string, hour: number][] = []
  const refused = new Set<string>()
  const keys = Object.assign(new Ring(), { activeSinceMs: (type: KeyTypeName) => since.get(type) })
  const renew = async (type: KeyTypeName): Promise<void> => {
    renewed.push([type, (clock.nowMs() - START_MS) / HOUR_MS])
    if (!refused.has(type)) since.set(type, clock.nowMs())
  }
  const schedule = new ExchangeSchedule({ settings, keys, clock, renew })
  const until = (hour: number): Promise<void> => clock.runUntil(START_MS + hour * HOUR_MS)
  return { schedule, until, renewed, refused, since }
}

t.test('each key is renewed at its age, and a restart puts nothing off', async t => {
  const { schedule, until, renewed } = scheduled({ ZPK: 20, ZAK: 30 })
  schedule.start()
  schedule.start()
  await until(60)
  t.same(renewed, [
    ['ZAK', 0],
    ['ZPK', 4],
    ['ZAK', 24],
    ['ZPK', 28],
    ['ZAK', 48],
    ['ZPK', 52],
  ])
  schedule.stop()
  await until(200)
  t.equal(renewed.length, 6, 'nothing after the end')
})

t.test('one that was agreed in between begins a new span', async t => {
  const { schedule, until, renewed, since } = scheduled({ ZPK: 0, ZAK: 0 })
  schedule.start()
  await until(10)
  since.set('ZPK', START_MS + 10 * HOUR_MS)
  await until(40)
  t.same(renewed, [
    ['ZAK', 24],
    ['ZPK', 34],
  ])
})

t.test('what fails is tried again, not at once, and holds up nothing else', async t => {
  const { schedule, until, renewed, refused } = scheduled({ ZPK: 24, ZAK: 23 })
  refused.add('ZPK')
  schedule.start()
  await until(0.4)
  t.same(renewed.length, 3, 'ten minutes from one to the next')
  refused.delete('ZPK')
  await until(2)
  t.same(
    renewed.slice(3).map(([type]) => type),
    ['ZPK', 'ZAK'],
  )
  schedule.stop()
})

t.test('a key that there never was is tried for until there is one, and 0 is never', async t => {
  const none = scheduled({ ZAK: 0 })
  none.schedule.start()
  none.refused.add('ZPK')
  await none.until(0.4)
  none.refused.clear()
  await none.until(24)
  t.same(
    none.renewed.map(([type]) => type),
    ['ZPK', 'ZPK', 'ZPK', 'ZAK'],
  )
  none.schedule.stop()
  const never = scheduled({ ZPK: 1000, ZAK: 1000 }, { ...SETTINGS, everyMs: 0 })
  never.schedule.start()
  await never.until(1000)
  t.same(never.renewed, [])
})

import t from 'tap'
import { type Sabotage, SimulatedWorld } from './world.ts'

// One hundred days, each with its own trouble. A seed that fails prints itself; look at it with
// npm run simulate -- --seed N --payments 30 --tills 6
const SEEDS = 100
const DAY = { payments: 30, tills: 6 }

t.test(`${SEEDS} seeds: whatever happens, the three books agree`, async t => {
  const seen = { switchCrashes: 0, billerCrashes: 0, cuts: 0, stalls: 0, journalOutages: 0 }
  const ends = { paid: 0, declined: 0, reversed: 0 }
  for (let seed = 1; seed <= SEEDS; seed++) {
    const report = await new SimulatedWorld({ seed, ...DAY }).run()
    t.same(report.violations, [], `seed ${seed}`)
    for (const name of Object.keys(seen) as (keyof typeof seen)[]) seen[name] += report[name]
    for (const name of Object.keys(ends) as (keyof typeof ends)[]) ends[name] += report[name]
  }
  for (const [name, count] of Object.entries({ ...seen, ...ends }))
    t.ok(count > 0, `all seeds together saw ${name}: ${count}`)
})

t.test('the same seed gives the same day', async t => {
  const options = { seed: 7, payments: 60 }
  const [first, second] = [
    await new SimulatedWorld(options).run(),
    await new SimulatedWorld(options).run(),
  ]
  t.same(second, first)
  t.notSame(await new SimulatedWorld({ ...options, seed: 8 }).run(), first)
})

t.test('a broken law is noticed', async t => {
  for (const sabotage of ['hasty', 'forgetful'] satisfies Sabotage[]) {
    const day = { seed: 3, payments: 150, sabotage }
    const { violations } = await new SimulatedWorld(day).run()
    t.not(violations.length, 0, `${sabotage}: ${violations[0]}`)
  }
})

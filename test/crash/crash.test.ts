import { test } from 'tap'
import { CrashTest } from './crash-test.ts'
import { readOptions } from './options.ts'

test('kill -9, three times: the three books agree', async t => {
  // This seed kills the daemon, PostgreSQL and the biller, one each.
  const options = { kills: 3, seed: 7, json: true, paymentsPerSecond: 20, keep: false }
  const crash = await CrashTest.create(options, line => t.comment(line))
  const { report, breaks } = await crash.run()
  t.same(breaks, [])
  t.match(report, {
    kills: 3,
    lost: 0,
    double: 0,
    disagreements: 0,
    openAfterRecovery: 0,
    ok: true,
  })
  t.equal(Object.keys(report.killed).length, 3, 'one of each kind')
  t.ok(report.payments > 10, `${report.payments} payments`)
})

test('arguments', async t => {
  t.match(readOptions([]), { kills: 20, seed: 1, json: false, keep: false })
  t.match(readOptions(['--kills', '3', '--seed', '7', '--json']), { kills: 3, seed: 7, json: true })
  t.equal(readOptions(['--help']), 'help')
  for (const wrong of [['--kills', 'x'], ['--seed', '-1'], ['--what'], ['--kills', '1.5']])
    t.throws(() => readOptions(wrong), { message: /./ }, wrong.join(' '))
})

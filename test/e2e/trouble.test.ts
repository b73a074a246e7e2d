import { test } from 'tap'
import { customerOf } from '#screening'
import { aboutFor, FAST, Lab, numberFor, paymentFor, quoted, reasonOf, until } from './lab.ts'
import { sleep } from './process.ts'

test('the database, the daemon and the machine in trouble', async t => {
  const lab = await Lab.start({ set: [...FAST, 'limits.drain=5s'] })
  t.teardown(() => lab.end())
  const { daemon } = lab
  let numbers = 0
  const next = (): string => numberFor('pln-postpaid', `${++numbers}00`)
  const ready = async (): Promise<boolean> => {
    const { journal } = await daemon.status()
    return journal.available
  }

  for (const signal of ['SIGKILL', 'SIGSTOP'] as const)
    await t.test(`PostgreSQL goes away: ${signal}`, async t => {
      const violations: string[] = []
      const till = await daemon.openTill(0, text => violations.push(text))
      const slowly = numberFor('pln-postpaid', `${++numbers}939`)
      const underWay = paymentFor(till, await quoted(till, 'pln-postpaid', slowly))
      const fresh = await Promise.all(
        [next(), next(), next()].map(async number =>
          paymentFor(till, await quoted(till, 'pln-postpaid', number)),
        ),
      )
      const paying = till.request(underWay, 20_000)
      await until('it is at the biller', () => lab.believes(slowly) === 'paid')

      const server = daemon.postmaster as number
      // The postmaster alone would leave its children at work.
      const stopped = signal === 'SIGSTOP' ? [server, ...(await childrenOf(server))] : [server]
      for (const pid of stopped) process.kill(pid, signal)
      if (signal === 'SIGKILL')
        await until('it is noticed', async () => !(await ready().catch(() => false)))
      const told = await Promise.all(fresh.map(payment => till.request(payment, 10_000)))
      for (const answer of told)
        t.match(reasonOf(answer), /^(other-error|timeout|approved)$/, 'a proper answer, at once')
      if (signal === 'SIGSTOP') for (const pid of stopped) process.kill(pid, 'SIGCONT')
      await until('the journal is back', () => ready().catch(() => false))

      // A database that hangs cannot be told from a slow one: then patience ends first.
      t.match(reasonOf(await paying), /^(approved|timeout)$/, 'what was under way')
      await until('it is paid', async () => (await daemon.payment(slowly))?.state === 'paid')
      for (const [at, payment] of fresh.entries()) {
        const first = reasonOf(told[at])
        if (first === 'approved')
          t.equal((await daemon.payment(customerOf(payment)))?.state, 'paid', 'told, so durable')
        const undone = await till.request(aboutFor(till, 'reversal', payment), 10_000)
        t.match(reasonOf(undone), /^(approved|no-payment)$/, `${first}: then it is cleared up`)
      }
      t.ok((await daemon.settled(15_000)) >= 0, 'nothing is left open')
      const after = paymentFor(till, await quoted(till, 'pln-postpaid', next()))
      t.equal(reasonOf(await till.request(after, 10_000)), 'approved', 'and it goes on')
      t.match(await daemon.audit(), { agrees: true, heldMinor: 0n, problems: [] })
      t.same(violations, [])
      till.hangUp()
    })

  await t.test('kill -9, and the next daemon takes up what was open', async t => {
    const till = await daemon.openTill()
    const [silent, paid] = [numberFor('pln-postpaid', `${++numbers}907`), next()]
    const open = paymentFor(till, await quoted(till, 'pln-postpaid', silent))
    const done = paymentFor(till, await quoted(till, 'pln-postpaid', paid))
    const waiting = paymentFor(till, await quoted(till, 'pln-postpaid', next()))
    const answer = await till.request(done, 5_000)
    t.equal(reasonOf(answer), 'approved')
    const paying = till.request(open, 5_000)
    await until('it is at the biller', () => lab.believes(silent) === 'paid')
    await daemon.kill()
    t.equal(reasonOf(await paying), 'silence')
    await daemon.start()
    await lab.linkUp()
    await till.open()
    t.ok((await daemon.settled(15_000)) >= 0, 'it comes to its end by itself')
    t.equal((await daemon.payment(silent))?.state, 'reversed')
    t.equal(lab.believes(silent), 'reversed')
    t.same(await till.request(done, 5_000), answer, 'who asks again is told the same as before')
    const undone = await till.request(aboutFor(till, 'reversal', open), 5_000)
    t.equal(reasonOf(undone), 'approved')
    const late = await till.request(waiting, 5_000)
    t.equal(reasonOf(late), 'approved', 'an inquiry of before can be paid')
    till.hangUp()
  })

  await t.test('SIGTERM: what is on its way is finished, then it ends with 0', async t => {
    const till = await daemon.openTill()
    const slowly = numberFor('pln-postpaid', `${++numbers}939`)
    const payment = paymentFor(till, await quoted(till, 'pln-postpaid', slowly))
    const before = await daemon.balances('4519001')
    const paying = till.request(payment, 10_000)
    await until('it is at the biller', () => lab.believes(slowly) === 'paid')
    const ended = daemon.kill('SIGTERM')
    await sleep(50)
    t.equal(await daemon.till().open(), false, 'nobody comes in any more')
    t.equal(reasonOf(await paying), 'approved', 'it has its answer')
    t.equal(await ended, 0)
    t.equal(daemon.postmaster, undefined, 'PostgreSQL has ended too')

    await daemon.start()
    await lab.linkUp()
    t.equal((await daemon.payment(slowly))?.state, 'paid', 'the data are found again')
    const after = await daemon.balances('4519001')
    t.ok((after['deposit'] ?? 0n) < (before['deposit'] ?? 0n), 'and so is the money')
    t.match(await daemon.audit(), { agrees: true, heldMinor: 0n, openPayments: 0, problems: [] })
  })

  t.equal(await lab.daemon.kill('SIGINT'), 0, 'Ctrl-C ends it as well')
})

async function childrenOf(pid: number): Promise<number[]> {
  const { readFile } = await import('node:fs/promises')
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return text.split(' ').filter(Boolean).map(Number)
}

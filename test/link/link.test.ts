import * as fc from 'fast-check'
import { test } from 'tap'
import { AssertionFailed, settled, SystemClock, SystemRandom } from '#base'
import { DialedLink } from '#link'
import { NO_FAULTS, TcpAcceptor, TcpDialer } from '#net'
import { NO_LOG } from '#telemetry'
import { twoByteFramer } from '../net/two-byte-framer.ts'
import { asking, bytes, Counterpart, OPTIONS, politely, toyDialect, world } from './world.ts'

void test('the conversation', async t => {
  void t.test(
    'signs on before it is up, echoes when it is quiet, signs off when drained',
    async t => {
      const { link, states, counterpart, pass, clock } = await world()
      link.start()
      await pass(10)
      t.strictSame(states, ['dialing', 'signing-on', 'up'])
      await pass(60_000)
      const drained = link.drain(clock.nowMs() + 1000)
      await pass(10)
      await drained
      t.strictSame(counterpart.got, ['S|S-1', 'E|E-2', 'O|O-3'])
      t.strictSame(states.slice(3), ['draining', 'stopped'])
      await pass(200_000)
      t.equal(counterpart.connections.length, 0)
      t.equal(clock.nextMs, undefined, 'nothing stays behind')
    },
  )

  void t.test('traffic makes an echo needless', async t => {
    const { link, counterpart, pass, ask } = await world()
    link.start()
    await pass(10)
    for (let i = 0; i < 10; i++) {
      await pass(30_000)
      ask(`k${i}`)
    }
    await pass(10)
    t.notOk(counterpart.got.some(text => text.startsWith('E')))
  })

  void t.test('a refused sign-on hangs up and backs off; a later one is taken', async t => {
    const { link, states, counterpart, pass } = await world()
    counterpart.says = text => [`N|${text.split('|')[1]}`]
    link.start()
    await pass(10)
    t.equal(link.state, 'down')
    t.equal(link.status().lastError, 'sign-on refused')
    await pass(20_000)
    t.ok(counterpart.got.length > 2)
    counterpart.says = politely
    await pass(31_000)
    t.equal(link.state, 'up')
    t.equal(states.at(-1), 'up')
  })

  void t.test('an echo that is answered no makes it sign on again', async t => {
    const { link, counterpart, pass } = await world()
    link.start()
    await pass(10)
    counterpart.says = text => (text.startsWith('E') ? [`N|${text.slice(2)}`] : politely(text))
    await pass(60_001)
    t.strictSame(counterpart.got, ['S|S-1', 'E|E-2', 'S|S-3'])
    t.equal(link.state, 'up')
  })

  void t.test('signing on again: callers share one, and requests go on', async t => {
    const { link, counterpart, pass, ask } = await world()
    t.equal(await link.signOnAgain(), false, 'not while down')
    link.start()
    await pass(10)
    const both = [link.signOnAgain(), link.signOnAgain()]
    const told = ask('k1')
    await pass(10)
    t.strictSame(await Promise.all(both), [true, true])
    t.strictSame(told.outcomes, ['answered A|k1|'])
    t.equal(counterpart.got.filter(text => text.startsWith('S')).length, 2)

    counterpart.says = text => [`N|${text.split('|')[1]}`]
    const refused = link.signOnAgain()
    await pass(10)
    t.equal(await refused, false)
    t.equal(link.state, 'down')

    counterpart.says = () => []
    await pass(2_000)
    t.equal(link.state, 'signing-on')
    const unanswered = link.signOnAgain()
    await pass(6_000)
    t.equal(await unanswered, false)
  })

  void t.test('a dialect without conversation is up when connected', async t => {
    const { framing, read } = toyDialect()
    const { link, counterpart, pass, clock } = await world({ dialect: { framing, read } })
    link.start()
    await pass(200_000)
    t.equal(link.state, 'up')
    t.equal(await link.signOnAgain(), true)
    const drained = link.drain(clock.nowMs() + 10)
    await pass(10)
    await drained
    t.strictSame(counterpart.got, [])
  })

  void t.test('what the other side asks is answered', async t => {
    const { link, counterpart, pass } = await world()
    link.start()
    await pass(10)
    counterpart.send('?|7')
    await pass(10)
    t.equal(counterpart.got.at(-1), '!|7')
  })

  void t.test('a sign-on that cannot be made leaves the link down, not dead', async t => {
    const dialect = toyDialect()
    let fails = true
    const signOn = dialect.signOn
    dialect.signOn = () => {
      if (fails) throw new Error('no key')
      return signOn()
    }
    const { link, pass, log } = await world({ dialect })
    link.start()
    await pass(5_001)
    t.equal(link.state, 'down')
    t.ok(log.lines.some(({ level }) => level === 'error'))
    fails = false
    await pass(30_000)
    t.equal(link.state, 'up')
  })
})

void test('requests', async t => {
  void t.test('the outcomes, and none of them before request returns', async t => {
    const { link, counterpart, pass, ask, clock } = await world({ options: { inFlightMax: 2 } })
    const early = ask('early')
    t.strictSame(early.outcomes, [])
    await settled()
    t.strictSame(early.outcomes, ['not-sent down'])
    link.start()
    await pass(10)

    counterpart.says = () => []
    const first = ask('k1', 1_000)
    const same = ask('k1')
    const second = ask('k2', 5_000)
    const third = ask('k3')
    t.strictSame([same.outcomes, third.outcomes], [[], []])
    await settled()
    t.strictSame([same.outcomes, third.outcomes], [['not-sent duplicate-key'], ['not-sent full']])
    t.equal(link.inFlight, 2)
    await pass(1_000)
    t.strictSame(first.outcomes, ['sent-no-answer deadline'])

    const drained = link.drain(clock.nowMs() + 60_000)
    const fourth = ask('k4')
    await settled()
    t.strictSame(fourth.outcomes, ['not-sent draining'])
    counterpart.says = politely
    counterpart.send('A|k2|late but good')
    await pass(10)
    await drained
    t.strictSame(second.outcomes, ['answered A|k2|late but good'])
    t.strictSame(
      counterpart.got.map(text => text.slice(0, 4)),
      ['S|S-', 'Q|k1', 'Q|k2', 'O|O-'],
    )
    const { sent, answered, unanswered, notSent } = link.status()
    t.strictSame(
      { sent, answered, unanswered, notSent },
      { sent: 2, answered: 1, unanswered: 1, notSent: 4 },
    )
  })

  void t.test('drain gives up at its deadline', async t => {
    const { link, counterpart, pass, ask, clock } = await world()
    link.start()
    await pass(10)
    counterpart.says = () => []
    const told = ask('k1', 50_000)
    const drained = link.drain(clock.nowMs() + 3_000)
    await pass(3_000)
    await drained
    t.strictSame(told.outcomes, ['sent-no-answer broken'])
    t.equal(link.state, 'stopped')
  })

  void t.test('a break ends everything in flight at once; what follows is not sent', async t => {
    const { link, network, counterpart, pass, ask } = await world()
    link.start()
    await pass(10)
    counterpart.says = () => []
    const tolds = ['a', 'b', 'c'].map(key => ask(key))
    await pass(1)
    network.cut('biller')
    await pass(0)
    t.strictSame(
      tolds.map(told => told.outcomes),
      tolds.map(() => ['sent-no-answer broken']),
    )
    t.strictSame([link.state, link.inFlight], ['down', 0])
    const after = ask('d')
    await settled()
    t.strictSame(after.outcomes, ['not-sent down'])
    counterpart.says = politely
    await pass(2_000)
    t.equal(link.state, 'up')
    t.equal(link.status().reconnects, 1)
    counterpart.send('A|b|after all')
    await pass(1)
    t.strictSame(tolds[1]?.lates, ['A|b|after all'], 'its answer comes over the next connection')
  })

  void t.test('a late, a second and a foreign answer', async t => {
    const { link, counterpart, pass, ask, log } = await world()
    link.start()
    await pass(10)
    counterpart.says = () => []
    const told = ask('2110/000123/T1', 1_000)
    await pass(1_000)
    counterpart.send('A|2110/000123/T1|1')
    counterpart.send('A|2110/000123/T1|2')
    await pass(1)
    t.strictSame(told.outcomes, ['sent-no-answer deadline'])
    t.strictSame(told.lates, ['A|2110/000123/T1|1', 'A|2110/000123/T1|2'])

    counterpart.says = politely
    const answered = ask('2110/000124/T1')
    await pass(1)
    counterpart.send('A|2110/000124/T1|again')
    await pass(1)
    t.strictSame(answered.outcomes, ['answered A|2110/000124/T1|'])
    t.strictSame(answered.lates, ['A|2110/000124/T1|again'])

    counterpart.says = () => []
    ask('2110/000125/T1')
    counterpart.send('A|2110/125/T1')
    await pass(1)
    const line = log.lines.find(({ text }) => text === 'an answer matches no request')
    t.match(line?.fields, {
      key: '2110/125/T1',
      nearest: '2110/000125/T1',
      differs: 'part 2: answer 125, request 000125',
    })
    const { late, unmatched } = link.status()
    t.strictSame({ late, unmatched }, { late: 3, unmatched: 1 })

    await pass(OPTIONS.lateMemoryMs)
    counterpart.send('A|2110/000123/T1|too late')
    await pass(1)
    t.equal(told.lates.length, 2)
  })

  void t.test('a flood of foreign answers writes a line a second', async t => {
    const { link, counterpart, pass, log } = await world()
    link.start()
    await pass(10)
    for (let i = 0; i < 500; i++) counterpart.send(`A|x${i}`)
    await pass(1)
    t.equal(link.status().unmatched, 500)
    t.equal(log.lines.filter(({ text }) => text === 'an answer matches no request').length, 1)
  })

  void t.test('half-open: noticed by the echo, ended, and dialed again', async t => {
    const { link, network, pass, ask } = await world()
    link.start()
    await pass(10)
    network.stall()
    const told = ask('k1', 200_000)
    await pass(69_000)
    t.equal(link.state, 'up')
    await pass(2_000)
    t.strictSame(told.outcomes, ['sent-no-answer broken'])
    t.match(link.status().lastError, /half-open/)
    await pass(2_000)
    t.equal(link.state, 'up')
  })

  void t.test('garbage: hung up, and dialed again', async t => {
    const { link, counterpart, pass, ask } = await world()
    link.start()
    await pass(10)
    counterpart.says = () => []
    const told = ask('k1')
    await pass(1)
    counterpart.connections[0]?.write(bytes('\xff\xffgarbage'))
    counterpart.send('A|k1')
    await pass(1)
    t.strictSame(told.outcomes, ['sent-no-answer broken'])
    t.equal(link.status().lastError, 'FRAME_LENGTH')
    counterpart.says = politely
    await pass(2_000)
    t.equal(link.state, 'up')
  })

  void t.test('an unreadable frame is logged without its content, and passed over', async t => {
    const { link, counterpart, pass, ask, log } = await world()
    link.start()
    await pass(10)
    counterpart.send('SECRET')
    const told = ask('k1')
    await pass(1)
    t.strictSame(told.outcomes, ['answered A|k1|'])
    t.notOk(JSON.stringify(log.lines).includes('SECRET'))
    t.ok(log.lines.some(({ text }) => text === 'a frame cannot be read'))
  })

  void t.test('a callback that throws hurts nobody else; a bug is not swallowed', async t => {
    const { link, pass, ask, clock, network, counterpart } = await world()
    link.start()
    await pass(10)
    const { request } = asking('bad', clock.nowMs() + 1000)
    link.onState(() => {
      throw new Error('listener')
    })
    link.request({
      ...request,
      done() {
        throw new Error('done')
      },
    })
    const good = ask('good')
    await pass(1)
    t.strictSame(good.outcomes, ['answered A|good|'])
    counterpart.says = () => []
    link.request({
      ...request,
      done() {
        throw new Error('done')
      },
    })
    const broken = ask('good')
    network.cut()
    await pass(1)
    t.strictSame(broken.outcomes, ['sent-no-answer broken'])
    counterpart.says = politely
    await pass(2_000)
    t.equal(link.state, 'up')
    link.request({
      ...request,
      done() {
        throw new AssertionFailed('a bug')
      },
    })
    await t.rejects(pass(2_000), AssertionFailed)
  })

  void t.test('a request made within done goes its own way', async t => {
    const { link, pass, ask, network, counterpart, clock } = await world()
    link.start()
    await pass(10)
    counterpart.says = () => []
    const seen: string[][] = []
    const { request } = asking('k1', clock.nowMs() + 1000)
    link.request({
      ...request,
      done() {
        seen.push(ask('k1').outcomes)
      },
    })
    network.cut()
    await pass(1)
    t.strictSame(seen, [['not-sent down']])
  })

  void t.test('a frame that the framing cannot carry is thrown back', async t => {
    const { link, pass, ask } = await world({ dialect: toyDialect(twoByteFramer(20)) })
    link.start()
    await pass(10)
    t.throws(() => ask('k1', 1000, 'x'.repeat(100)), { code: 'FRAME_LENGTH' })
    t.equal(link.inFlight, 0)
  })
})

void test('whatever falls, every request is told once, and nothing stays in flight', async () => {
  const anAct = fc.oneof(
    { weight: 6, arbitrary: fc.record({ act: fc.constant('ask' as const), n: fc.nat(11) }) },
    fc.record({
      act: fc.constantFrom('pass', 'cut', 'stall', 'sign-on', 'silent', 'polite', 'no', 'foreign'),
      n: fc.nat(9),
    }),
    fc.record({ act: fc.constantFrom('twice', 'garbage'), n: fc.nat(11) }),
    { weight: 1, arbitrary: fc.record({ act: fc.constant('drain' as const), n: fc.nat(9) }) },
  )
  const somewhere = fc.double({ min: 0, max: 0.2, noNaN: true })
  await fc.assert(
    fc.asyncProperty(
      fc.array(anAct, { maxLength: 60 }),
      fc.nat(),
      fc.tuple(somewhere, somewhere, somewhere),
      async (acts, seed, [cut, stall, garbage]) => {
        const faults = { ...NO_FAULTS, latencyMs: [0, 300] as const, fragment: 0.3, merge: 0.3 }
        const { link, network, counterpart, pass, ask, clock } = await world({
          seed,
          faults: { ...faults, cut, stall, garbage, refuse: cut, unreachable: stall },
          options: { echoIdleMs: 3_000, echoTimeoutMs: 1_000 },
        })
        const tolds: ReturnType<typeof ask>[] = []
        let signOns = 0
        link.start()
        for (const { act, n } of acts) {
          if (act === 'ask') tolds.push(ask(`k${n}`, n * 500))
          else if (act === 'pass') await pass(n * 400)
          else if (act === 'cut') network.cut()
          else if (act === 'stall') network.stall()
          else if (act === 'sign-on') {
            signOns++
            void link.signOnAgain().then(() => signOns--)
          } else if (act === 'silent') counterpart.says = () => []
          else if (act === 'polite') counterpart.says = politely
          else if (act === 'no') counterpart.says = text => [`N|${text.split('|')[1]}`]
          else if (act === 'foreign') counterpart.send(`A|z${n}`)
          else if (act === 'twice') counterpart.send(`A|k${n}`)
          else if (act === 'garbage') counterpart.connections[0]?.write(bytes('\0\0'))
          else void link.drain(clock.nowMs() + n * 300)
          await pass(n * 10)
        }
        const stopped = link.drain(clock.nowMs() + 5_000)
        await pass(10_000)
        await stopped
        const { sent, answered, unanswered, notSent } = link.status()
        if (tolds.some(({ outcomes }) => outcomes.length !== 1)) throw new Error('not told once')
        if (link.inFlight !== 0) throw new Error('something stays in flight')
        if (sent !== answered + unanswered) throw new Error('sent and ended differ')
        if (sent + notSent !== tolds.length) throw new Error('the counts do not add up')
        if (signOns !== 0) throw new Error('a sign-on was not settled')
      },
    ),
    { numRuns: 150 },
  )
})

void test('over a real socket', async t => {
  const counterpart = new Counterpart()
  const acceptor = new TcpAcceptor({ host: '127.0.0.1', port: 0 })
  const { address } = await counterpart.listen(acceptor)
  const clock = new SystemClock()
  const link = new DialedLink<string>({
    name: 'real',
    dialer: new TcpDialer({ host: '127.0.0.1', port: Number(address.split(':')[1]) }),
    dialect: toyDialect(),
    options: {
      ...OPTIONS,
      inFlightMax: 1000,
      dialTimeoutMs: 1000,
      signOnTimeoutMs: 1000,
      echoIdleMs: 0,
      reconnectMinMs: 1,
      reconnectMaxMs: 10,
    },
    clock,
    random: new SystemRandom(),
    log: NO_LOG,
  })
  const becomes = (wanted: string): Promise<void> =>
    new Promise(resolve => {
      link.onState(state => {
        if (state === wanted) resolve()
      })
    })
  const up = becomes('up')
  link.start()
  await up

  const outcomes = await Promise.all(
    Array.from(
      { length: 1000 },
      (_, i) =>
        new Promise<string>(resolve => {
          const { request } = asking(`k${i}`, clock.nowMs() + 20_000)
          link.request({ ...request, done: ({ tag }) => resolve(tag) })
        }),
    ),
  )
  t.equal(outcomes.filter(tag => tag === 'answered').length, 1000)

  counterpart.says = () => []
  const told = asking('k1', clock.nowMs() + 20_000)
  const [broken, upAgain] = [becomes('down'), becomes('up')]
  link.request(told.request)
  counterpart.connections[0]?.destroy()
  await broken
  t.strictSame(told.outcomes, ['sent-no-answer broken'])
  counterpart.says = politely
  await upAgain

  await link.drain(clock.nowMs() + 5_000)
  t.equal(link.state, 'stopped')
  await acceptor.close()
})

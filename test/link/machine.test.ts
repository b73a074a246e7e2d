import * as fc from 'fast-check'
import { test } from 'tap'
import { SeededRandom } from '#base'
import type { Random } from '#base'
import { nextLink, STOPPED, wakeAtMs } from '../../src/link/machine.ts'
import type { LinkEvent, LinkRules, LinkState } from '../../src/link/machine.ts'
import { Memory } from '../../src/link/memory.ts'
import { explainUnmatched } from '../../src/link/nearest.ts'
import { OPTIONS } from './world.ts'

const RULES: LinkRules = { ...OPTIONS, signsOn: true, signsOff: true, echoes: true }
/** Chance that always takes the whole of the backoff. */
const LONGEST: Random = { next: () => 1, bytes: count => new Uint8Array(count) }

const NOW = 100_000
const down: LinkState = { tag: 'down', failures: 2, retryAtMs: NOW }
const dialing = { tag: 'dialing', failures: 1, deadlineMs: NOW + 5_000 } as const
const signingOn: LinkState = { tag: 'signing-on', failures: 1, deadlineMs: NOW + 5_000 }
const up = {
  tag: 'up',
  failures: 1,
  sinceMs: NOW,
  echo: undefined,
  signOnDeadlineMs: undefined,
} as const
const echoing: LinkState = { ...up, echo: { sentAtMs: NOW } }
const again: LinkState = { ...up, signOnDeadlineMs: NOW + 5_000 }
const draining: LinkState = { tag: 'draining', deadlineMs: NOW + 9_000, signingOff: false }
const signingOff: LinkState = { tag: 'draining', deadlineMs: NOW + 5_000, signingOff: true }

type Bare = LinkEvent extends infer E ? (E extends LinkEvent ? Omit<E, 'nowMs'> : never) : never
const tick = (heardAtMs = 0) => ({ tag: 'tick', heardAtMs }) as const
const drain = (inFlight: number) => ({ tag: 'drain', deadlineMs: NOW + 9_000, inFlight }) as const

const rows: [
  title: string,
  before: LinkState,
  event: Bare,
  afterMs: number,
  after: LinkState['tag'],
  commands: string,
  rules?: Partial<LinkRules>,
][] = [
  ['a stopped link starts by dialing', STOPPED, { tag: 'start' }, 0, 'dialing', 'dial'],
  ['a link starts once', up, { tag: 'start' }, 0, 'up', ''],
  ['before its time a down link stays', down, tick(), -1, 'down', ''],
  ['at its time it dials', down, tick(), 0, 'dialing', 'dial'],
  ['a late close is no news', down, { tag: 'closed' }, 0, 'down', ''],
  ['connected, it signs on', dialing, { tag: 'connected' }, 0, 'signing-on', 'sign-on'],
  ['without a sign-on it is up', dialing, { tag: 'connected' }, 0, 'up', '', { signsOn: false }],
  ['a dial that fails', dialing, { tag: 'closed' }, 0, 'down', ''],
  ['a dial still has time', dialing, tick(), 4_999, 'dialing', ''],
  ['a dial without answer', dialing, tick(), 5_000, 'down', 'hang-up'],
  ['signed on, it is up', signingOn, { tag: 'accepted' }, 0, 'up', ''],
  ['a refused sign-on hangs up', signingOn, { tag: 'refused' }, 0, 'down', 'hang-up'],
  ['a sign-on without answer', signingOn, tick(), 5_000, 'down', 'hang-up'],
  ['a break while signing on', signingOn, { tag: 'closed' }, 0, 'down', ''],
  ['quiet, but not for long', up, tick(NOW), 59_999, 'up', ''],
  ['quiet for long: an echo', up, tick(NOW), 60_000, 'up', 'echo'],
  ['heard of a moment ago: no echo', up, tick(NOW + 50_000), 60_000, 'up', ''],
  ['a dialect without echo', up, tick(), 999_999, 'up', '', { echoes: false }],
  ['echoIdleMs 0 never echoes', up, tick(), 999_999, 'up', '', { echoIdleMs: 0 }],
  ['an answered echo is forgotten', echoing, { tag: 'echoed', accepted: true }, 9, 'up', ''],
  [
    'an echo that is answered no: sign on',
    echoing,
    { tag: 'echoed', accepted: false },
    9,
    'up',
    'sign-on',
  ],
  ['an echo still has time', echoing, tick(NOW), 9_999, 'up', ''],
  ['an echo without answer, and silence: half-open', echoing, tick(NOW), 10_000, 'down', 'hang-up'],
  ['an echo without answer, but something was heard', echoing, tick(NOW + 1), 10_000, 'up', ''],
  ['a break', up, { tag: 'closed' }, 0, 'down', ''],
  ['signing on again', up, { tag: 'sign-on-again' }, 0, 'up', 'sign-on'],
  ['once at a time', again, { tag: 'sign-on-again' }, 1, 'up', ''],
  ['accepted again', again, { tag: 'accepted' }, 1, 'up', ''],
  ['refused the second time', again, { tag: 'refused' }, 1, 'down', 'hang-up'],
  ['the second sign-on without answer', again, tick(NOW + 4_999), 5_000, 'down', 'hang-up'],
  ['drain with nothing in flight signs off', up, drain(0), 0, 'draining', 'sign-off'],
  ['drain with something in flight waits', up, drain(3), 0, 'draining', ''],
  ['drain where nothing signs off', up, drain(0), 0, 'stopped', 'hang-up', { signsOff: false }],
  ['drain of a down link', down, drain(0), 0, 'stopped', ''],
  ['drain while dialing', dialing, drain(0), 0, 'stopped', 'hang-up'],
  ['drain while signing on', signingOn, drain(0), 0, 'stopped', 'hang-up'],
  ['the last answer came: sign off', draining, { tag: 'emptied' }, 0, 'draining', 'sign-off'],
  ['signed off', signingOff, { tag: 'signed-off' }, 0, 'stopped', 'hang-up'],
  ['a sign-off without answer', signingOff, tick(), 5_000, 'stopped', 'hang-up'],
  ['a break while draining', draining, { tag: 'closed' }, 0, 'stopped', ''],
  ['not drained in time', draining, tick(), 9_000, 'stopped', 'hang-up'],
  ['a second drain changes nothing', draining, drain(0), 0, 'draining', ''],
]

void test('the machine', async t => {
  for (const [title, before, event, afterMs, after, commands, rules] of rows) {
    void t.test(title, async t => {
      const all = { ...RULES, ...rules }
      const at: LinkEvent = { ...event, nowMs: NOW + afterMs }
      const [state, ...given] = nextLink(before, at, all, LONGEST)
      t.strictSame([state.tag, given.join(' ')], [after, commands])
    })
  }

  void t.test(
    'the backoff doubles to its bound, and starts anew after a link that held',
    async t => {
      const waits = (heldMs: number): number[] => {
        const found: number[] = []
        let state: LinkState = { tag: 'dialing', failures: 0, deadlineMs: 0 }
        for (let i = 0; i < 8; i++) {
          const [downAgain] = nextLink(
            {
              ...up,
              failures: state.tag === 'dialing' ? state.failures : 0,
              sinceMs: NOW - heldMs,
            },
            { tag: 'closed', nowMs: NOW },
            RULES,
            LONGEST,
          )
          if (downAgain.tag !== 'down') throw new Error('not down')
          found.push(downAgain.retryAtMs - NOW)
          ;[state] = nextLink(downAgain, { ...tick(), nowMs: downAgain.retryAtMs }, RULES, LONGEST)
        }
        return found
      }
      t.strictSame(waits(10), [1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000])
      t.strictSame(waits(30_000), Array(8).fill(1000))
    },
  )

  void t.test('the wait is anywhere up to its bound', async t => {
    const random = new SeededRandom(1)
    const waits = Array.from({ length: 200 }, () => {
      const [state] = nextLink(
        { ...dialing, failures: 3 },
        { tag: 'closed', nowMs: 0 },
        RULES,
        random,
      )
      return state.tag === 'down' ? state.retryAtMs : -1
    })
    t.ok(waits.every(wait => wait >= 0 && wait <= 8000))
    t.ok(Math.min(...waits) < 1000 && Math.max(...waits) > 7000)
  })

  void t.test('whatever happens, every state but stopped knows when to look again', async () => {
    const anEvent = fc.record({
      pass: fc.integer({ min: 0, max: 70_000 }),
      event: fc.constantFrom<Bare[]>(
        { tag: 'start' },
        { tag: 'connected' },
        { tag: 'accepted' },
        { tag: 'refused' },
        { tag: 'echoed', accepted: true },
        { tag: 'echoed', accepted: false },
        { tag: 'sign-on-again' },
        { tag: 'closed' },
        { tag: 'emptied' },
        { tag: 'signed-off' },
        tick(),
        drain(0),
        drain(2),
      ),
    })
    fc.assert(
      fc.property(fc.array(anEvent, { maxLength: 30 }), events => {
        let state: LinkState = STOPPED
        let nowMs = 0
        for (const { pass, event } of events) {
          nowMs += pass
          const [next, ...commands] = nextLink(state, { ...event, nowMs }, RULES, LONGEST)
          const wake = wakeAtMs(next, 0, RULES)
          if ((wake === undefined) !== (next.tag === 'stopped')) throw new Error(next.tag)
          if (commands.includes('dial') !== (next.tag === 'dialing' && state.tag !== 'dialing')) {
            throw new Error('dials when it does not begin to dial')
          }
          state = next
        }
      }),
    )
  })
})

void test('the memory', async t => {
  void t.test('forgets by time and by number, the oldest first', async t => {
    const memory = new Memory<number>(1000, 10)
    for (let i = 0; i < 100; i++) {
      memory.remember(`k${i}`, i, i)
      t.ok(memory.size <= 10)
    }
    t.equal(memory.recall('k99', 100), 99)
    t.equal(memory.recall('k95', 100), 95, 'the newer half is certain')
    t.equal(memory.recall('k80', 100), undefined)
    t.equal(memory.recall('k99', 1098), 99)
    t.equal(memory.recall('k99', 1099), undefined)
    memory.remember('new', 1, 5000)
    memory.remember('newer', 2, 7000)
    memory.remember('newest', 3, 9000)
    t.equal(memory.size, 2)
  })

  void t.test('without time or room it remembers nothing', async t => {
    for (const memory of [new Memory<number>(0, 10), new Memory<number>(10, 0)]) {
      memory.remember('a', 1, 0)
      t.equal(memory.recall('a', 0), undefined)
    }
  })
})

void test('why an answer matched nothing', async t => {
  const rows: [
    title: string,
    key: string,
    inFlight: string[],
    nearest: string | undefined,
    differs: string,
  ][] = [
    ['nothing in flight', '210|1', [], undefined, 'nothing is in flight'],
    ['no part in common', 'a|b', ['c|d'], undefined, 'every part'],
    [
      'one part',
      '2110|000123|T1',
      ['2210|9|T2', '2110|000124|T1'],
      '2110|000124|T1',
      'part 2: answer 000123, request 000124',
    ],
    ['a part too few', '2110|7', ['2110|7|T1'], '2110|7|T1', 'part 3: answer none, request T1'],
  ]
  for (const [title, key, inFlight, nearest, differs] of rows) {
    void t.test(title, async t => {
      t.strictSame(explainUnmatched(key, inFlight), { key, nearest, differs })
    })
  }
})

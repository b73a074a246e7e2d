import { readFileSync } from 'node:fs'
import t from 'tap'
import { SystemClock } from '#base'
import type { KeyTypeName } from '#hsm'
import { compileSpec, compileTable, type IsoCodec } from '#iso8583'
import { EXCHANGE_PROFILES, type ExchangeName, FrameSecurity } from '#switch'
import { NO_LOG } from '#telemetry'
import { ecb, formZmk, Ring, startHsm } from './zone.ts'

/** ISO 8583:1987 with room for keys wherever a profile may want it. */
const OVER = `table: keys
title: keys
extends: iso8583-1987-ascii
fields:
  40: an 3 network code
  39: an ..4 response code
  53: LLVAR an ..96 security
`
function codecWith(text: string): IsoCodec {
  const base = 'specs/iso8583-1987-ascii.yaml'
  const files = [
    { path: 'keys/fields.yaml', text },
    { path: base, text: readFileSync(base, 'utf8') },
    { path: 'specs/emv-chip-data.yaml', text: readFileSync('specs/emv-chip-data.yaml', 'utf8') },
  ]
  const { spec, problems } = compileTable(files)
  if (!spec) throw new Error(JSON.stringify(problems))
  return compileSpec(spec)
}
const codec = codecWith(OVER.replace('39: an ..4', '39: LLVAR an ..4'))

const ours = await startHsm()
const theirs = await startHsm()
t.teardown(async () => {
  await ours.end()
  await theirs.end()
})
const ZMK = Buffer.from('0123456789ABCDEFFEDCBA98765432108899AABBCCDDEEFF', 'hex')
const clock = new SystemClock()
const CAUSE = { by: 'ani', why: 'ticket 4711' }

type End = { readonly security: FrameSecurity; readonly ring: Ring }
/** What happens to the next frames on the line. */
type Line = {
  last?: Uint8Array
  lost: number
  spoil: ((frame: Uint8Array) => Uint8Array) | undefined
  said: number
}

type Setting = {
  readonly profile: ExchangeName
  readonly keys: readonly KeyTypeName[]
  readonly by: 'ask' | 'give'
  /** Which ends put a MAC on messages of the exchange, and want one. */
  readonly macs?: readonly ('a' | 'b')[]
}

const MAC = {
  field: 128,
  algorithm: 'retail',
  padding: 1,
  macBytes: 8,
  keyType: 'ZAK',
  covers: 'message',
} as const

/** Two ends of one zone, each with its own HSM, and a line in memory between them. */
async function zone({ profile, keys, by, macs = [] }: Setting) {
  const line: Line = { lost: 0, spoil: undefined, said: 0 }
  const make = async (name: 'a' | 'b', hsm: typeof ours.hsm): Promise<End> => {
    const ring = new Ring()
    await ring.agree('ZMK', await formZmk(hsm, ZMK), 'components')
    const exchange = {
      profile: EXCHANGE_PROFILES[profile],
      keys,
      by,
      everyMs: 0,
      timeoutMs: 300,
      attempts: 3,
      mac: macs.includes(name),
    }
    const parts = { name, codec, hsm, keys: ring, clock, log: NO_LOG }
    return {
      security: new FrameSecurity({ ...parts, profile: { card: [], mac: MAC, exchange } }),
      ring,
    }
  }
  const a = await make('a', ours.hsm)
  const b = await make('b', theirs.hsm)
  const over = (to: End, back: (frame: Uint8Array) => void) => (frame: Uint8Array) => {
    line.said++
    line.last = frame
    if (line.lost > 0) return void line.lost--
    const bytes = line.spoil?.(frame) ?? frame
    line.spoil = undefined
    setImmediate(() =>
      to.security.admit(
        bytes,
        () => {},
        answer => {
          if (answer) back(answer)
        },
      ),
    )
  }
  const toA: (frame: Uint8Array) => void = over(a, frame => toB(frame))
  const toB: (frame: Uint8Array) => void = over(b, frame => toA(frame))
  const blank = () =>
    Uint8Array.from(codec.create('0800').set(7, '1125120000').set(11, '000000').build())
  const told = (way: (frame: Uint8Array) => void) => (frame: Uint8Array) => {
    way(frame)
    return true
  }
  a.security.exchange?.attach({ blank, tell: told(toB) })
  b.security.exchange?.attach({ blank, tell: told(toA) })
  const rotate = async (type: KeyTypeName): Promise<void> => {
    await a.security.exchange?.rotate(type, CAUSE)
    // Who was asked takes it as agreed when our answer has come.
    await new Promise(resolve => {
      setImmediate(resolve)
    })
    await b.security.exchange?.changing
  }
  return { a, b, line, rotate }
}

const rows: readonly [title: string, setting: Setting][] = [
  ['DE48: we give', { profile: 'de48', keys: ['ZPK', 'ZAK'], by: 'give' }],
  ['DE48: we ask, they give', { profile: 'de48', keys: ['ZPK', 'ZAK'], by: 'ask' }],
  ['DE48 with key blocks', { profile: 'de48-block', keys: ['ZPK', 'ZAK'], by: 'give' }],
  ['DE53, 120 and 123: we give', { profile: 'base24', keys: ['ZPK', 'ZAK'], by: 'give' }],
  ['DE53, 120 and 123: we ask', { profile: 'base24', keys: ['ZPK', 'ZAK'], by: 'ask' }],
  ['DE125 and 53', { profile: 'postilion', keys: ['ZPK', 'ZAK'], by: 'give' }],
  ['DE120: we give', { profile: 'de120', keys: ['ZPK', 'ZAK'], by: 'give' }],
  ['DE53: we give', { profile: 'de53', keys: ['ZPK'], by: 'give' }],
  ['DE53: the answer brings it', { profile: 'de53', keys: ['ZPK'], by: 'ask' }],
  ['Arranet: the answer brings it', { profile: 'arranet', keys: ['ZEK'], by: 'ask' }],
]
for (const [title, setting] of rows) {
  t.test(title, async t => {
    const { a, b, line, rotate } = await zone(setting)
    for (const type of setting.keys) {
      await rotate(type)
      t.match(a.ring.checkValue(type), /^[0-9A-F]{6}$/, `${type} is agreed`)
      t.equal(a.ring.checkValue(type), b.ring.checkValue(type), 'the same on both sides')
    }
    const [type] = setting.keys as [KeyTypeName]
    const before = a.ring.active(type)
    await rotate(type)
    t.not(a.ring.active(type), before, 'a new one')
    t.same(a.ring.accepted(type)[1], before, 'and the one before still comes in')
    t.equal(a.ring.checkValue(type), b.ring.checkValue(type))

    const { agreed } = b.ring
    line.lost = 1
    await rotate(type)
    t.equal(b.ring.agreed, agreed + 1, 'said again after silence, and agreed once')
    t.equal(a.ring.checkValue(type), b.ring.checkValue(type))
  })
}

t.test(
  'an answer that is lost: the same key is given again, and changes nothing twice',
  async t => {
    const { a, b, line, rotate } = await zone({ profile: 'de48', keys: ['ZAK'], by: 'give' })
    await rotate('ZAK')
    let frames = 0
    const spoil = (frame: Uint8Array): Uint8Array => {
      // The request goes through, its answer does not.
      if (++frames === 1) line.spoil = () => new Uint8Array(0)
      return frame
    }
    line.spoil = frame => {
      const passed = spoil(frame)
      setImmediate(() => {
        line.spoil = () => new Uint8Array(0)
      })
      return passed
    }
    const { agreed } = b.ring
    await rotate('ZAK')
    t.equal(b.ring.agreed, agreed + 1)
    t.equal(a.ring.checkValue('ZAK'), b.ring.checkValue('ZAK'))
    t.match(b.security.counts, { refused: 0 })
  },
)

t.test('nobody answers: the key that we gave may come in, but nothing leaves under it', async t => {
  const { a, line, rotate } = await zone({ profile: 'de48', keys: ['ZAK'], by: 'give' })
  await rotate('ZAK')
  const before = a.ring.active('ZAK')
  line.lost = 3
  await t.rejects(rotate('ZAK'), { code: 'KEY_EXCHANGE' })
  t.equal(a.ring.active('ZAK'), before)
  const [pending, ...others] = a.security.exchange?.pending('ZAK') ?? []
  t.ok(pending)
  t.same(others, [])
  t.match(a.security.counts, { unanswered: 1 })
  await rotate('ZAK')
  t.equal(a.ring.active('ZAK'), pending, 'the same one again')
  t.same(a.security.exchange?.pending('ZAK'), [])
})

t.test('what is no good key is refused, and the keys stay as they were', async t => {
  const { a, b, line, rotate } = await zone({ profile: 'de48', keys: ['ZPK'], by: 'give' })
  await rotate('ZPK')
  const key = a.ring.active('ZPK')
  const other = b.ring.active('ZPK')
  const spoils: [title: string, change: (text: string) => string][] = [
    ['another check value', text => `${text.slice(0, -6)}000000`],
    ['a check value of other letters', text => `${text.slice(0, -6)}ZZZZZZ`],
    ['a key that was changed', text => `${text.slice(0, 2)}0000${text.slice(6)}`],
    ['another kind of key', text => `09${text.slice(2)}`],
    ['half a key', text => `${text.slice(0, 10)}${text.slice(-6)}`],
    ['no digits', text => `${text.slice(0, 2)}${'Z'.repeat(32)}${text.slice(-6)}`],
  ]
  for (const [title, change] of spoils) {
    line.spoil = frame => {
      const message = codec.parse(frame)
      return Uint8Array.from(
        message
          .draft()
          .set(48, change(message.get(48) ?? ''))
          .build(),
      )
    }
    await t.rejects(rotate('ZPK'), { code: 'KEY_EXCHANGE' }, title)
    t.same([a.ring.active('ZPK'), b.ring.active('ZPK')], [key, other], title)
  }
  t.match(b.security.counts, { refused: spoils.length })
})

t.test('messages of the exchange have a MAC where both want it, from the first key on', async t => {
  for (const by of ['give', 'ask'] as const) {
    const { a, b, line, rotate } = await zone({
      profile: 'de48',
      keys: ['ZAK', 'ZPK'],
      by,
      macs: ['a', 'b'],
    })
    const last = () => codec.parse(line.last as Uint8Array)
    await rotate('ZAK')
    await rotate('ZPK')
    t.match(last().get(128), /^[0-9A-F]{16}$/, `${by}: the last one said has one`)
    t.equal(a.ring.checkValue('ZPK'), b.ring.checkValue('ZPK'))
    await rotate('ZAK')
    t.equal(a.ring.checkValue('ZAK'), b.ring.checkValue('ZAK'), 'the key that makes them, too')
    const key = b.ring.active('ZPK')
    line.spoil = frame => {
      const spoilt = Uint8Array.from(frame)
      const at = spoilt.length - 1
      spoilt[at] = (spoilt[at] as number) ^ 1
      return spoilt
    }
    await t.rejects(rotate('ZPK'), { code: 'KEY_EXCHANGE' }, `${by}: a MAC that does not hold`)
    t.equal(b.ring.active('ZPK'), key)
    t.match(b.security.counts, { refused: 1 })
  }
})

t.test('who wants a MAC takes nothing without one; who wants none does not look', async t => {
  const strict = await zone({ profile: 'de48', keys: ['ZAK', 'ZPK'], by: 'give', macs: ['b'] })
  await strict.rotate('ZAK')
  await t.rejects(strict.rotate('ZPK'), { code: 'KEY_EXCHANGE', hint: /they refuse it/ })
  t.equal(strict.b.ring.active('ZPK'), undefined)
  const lax = await zone({ profile: 'de48', keys: ['ZAK', 'ZPK'], by: 'give', macs: [] })
  await lax.rotate('ZAK')
  await lax.rotate('ZPK')
  t.equal(codec.parse(lax.line.last as Uint8Array).has(128), false)
  t.equal(lax.a.ring.checkValue('ZPK'), lax.b.ring.checkValue('ZPK'))
})

t.test('Arranet: the session key proves itself in DE53 of each request', async t => {
  const ring = new Ring()
  await ring.agree('ZMK', await formZmk(ours.hsm, ZMK), 'components')
  const session = Buffer.from('1122334455667788AABBCCDDEEFF00110F1E2D3C4B5A6978', 'hex')
  const zmk = ring.active('ZMK') ?? ''
  await t.rejects(ours.hsm.importKey('ZEK', wrapY(ZMK, session), zmk), { code: 'HSM_KEY_PARITY' })
  const { parity } = EXCHANGE_PROFILES.arranet
  const made = await ours.hsm.importKey('ZEK', wrapY(ZMK, session), zmk, parity)
  await ring.agree('ZEK', made, 'test')
  const dialect = codecWith(OVER.replace('39: an ..4', '11: n 12 trace\n  39: LLVAR an ..4'))
  const profile = { card: [], session: { field: 53, keyType: 'ZEK' } } as const
  const parts = { name: 'a', codec: dialect, hsm: ours.hsm, keys: ring, clock, log: NO_LOG }
  const security = new FrameSecurity({ ...parts, profile })
  const frame = dialect.create('0200').set(11, '000000000124').build()
  const sent = dialect.parse(await security.protect(Uint8Array.from(frame)))
  t.equal(sent.get(53), '34E1BFEA5841360E', 'as the reference has it')
  security.admit(
    sent.frame,
    ({ frame: open }) => t.equal(dialect.parse(open).has(53), false),
    () => {},
  )
})

function wrapY(zmk: Uint8Array, key: Uint8Array): string {
  return `Y${ecb(zmk, key).toString('hex').toUpperCase()}`
}

/**
 * What reading and writing one ISO 8583 message costs: the 324-byte purchase with 21 data elements.
 * One process, one thread; contestants take turns, so that a busy moment of the machine hits all of
 * them, and the median of the rounds counts.
 *
 *   ours        compileSpec: everything checked, content classes too
 *   by hand     a loop for just this message (iso8583-by-hand.ts, which says what it checks)
 *   iso_8583    the npm package
 *
 *   node --conditions=source bench/iso8583.ts [--json] [--seconds 30]
 */
import { createRequire } from 'node:module'
import { compileSpec } from '../src/iso8583/codec/compile.ts'
import { PURCHASE_SPEC, PURCHASE_VALUES, purchaseFrame } from '../test/iso8583/codec/purchase.ts'
import * as hand from './iso8583-by-hand.ts'
import { answerInPlace, serverFigures } from './iso8583-server.ts'

type Iso8583 = {
  getIsoJSON(frame: Buffer, options: { lenHeader: boolean }): Record<string, string>
  getRawMessage(): Buffer
}
const Npm = createRequire(import.meta.url)('iso_8583') as new (data?: object) => Iso8583

/** Keeps the results alive, so that nothing is left out as useless. */
let sink: unknown
process.on('exit', () => sink === undefined && console.error('nothing was measured'))

const ROUNDS = 15
const seconds = numberAfter('--seconds', 30)

const codec = compileSpec(PURCHASE_SPEC)
const writer = codec.writer()
const frame = purchaseFrame()
const values = [...PURCHASE_VALUES]
const text = values.filter(([number]) => number !== 52)
const textNumbers = text.map(([number]) => number)
const texts = text.map(([, value]) => value)
const pin = Buffer.from(PURCHASE_VALUES.get(52) as string, 'hex')
const numbers = values.map(([number]) => number)
const byNumber: (string | Uint8Array | undefined)[] = []
for (const [number, value] of text) byNumber[number] = value
byNumber[52] = pin
const npmData = Object.fromEntries([['0', '0200'], ...values])
// The package reads a bitmap of 16 bytes only, so it reads what it writes.
const npmFrame = new Npm(npmData).getRawMessage()

const contestants: Readonly<Record<string, () => unknown>> = {
  'parse, ours': () => codec.parse(frame),
  'parse, by hand': () => hand.parse(frame),
  'parse, by hand with classes': () => hand.parseChecked(frame),
  'parse, iso_8583': () => new Npm().getIsoJSON(npmFrame, { lenHeader: false }),
  'parse and read 4, ours': () => {
    const message = codec.parse(frame)
    return [message.mti, message.get(3), message.get(4), message.get(11)]
  },
  'parse and read 4, by hand': () => readFour(hand.parse(frame)),
  'parse and read 4, by hand with classes': () => readFour(hand.parseChecked(frame)),
  'parse and read all, ours': () => {
    const message = codec.parse(frame)
    return numbers.map(number => message.get(number))
  },
  'parse and read all, by hand': () => {
    const offsets = hand.parse(frame)
    const whole = hand.textOf(frame)
    return numbers.map(number => hand.valueOf(whole, offsets, number))
  },
  'build, ours': () => {
    const draft = codec.create('0200')
    for (let i = 0; i < text.length; i++) draft.set(textNumbers[i] as number, texts[i] as string)
    return draft.setBytes(52, pin).build()
  },
  'build in place, ours': () => {
    writer.begin('0200')
    for (let i = 0; i < texts.length; i++) {
      if (textNumbers[i] === 62) writer.setBytes(52, pin)
      writer.set(textNumbers[i] as number, texts[i] as string)
    }
    return writer.end()
  },
  'build, by hand': () => hand.build('0200', byNumber),
  'build, by hand with classes': () => hand.buildChecked('0200', byNumber),
  'build, iso_8583': () => new Npm(npmData).getRawMessage(),
  'answer from request, ours': () =>
    codec.parse(frame).answer(hand.ANSWER_COPIES).set(39, '00').build(),
  'answer in place, ours': () => answerInPlace(writer, codec.parse(frame)),
  'answer from request, by hand': () => hand.answer(frame),
}

function readFour(offsets: hand.Offsets): unknown[] {
  const whole = hand.textOf(frame)
  return [
    whole.substring(0, 4),
    hand.valueOf(whole, offsets, 3),
    hand.valueOf(whole, offsets, 4),
    hand.valueOf(whole, offsets, 11),
  ]
}

checkAll()
const ns = measureAll()
const server = await serverFigures(seconds)
report()
process.exit(0)

/** Contestants that did something else than the task would make every figure worthless. */
function checkAll(): void {
  const built = contestants['build, ours']?.() as Buffer
  const inPlace = contestants['build in place, ours']?.() as Buffer
  const byHand = contestants['build, by hand']?.() as Buffer
  const answers = [
    'answer from request, ours',
    'answer in place, ours',
    'answer from request, by hand',
  ].map(name => contestants[name]?.() as Buffer)
  if (![built, inPlace, byHand].every(one => frame.equals(one)))
    throw new Error('built differently')
  if (!answers.every(one => answers[0]?.equals(one))) throw new Error('answered differently')
  const read = new Npm().getIsoJSON(npmFrame, { lenHeader: false })
  if (read['11'] !== PURCHASE_VALUES.get(11)) throw new Error('iso_8583 does not read it')
}

function measureAll(): Record<string, number> {
  const names = Object.keys(contestants)
  const times = new Map(names.map(name => [name, [] as number[]]))
  const roundMs = (seconds * 1000) / 2 / (ROUNDS + 1) / names.length
  for (let round = 0; round <= ROUNDS; round++) {
    for (const name of names) {
      const one = time(contestants[name] as () => unknown, roundMs)
      if (round > 0) times.get(name)?.push(one)
    }
  }
  return Object.fromEntries([...times].map(([name, all]) => [name, Math.round(median(all))]))
}

/**
 * Nanoseconds of CPU time a call, over about so many milliseconds: other processes that take the
 * machine away for a while do not count.
 */
function time(run: () => unknown, ms: number): number {
  const from = performance.now()
  const before = process.threadCpuUsage()
  let calls = 0
  while (performance.now() - from < ms) {
    for (let i = 0; i < 200; i++) sink = run()
    calls += 200
  }
  const { user, system } = process.threadCpuUsage(before)
  return ((user + system) * 1000) / calls
}

function ratio(name: string, other: string): number {
  return Number(((ns[name] as number) / (ns[other] as number)).toFixed(2))
}

function report(): void {
  const ratios = {
    'parse and read 4 / by hand': ratio('parse and read 4, ours', 'parse and read 4, by hand'),
    'parse and read 4 / by hand with classes': ratio(
      'parse and read 4, ours',
      'parse and read 4, by hand with classes',
    ),
    'build / by hand': ratio('build, ours', 'build, by hand'),
    'build in place / by hand': ratio('build in place, ours', 'build, by hand'),
    'build / by hand with classes': ratio('build, ours', 'build, by hand with classes'),
    'iso_8583 / ours, parse': ratio('parse, iso_8583', 'parse, ours'),
    'iso_8583 / ours, build': ratio('build, iso_8583', 'build, ours'),
    'iso_8583 / ours, build in place': ratio('build, iso_8583', 'build in place, ours'),
    'server / by hand': server.ratio,
    'server / by hand, CPU': server.cpuRatio,
  }
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ frameBytes: frame.length, ns, server, ratios }))
    return
  }
  for (const [name, value] of Object.entries(ns)) {
    console.log(`${name.padEnd(42)}${`${value} ns`.padStart(10)}`)
  }
  for (const [name, { perSecond, cpuUs }] of Object.entries(server.servers)) {
    const rate = `${Math.round(perSecond)}/s`.padStart(12)
    console.log(`${`server, ${name}`.padEnd(40)}${rate}  ${cpuUs.toFixed(2)} us CPU`)
  }
  for (const [name, value] of Object.entries(ratios)) {
    console.log(`${name.padEnd(42)}${String(value).padStart(7)}`)
  }
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[all.length >> 1] as number
}

function numberAfter(flag: string, fallback: number): number {
  const at = process.argv.indexOf(flag)
  return at < 0 ? fallback : Number(process.argv[at + 1])
}

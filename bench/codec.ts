/**
 * What reading and writing one message costs: `node --conditions=source bench/codec.ts [--json]`.
 * The median of nine runs, after warming up.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadPacks } from '../src/config/packs.ts'
import { readSamples } from '#pack'

const protocols = fileURLToPath(new URL('../protocols', import.meta.url))
const { packs } = loadPacks(protocols)
const pack = packs.get('pln-2003-111')
if (!pack) throw new Error('the pack pln-2003-111 does not load')

const file = `${protocols}/pln-2003-111/samples.yaml`
const { samples } = readSamples(file, readFileSync(file, 'utf8'))
const wanted = [
  ['postpaid inquiry', 'postpaid inquiry'],
  ['postpaid inquiry answered, 2 bills', 'postpaid inquiry answered, 2 of 3 bills'],
  ['postpaid payment, 2 bills', 'postpaid payment of 2 bills'],
  ['prepaid purchase answered', 'prepaid purchase answered with the token'],
] as const

const RUNS = 9
const RUN_MS = 120

/** Keeps the results alive, so that nothing is left out as useless. */
let sink: unknown
process.on('exit', () => sink === undefined && console.error('nothing was measured'))

const rows = wanted.flatMap(([name, title]) => {
  const sample = samples.find(one => one.title === title)
  if (!sample) throw new Error(`no sample is called "${title}"`)
  const frame = Buffer.from(sample.frame, 'latin1')
  return [
    { name, what: 'read', bytes: frame.length, ns: measure(() => pack.read(frame)) },
    { name, what: 'write', bytes: frame.length, ns: measure(() => pack.write(sample.message)) },
    { name, what: 'key', bytes: frame.length, ns: measure(() => pack.matchKey(sample.message)) },
  ]
})

if (process.argv.includes('--json')) console.log(JSON.stringify({ codec: rows }))
else {
  for (const { name, what, bytes, ns } of rows) {
    console.log(
      `${name.padEnd(36)}${`${bytes} B`.padStart(6)}  ${what.padEnd(6)}${`${ns} ns`.padStart(9)}`,
    )
  }
}

function measure(run: () => unknown): number {
  const times: number[] = []
  time(run)
  for (let i = 0; i < RUNS; i++) times.push(time(run))
  return Math.round(times.sort((a, b) => a - b)[RUNS >> 1] as number)
}

/** Nanoseconds a call, over about RUN_MS. */
function time(run: () => unknown): number {
  const from = performance.now()
  let calls = 0
  let now = from
  while (now - from < RUN_MS) {
    for (let i = 0; i < 500; i++) sink = run()
    calls += 500
    now = performance.now()
  }
  return ((now - from) * 1e6) / calls
}

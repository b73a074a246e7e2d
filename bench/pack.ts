/**
 * What reading and writing every sample message of the PLN packs costs, in nanoseconds:
 * `npm run bench:pack -- [--json] [--against FOLDER]`. FOLDER is another checkout
 * of this project, measured in the same process and in turns, so that both meet the same machine.
 * The rounds go through all messages in turn, as messages of many kinds come in turn; each figure
 * is the median of its rounds.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { loadPacks } from '../src/config/packs.ts'
import { readSamples, type Pack } from '#pack'

const PACKS = ['pln-2003-111', 'pln-2003-115']
const ROUNDS = 11
const ROUND_MS = 6

type Work = { readonly run: () => unknown; readonly ns: number[] }
type Row = {
  readonly pack: string
  readonly title: string
  readonly bytes: number
  readonly read: Work
  readonly write: Work
}
type Packs = ReadonlyMap<string, Pack>

const { values: options } = parseArgs({
  options: { json: { type: 'boolean' }, against: { type: 'string' } },
})
const here = fileURLToPath(new URL('..', import.meta.url))

/** Keeps the results alive, so that nothing is left out as useless. */
let sink: unknown
process.on('exit', () => sink === undefined && console.error('nothing was measured'))

const sides = [rowsOf(loadPacks(join(here, 'protocols')).packs)]
if (options.against !== undefined) sides.push(rowsOf(await packsOf(resolve(options.against))))
measure(sides)
report(sides)

async function packsOf(folder: string): Promise<Packs> {
  const url = pathToFileURL(join(folder, 'src/config/packs.ts')).href
  const other = (await import(url)) as { loadPacks: (protocols: string) => { packs: Packs } }
  return other.loadPacks(join(folder, 'protocols')).packs
}

function rowsOf(packs: Packs): Row[] {
  return PACKS.flatMap(name => {
    const pack = packs.get(name)
    if (!pack) throw new Error(`the pack ${name} does not load`)
    const file = join(here, 'protocols', name, 'samples.yaml')
    const { samples } = readSamples(file, readFileSync(file, 'utf8'))
    return samples.map(({ title, frame, message }) => {
      const bytes = Buffer.from(frame, 'latin1')
      const read = { run: () => pack.read(bytes), ns: [] }
      const write = { run: () => pack.write(message), ns: [] }
      return { pack: name, title, bytes: bytes.length, read, write }
    })
  })
}

function measure(sides: readonly (readonly Row[])[]): void {
  const works = (sides[0] as Row[]).flatMap((_, index) =>
    sides.flatMap(rows => [(rows[index] as Row).read, (rows[index] as Row).write]),
  )
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { run, ns } of works) {
      const time = timeOf(run)
      // The first round only warms up.
      if (round > 0) ns.push(time)
    }
  }
}

/** Nanoseconds a call, over about ROUND_MS. */
function timeOf(run: () => unknown): number {
  const from = performance.now()
  let calls = 0
  let now = from
  while (now - from < ROUND_MS) {
    for (let i = 0; i < 50; i++) sink = run()
    calls += 50
    now = performance.now()
  }
  return ((now - from) * 1e6) / calls
}

function median({ ns }: Work): number {
  return Math.round(ns.toSorted((a, b) => a - b)[ns.length >> 1] as number)
}

function figuresOf(rows: readonly Row[]) {
  const figures = rows.map(({ pack, title, bytes, read, write }) => {
    return { pack, title, bytes, readNs: median(read), writeNs: median(write) }
  })
  const mean = (key: 'readNs' | 'writeNs') =>
    Math.round(figures.reduce((sum, one) => sum + one[key], 0) / figures.length)
  return { figures, mean: { readNs: mean('readNs'), writeNs: mean('writeNs') } }
}

type Figures = ReturnType<typeof figuresOf>

function report(sides: readonly (readonly Row[])[]): void {
  const [own, other] = sides.map(figuresOf) as [Figures, Figures?]
  const speedup = other && {
    read: other.mean.readNs / own.mean.readNs,
    write: other.mean.writeNs / own.mean.writeNs,
    both: (other.mean.readNs + other.mean.writeNs) / (own.mean.readNs + own.mean.writeNs),
  }
  if (options.json) {
    const against = other && { messages: other.figures, mean: other.mean, speedup }
    console.log(JSON.stringify({ messages: own.figures, mean: own.mean, against }))
    return
  }
  for (const { pack, title, bytes, readNs, writeNs } of own.figures) {
    const size = `${bytes} B`.padStart(7)
    const times = `read ${`${readNs} ns`.padStart(8)}  write ${`${writeNs} ns`.padStart(8)}`
    console.log(`${pack} ${title.slice(0, 60).padEnd(60)} ${size}  ${times}`)
  }
  console.log(`mean: read ${own.mean.readNs} ns, write ${own.mean.writeNs} ns`)
  if (!other || !speedup) return
  console.log(`against: read ${other.mean.readNs} ns, write ${other.mean.writeNs} ns`)
  const [read, write, both] = [speedup.read, speedup.write, speedup.both].map(x => x.toFixed(2))
  console.log(`times faster: read ${read}, write ${write}, both ${both}`)
}

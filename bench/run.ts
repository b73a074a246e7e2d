/**
 * How fast the whole is: real daemon, real sockets, embedded PostgreSQL with fsync on, simulated
 * biller and this load generator, all on one machine. One cycle is an inquiry and its payment, each
 * answer checked. Beside it, on the same server in the same run, pgbench's TPC-B (when pgbench is on
 * the PATH) and single-row commits, in turns, so that a busy moment of the machine hits all of them.
 *
 *     npm run bench -- [--seconds 4] [--rounds 2] [--in-flight 1,16,64,256,1024] [--no-pgbench]
 *                      [--json] [--profile FOLDER]
 *     npm run bench -- --memory-cycles 1000000      memory over so many cycles instead
 */
import { parseArgs } from 'node:util'
import { type CpuMs, cpuMs } from './cpu.ts'
import { percentile, runPgbench, singleCommitP50 } from './journal.ts'
import { Lab } from './lab.ts'
import { load } from './load.ts'
import { memoryRun } from './memory.ts'
import { relayCycleP50 } from './relay.ts'

type CycleRow = {
  readonly inFlight: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly batch: number
}

export type BenchResult = {
  readonly cycles: readonly CycleRow[]
  /** Missing without pgbench, as is the ratio. */
  readonly pgbenchTps?: number
  /** Cycles a second with `RATIO_IN_FLIGHT` in flight for each pgbench transaction. */
  readonly ratio?: number
  readonly loneCycleP50Ms?: number
  readonly singleCommitP50Ms: number
  /** A lone cycle through a relay that does nothing: what this machine asks for the hops alone. */
  readonly relayCycleP50Ms: number
}

const RATIO_IN_FLIGHT = 256

/** What was measured of one level, over all rounds. */
type Level = {
  readonly timesMs: number[]
  tookMs: number
  batches: number
  members: number
  readonly cpuMs: Record<keyof CpuMs, number>
  cycles: number
}

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '2' },
    'in-flight': { type: 'string', default: '1,16,64,256,1024' },
    'no-pgbench': { type: 'boolean', default: false },
    'memory-cycles': { type: 'string' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})

const lab = await Lab.start(options.profile)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void lab.stop().then(() => process.exit(1)))
try {
  const { 'memory-cycles': memoryCycles, json } = options
  if (memoryCycles === undefined) {
    const levels = options['in-flight'].split(',').map(Number)
    const { result, cpu } = await measure(levels)
    if (json) console.log(JSON.stringify(result))
    else print(result, cpu)
  } else {
    const result = await memoryRun(lab, Number(memoryCycles), !json)
    if (json) console.log(JSON.stringify(result))
  }
} finally {
  await lab.stop()
}

async function measure(
  inFlights: readonly number[],
): Promise<{ result: BenchResult; cpu: Map<number, string> }> {
  const seconds = Number(options.seconds)
  const ours = await lab.database('bench')
  const levels = new Map(inFlights.map(inFlight => [inFlight, newLevel()]))
  const single: number[] = []
  const relay: number[] = []
  const tps: number[] = []
  await load({ address: lab.partners, inFlight: 64, seconds: 2 })
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [inFlight, level] of levels) {
      if (inFlight === 1) {
        single.push(await singleCommitP50(ours))
        relay.push(await relayCycleP50(ours))
      }
      // Beside the level that it is compared with.
      if (inFlight === RATIO_IN_FLIGHT && !options['no-pgbench']) {
        const figure = await runPgbench(ours, seconds)
        if (figure !== undefined) tps.push(figure)
      }
      await measureLevel(level, inFlight, seconds)
    }
    single.push(await singleCommitP50(ours))
    relay.push(await relayCycleP50(ours))
  }
  const cycles = [...levels].map(([inFlight, level]) => rowOf(inFlight, level))
  const pgbenchTps = tps.length > 0 ? Math.round(percentileOf(tps)) : undefined
  const compared = cycles.find(({ inFlight }) => inFlight === RATIO_IN_FLIGHT)
  const lone = cycles.find(({ inFlight }) => inFlight === 1)
  const result = {
    cycles,
    ...(pgbenchTps !== undefined && { pgbenchTps }),
    ...(pgbenchTps !== undefined && compared && { ratio: round(compared.perSecond / pgbenchTps) }),
    ...(lone && { loneCycleP50Ms: lone.p50Ms }),
    singleCommitP50Ms: round(percentileOf(single)),
    relayCycleP50Ms: round(percentileOf(relay)),
  }
  const cpu = new Map([...levels].map(([inFlight, level]) => [inFlight, cpuText(level)]))
  return { result, cpu }
}

function newLevel(): Level {
  const cpuMs = { daemon: 0, biller: 0, postgres: 0, load: 0 }
  return { timesMs: [], tookMs: 0, batches: 0, members: 0, cpuMs, cycles: 0 }
}

async function measureLevel(level: Level, inFlight: number, seconds: number): Promise<void> {
  const before = { cpu: cpuMs(lab.pids), ...(await batches()) }
  const { timesMs, tookMs, allCycles } = await load({ address: lab.partners, inFlight, seconds })
  const after = { cpu: cpuMs(lab.pids), ...(await batches()) }
  for (const timeMs of timesMs) level.timesMs.push(timeMs)
  level.tookMs += tookMs
  level.cycles += allCycles
  level.batches += after.batches - before.batches
  level.members += after.members - before.members
  if (!before.cpu || !after.cpu) return
  for (const name of Object.keys(level.cpuMs) as (keyof CpuMs)[])
    level.cpuMs[name] += after.cpu[name] - before.cpu[name]
}

async function batches(): Promise<{ batches: number; members: number }> {
  return {
    batches: await lab.metric('nadi_journal_batch_commits_count'),
    members: await lab.metric('nadi_journal_batch_commits_sum'),
  }
}

function rowOf(inFlight: number, { timesMs, tookMs, batches, members }: Level): CycleRow {
  return {
    inFlight,
    perSecond: Math.round((timesMs.length / tookMs) * 1000),
    p50Ms: round(percentile(timesMs, 0.5)),
    p99Ms: round(percentile(timesMs, 0.99)),
    batch: round(members / batches),
  }
}

/** The middle one, or the middle of the middle two. */
function percentileOf(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

function cpuText({ cpuMs, cycles }: Level): string {
  const parts = Object.entries(cpuMs).map(
    ([name, ms]) => `${name} ${((ms * 1000) / cycles).toFixed(0)}`,
  )
  return parts.join(', ')
}

function print(result: BenchResult, cpu: Map<number, string>): void {
  console.log('in flight   cycles/s    p50 ms    p99 ms   commits/batch   CPU in us a cycle')
  for (const { inFlight, perSecond, p50Ms, p99Ms, batch } of result.cycles) {
    const figures = [inFlight, perSecond, p50Ms, p99Ms].map(figure => `${figure}`)
    const [first = '', second = '', third = '', fourth = ''] = figures
    console.log(
      `${first.padStart(9)}${second.padStart(11)}${third.padStart(10)}${fourth.padStart(10)}` +
        `${`${batch}`.padStart(16)}   ${cpu.get(inFlight)}`,
    )
  }
  const { pgbenchTps, ratio, loneCycleP50Ms, singleCommitP50Ms, relayCycleP50Ms } = result
  console.log(
    pgbenchTps === undefined
      ? 'pgbench was not run'
      : `pgbench TPC-B, 64 clients: ${pgbenchTps}/s; cycles for each with ${RATIO_IN_FLIGHT} in flight: ${ratio}`,
  )
  if (loneCycleP50Ms !== undefined)
    console.log(
      `a lone cycle takes ${loneCycleP50Ms} ms, a single-row commit ${singleCommitP50Ms} ms: ` +
        `${round(loneCycleP50Ms / singleCommitP50Ms)} of them; a relay that does nothing, ` +
        `over the same hops with two of those commits, takes ${relayCycleP50Ms} ms: ` +
        `${round(relayCycleP50Ms / singleCommitP50Ms)} of them`,
    )
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

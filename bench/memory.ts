import { residentBytes } from './cpu.ts'
import type { Lab } from './lab.ts'
import { load } from './load.ts'

export type MemoryRow = {
  readonly cycles: number
  readonly perSecond: number
  readonly daemonMb: number
  readonly heapMb: number
  readonly billerMb: number
}

export type MemoryResult = {
  readonly memory: readonly MemoryRow[]
  /** The daemon's resident memory: the last quarter of the run over the quarter before it. */
  readonly growth: number
}

const IN_FLIGHT = 256
const SAMPLES = 20

/** The daemon's memory while so many cycles go through: is it flat? */
export async function memoryRun(lab: Lab, cycles: number, print: boolean): Promise<MemoryResult> {
  const memory: MemoryRow[] = []
  if (print) console.log('   cycles   per s   daemon MB   its heap MB   biller MB')
  for (let sample = 1; sample <= SAMPLES; sample++) {
    const part = Math.ceil(cycles / SAMPLES)
    const { tookMs } = await load({ address: lab.partners, inFlight: IN_FLIGHT, cycles: part })
    const row = await rowOf(lab, part * sample, (part / tookMs) * 1000)
    memory.push(row)
    if (!print) continue
    const { daemonMb, heapMb, billerMb } = row
    const [first, second] = [`${row.cycles}`.padStart(9), `${row.perSecond}`.padStart(8)]
    const third = `${daemonMb}`.padStart(12) + `${heapMb}`.padStart(14) + `${billerMb}`.padStart(12)
    console.log(`${first}${second}${third}`)
  }
  const quarter = SAMPLES / 4
  const growth = mean(memory.slice(-quarter)) / mean(memory.slice(-2 * quarter, -quarter))
  const result = { memory, growth: Math.round(growth * 1000) / 1000 }
  if (print) console.log(`the last quarter over the one before: ${result.growth}`)
  return result
}

async function rowOf(lab: Lab, cycles: number, perSecond: number): Promise<MemoryRow> {
  const { daemon, biller } = lab.pids
  return {
    cycles,
    perSecond: Math.round(perSecond),
    daemonMb: megabytes(residentBytes(daemon)),
    heapMb: megabytes(await lab.metric('nodejs_heap_size_used_bytes')),
    billerMb: megabytes(residentBytes(biller)),
  }
}

function megabytes(bytes: number | undefined): number {
  return bytes === undefined ? Number.NaN : Math.round(bytes / 1e6)
}

function mean(rows: readonly MemoryRow[]): number {
  return rows.reduce((sum, { daemonMb }) => sum + daemonMb, 0) / rows.length
}

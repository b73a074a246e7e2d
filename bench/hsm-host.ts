/**
 * Host commands over loopback: one PIN translation (CA) after another, and 64 at a time over the
 * same single connection. One run, client and simulated box in threads of their own.
 *
 *   node --conditions=source bench/hsm-host.ts [--seconds 4] [--json]
 */
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { SystemClock, SystemRandom } from '#base'
import { HostPool, payShieldSimulator } from '#hsm'
import { NO_LOG } from '#telemetry'

const DEPTH = 64
const ROUNDS = 4
const WANTED = 5

/** A known translation under the test LMK, with the block that it must give. */
const REQUEST = {
  source: 'U8463435FC4B4DAA0C49025272C29B12C',
  destination: 'U1EF828AA8F6B80EB83E19FBC373F3A85',
  maxLength: '12',
  block: '6428EB94035AF53B',
  formatFrom: '01',
  formatInto: '01',
  account: '550000025321',
} as const
const BLOCK = '91DDDA0A7C12CFAA'

if (isMainThread) await main()
else await serve()

async function serve(): Promise<void> {
  const { port } = await payShieldSimulator({ port: 0 }).start()
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage({ port })
}

async function main(): Promise<void> {
  const seconds = numberAfter('--seconds', 4) / ROUNDS / 2
  const worker = new Worker(new URL(import.meta.url))
  const { port } = await new Promise<{ port: number }>((resolve, reject) => {
    worker.once('message', resolve).once('error', reject)
  })
  const pool = new HostPool(
    { host: '127.0.0.1', port, connections: 1, inFlightMax: DEPTH },
    { clock: new SystemClock(), random: new SystemRandom(), log: NO_LOG },
  )
  await pool.start()
  const serial: Figure[] = []
  const pipelined: Figure[] = []
  await rate(pool, DEPTH, seconds)
  // Interleaved, so that a busy moment of the machine hits both.
  for (let round = 0; round < ROUNDS; round++) {
    serial.push(await rate(pool, 1, seconds))
    pipelined.push(await rate(pool, DEPTH, seconds))
  }
  report(median(serial), median(pipelined))
  await pool.close()
  await worker.terminate()
}

type Figure = { readonly perSecond: number; readonly cpuUs: number }

/** Translations a second with so many in flight, and what each costs both threads together. */
async function rate(pool: HostPool, depth: number, seconds: number): Promise<Figure> {
  const before = process.cpuUsage()
  const startMs = performance.now()
  const endMs = startMs + seconds * 1000
  let done = 0
  const line = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const { values } = await pool.ask('CA', REQUEST)
      if (values?.blockTo !== BLOCK) throw new Error('not the block that it must be')
      done++
    }
  }
  await Promise.all(Array.from({ length: depth }, line))
  const perSecond = (done / (performance.now() - startMs)) * 1000
  const { user, system } = process.cpuUsage(before)
  return { perSecond, cpuUs: (user + system) / done }
}

function report(serial: Figure, pipelined: Figure): void {
  const ratio = pipelined.perSecond / serial.perSecond
  const cpuRatio = serial.cpuUs / pipelined.cpuUs
  if (process.argv.includes('--json')) {
    console.log(
      JSON.stringify({ depth: DEPTH, serial, pipelined, ratio, cpuRatio, wanted: WANTED }),
    )
    return
  }
  const line = (name: string, { perSecond, cpuUs }: Figure): void => {
    console.log(`${name} ${perSecond.toFixed(0).padStart(8)}/s  ${cpuUs.toFixed(1)} us CPU`)
  }
  line('one at a time ', serial)
  line(`${DEPTH} at a time `, pipelined)
  console.log(
    `${ratio.toFixed(1)} times as many, wanted are ${WANTED}; ${cpuRatio.toFixed(1)} by CPU time`,
  )
}

function median(figures: readonly Figure[]): Figure {
  const sorted = [...figures].sort((a, b) => a.perSecond - b.perSecond)
  return sorted[sorted.length >> 1] ?? { perSecond: 0, cpuUs: 0 }
}

function numberAfter(option: string, otherwise: number): number {
  const at = process.argv.indexOf(option)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}

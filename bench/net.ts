/**
 * How much the house's way of moving frames costs beside the bare one. One run, one machine:
 *
 *   bare     node:net, what a chunk holds goes back as one write
 *   framed   FrameListener: frames told apart, counted, framed anew, one write a turn
 *   link     DialedLink against the framed echo: a request matched with its answer
 *
 * The load comes from a worker: connections × in flight, frames of 326 bytes with their header.
 *
 *   node --conditions=source bench/net.ts [--seconds 6] [--json]
 */
import { createServer, connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { SystemClock, SystemRandom } from '#base'
import { DialedLink } from '#link'
import type { LinkDialect } from '#link'
import { FrameListener } from '#listener'
import { TcpAcceptor, TcpDialer } from '#net'
import { NO_LOG } from '#telemetry'
import { twoByteFramer } from '../test/net/two-byte-framer.ts'

const CONNECTIONS = 16
const IN_FLIGHT = 32
const BODY_BYTES = 324
const FRAME_BYTES = BODY_BYTES + 2

const ROUNDS = 5

type Job = { port: number; seconds: number }
/** All frames, and the rate of those after the start. */
type Counted = { frames: number; perSecond: number }

if (isMainThread) await main()
else await load(workerData as Job)

type Figure = { perSecond: number; cpuUs: number }

async function main(): Promise<void> {
  const seconds = numberAfter('--seconds', 6) / ROUNDS / 3
  const bare = await bareEcho()
  const framed = await framedEcho()
  const figures: Record<'bare' | 'framed' | 'link', Figure[]> = { bare: [], framed: [], link: [] }
  // Interleaved, so that a busy moment of the machine hits all of them.
  for (let round = 0; round < ROUNDS; round++) {
    figures.bare.push(await figure(() => loaded({ port: bare, seconds })))
    figures.framed.push(await figure(() => loaded({ port: framed, seconds })))
    figures.link.push(await figure(() => linkRate(framed, seconds)))
  }
  const result = {
    bare: median(figures.bare),
    framed: median(figures.framed),
    link: median(figures.link),
  }
  const ratio = result.framed.perSecond / result.bare.perSecond
  const cpuRatio = result.bare.cpuUs / result.framed.cpuUs
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ ...result, ratio, cpuRatio }))
  } else {
    for (const [name, { perSecond, cpuUs }] of Object.entries(result)) {
      console.log(
        `${name.padEnd(7)} ${perSecond.toFixed(0).padStart(9)}/s  ${cpuUs.toFixed(2)} us CPU`,
      )
    }
    console.log(`framed is ${ratio.toFixed(2)} of bare by rate, ${cpuRatio.toFixed(2)} by CPU time`)
  }
  process.exit(0)
}

/** Rate, and CPU time of this thread for each frame: the steadier of the two on a shared machine. */
async function figure(run: () => Promise<Counted>): Promise<Figure> {
  const before = process.threadCpuUsage()
  const { frames, perSecond } = await run()
  const { user, system } = process.threadCpuUsage(before)
  return { perSecond, cpuUs: (user + system) / frames }
}

function bareEcho(): Promise<number> {
  const server = createServer({ noDelay: true }, socket => {
    socket.on('data', chunk => socket.write(chunk))
    socket.on('error', () => socket.destroy())
  })
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

async function framedEcho(): Promise<number> {
  const listener = new FrameListener(
    {
      name: 'bench',
      acceptor: new TcpAcceptor({ host: '127.0.0.1', port: 0 }),
      framing: twoByteFramer(),
      connectionsMax: 1000,
      connectionsPerPeerMax: 1000,
      inFlightPerSessionMax: 1024,
      inFlightMax: 10_000,
      bytesPendingMax: 1 << 20,
      idleTimeoutMs: 60_000,
      frameTimeoutMs: 10_000,
      handlers: {
        onOpen() {},
        onFrame: (session, frame) => session.answer(frame),
        onClose() {},
      },
    },
    { clock: new SystemClock(), log: NO_LOG },
  )
  const { address } = await listener.listen()
  return Number(address.split(':')[1])
}

/** In this process, beside the echo: what a request and its answer cost with both ends counted. */
async function linkRate(port: number, seconds: number): Promise<Counted> {
  const clock = new SystemClock()
  const dialect: LinkDialect<number> = {
    framing: twoByteFramer(),
    read: frame => ({
      tag: 'response',
      key: (frame as Buffer).toString('latin1', 0, 12),
      content: frame.length,
    }),
  }
  const link = new DialedLink({
    name: 'bench',
    dialer: new TcpDialer({ host: '127.0.0.1', port }),
    dialect,
    options: {
      inFlightMax: 4096,
      dialTimeoutMs: 1000,
      signOnTimeoutMs: 1000,
      echoIdleMs: 0,
      echoTimeoutMs: 1000,
      reconnectMinMs: 100,
      reconnectMaxMs: 1000,
      lateMemoryMs: 60_000,
      lateMemoryMax: 10_000,
    },
    clock,
    random: new SystemRandom(),
    log: NO_LOG,
  })
  const up = new Promise<void>(resolve => {
    link.onState(state => {
      if (state === 'up') resolve()
    })
  })
  link.start()
  await up
  const template = Buffer.alloc(BODY_BYTES, '0')
  const startMs = clock.nowMs()
  const endMs = startMs + seconds * 1000
  let trace = 0
  let answered = 0
  await new Promise<void>(resolve => {
    const send = (): void => {
      const key = String(++trace).padStart(12, '0')
      const frame = Buffer.from(template)
      frame.write(key, 0, 'latin1')
      link.request({
        key,
        frame,
        deadlineMs: clock.nowMs() + 30_000,
        done: outcome => {
          if (outcome.tag === 'answered') answered++
          if (clock.nowMs() < endMs) send()
          else if (link.inFlight === 0) resolve()
        },
        late() {},
      })
    }
    for (let i = 0; i < CONNECTIONS * IN_FLIGHT; i++) send()
  })
  const perSecond = answered / ((clock.nowMs() - startMs) / 1000)
  await link.drain(clock.nowMs() + 1000)
  return { frames: answered, perSecond }
}

function loaded(job: Job): Promise<Counted> {
  const worker = new Worker(new URL(import.meta.url), { workerData: job })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

/** Counts frames by bytes alone, so that the load costs as little as can be. */
async function load({ port, seconds }: Job): Promise<void> {
  const frame = Buffer.alloc(FRAME_BYTES, '0')
  frame.writeUInt16BE(BODY_BYTES, 0)
  const burst = Buffer.concat(Array.from({ length: IN_FLIGHT }, () => frame))
  const sockets = Array.from({ length: CONNECTIONS }, () =>
    connect({ host: '127.0.0.1', port, noDelay: true }),
  )
  let frames = 0
  for (const socket of sockets) {
    let bytes = 0
    socket.on('data', chunk => {
      bytes += chunk.length
      const whole = Math.floor(bytes / FRAME_BYTES)
      bytes -= whole * FRAME_BYTES
      frames += whole
      if (whole > 0) socket.write(burst.subarray(0, whole * FRAME_BYTES))
    })
    socket.once('connect', () => socket.write(burst))
  }
  const pause = (ms: number): Promise<void> => new Promise(resolve => void setTimeout(resolve, ms))
  await pause(300)
  const [before, startMs] = [frames, performance.now()]
  await pause(seconds * 1000)
  const perSecond = (frames - before) / ((performance.now() - startMs) / 1000)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage({ frames, perSecond })
  for (const socket of sockets) socket.destroy()
}

function median(figures: readonly Figure[]): Figure {
  const middle = (pick: (figure: Figure) => number): number =>
    figures.map(pick).sort((a, b) => a - b)[figures.length >> 1] as number
  return {
    perSecond: middle(({ perSecond }) => perSecond),
    cpuUs: middle(({ cpuUs }) => cpuUs),
  }
}

function numberAfter(flag: string, fallback: number): number {
  const at = process.argv.indexOf(flag)
  return at < 0 ? fallback : Number(process.argv[at + 1])
}

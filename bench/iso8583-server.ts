/**
 * A framed TCP server that answers 0200 with 0210: our listener and codec beside a loop on node:net
 * that takes frames out of chunks by hand and writes once per chunk. The load comes from a worker,
 * 16 connections with 32 requests in flight each; both servers take turns on the same thread.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { SystemClock } from '#base'
import { type IsoMessage, type IsoWriter, responseOf } from '#iso8583'
import { FrameListener } from '#listener'
import { TcpAcceptor } from '#net'
import { NO_LOG } from '#telemetry'
import { compileSpec } from '../src/iso8583/codec/compile.ts'
import { PURCHASE_SPEC, purchaseFrame } from '../test/iso8583/codec/purchase.ts'
import { twoByteFramer } from '../test/net/two-byte-framer.ts'
import { answer, ANSWER_COPIES } from './iso8583-by-hand.ts'

const CONNECTIONS = 16
const IN_FLIGHT = 32
const ROUNDS = 5
const WARM_UP_MS = 200

type Job = { readonly port: number; readonly ms: number; readonly answerBytes: number }
export type ServerFigure = { readonly perSecond: number; readonly cpuUs: number }
export type ServerFigures = {
  readonly servers: Readonly<Record<string, ServerFigure>>
  /** Rate of ours by that of the loop, and the same by CPU time a message. */
  readonly ratio: number
  readonly cpuRatio: number
}

if (!isMainThread) load(workerData as Job)

export async function serverFigures(seconds: number): Promise<ServerFigures> {
  const ports = { ours: await ourServer(), 'by hand': await handServer() }
  const names = ['ours', 'by hand'] as const
  const rounds: Record<string, ServerFigure[]> = { ours: [], 'by hand': [] }
  const ms = (seconds * 1000) / 2 / ROUNDS / names.length
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) rounds[name]?.push(await figure(ports[name], ms))
  }
  const ours = middle(rounds['ours'] ?? [])
  const byHand = middle(rounds['by hand'] ?? [])
  return {
    servers: { ours, 'by hand': byHand },
    ratio: Number((ours.perSecond / byHand.perSecond).toFixed(2)),
    cpuRatio: Number((byHand.cpuUs / ours.cpuUs).toFixed(2)),
  }
}

const BEFORE_39 = ANSWER_COPIES.filter(number => number < 39)
const AFTER_39 = ANSWER_COPIES.filter(number => number > 39)

export function answerInPlace(writer: IsoWriter, request: IsoMessage): Uint8Array {
  return writer
    .begin(responseOf(request.mti))
    .copy(request, BEFORE_39)
    .set(39, '00')
    .copy(request, AFTER_39)
    .end()
}

async function ourServer(): Promise<number> {
  const codec = compileSpec(PURCHASE_SPEC)
  const writer = codec.writer()
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
        onFrame(session, frame) {
          session.answer(answerInPlace(writer, codec.parse(frame)))
        },
        onClose() {},
      },
    },
    { clock: new SystemClock(), log: NO_LOG },
  )
  const { address } = await listener.listen()
  return Number(address.split(':')[1])
}

/** Frames are cut out of each chunk, and all their answers leave in one write. */
function handServer(): Promise<number> {
  const server = createServer({ noDelay: true }, socket => {
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', chunk => {
      const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk])
      const answers: Buffer[] = []
      let at = 0
      while (at + 2 <= bytes.length) {
        const end = at + 2 + bytes.readUInt16BE(at)
        if (end > bytes.length) break
        answers.push(framed(answer(bytes.subarray(at + 2, end))))
        at = end
      }
      rest = bytes.subarray(at)
      if (answers.length > 0) socket.write(Buffer.concat(answers))
    })
    socket.on('error', () => socket.destroy())
  })
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

function framed(body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(2 + body.length)
  frame.writeUInt16BE(body.length)
  frame.set(body, 2)
  return frame
}

/** Rate, and CPU time of this thread for each message: the steadier of the two on a busy machine. */
async function figure(port: number, ms: number): Promise<ServerFigure> {
  const answerBytes = framed(answer(purchaseFrame())).length
  const before = process.threadCpuUsage()
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { port, ms, answerBytes } satisfies Job,
  })
  const counted = await new Promise<{ frames: number; perSecond: number }>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  await worker.terminate()
  const { user, system } = process.threadCpuUsage(before)
  return { perSecond: counted.perSecond, cpuUs: (user + system) / counted.frames }
}

function load({ port, ms, answerBytes }: Job): void {
  const request = framed(purchaseFrame())
  const burst = Buffer.concat(Array.from({ length: IN_FLIGHT }, () => request))
  let frames = 0
  const sockets = Array.from({ length: CONNECTIONS }, (): Socket => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    let bytes = 0
    socket.on('data', chunk => {
      bytes += chunk.length
      const whole = Math.floor(bytes / answerBytes)
      bytes -= whole * answerBytes
      frames += whole
      if (whole > 0) socket.write(burst.subarray(0, whole * request.length))
    })
    return socket.once('connect', () => socket.write(burst))
  })
  setTimeout(() => {
    const [before, startMs] = [frames, performance.now()]
    setTimeout(() => {
      const perSecond = (frames - before) / ((performance.now() - startMs) / 1000)
      for (const socket of sockets) socket.destroy()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      parentPort?.postMessage({ frames, perSecond })
    }, ms)
  }, WARM_UP_MS)
}

function middle(figures: readonly ServerFigure[]): ServerFigure {
  const pick = (of: (figure: ServerFigure) => number): number =>
    figures.map(of).sort((a, b) => a - b)[figures.length >> 1] as number
  return { perSecond: pick(one => one.perSecond), cpuUs: pick(one => one.cpuUs) }
}

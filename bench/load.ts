import { connect, type Socket } from 'node:net'
import { localTime, type LocalTime } from '#base'
import * as frames from './frames.ts'

const CONNECTIONS_MAX = 8
const HEADER_BYTES = 2
const PATIENCE_MS = 30_000

/** `cycles` were measured over `tookMs`; `timesMs` holds how long each of them took. */
export type Loaded = {
  readonly cycles: number
  /** With those of the start and the end, which are not measured. */
  readonly allCycles: number
  readonly tookMs: number
  readonly timesMs: readonly number[]
}

export type LoadOptions = {
  /** host:port */
  readonly address: string
  readonly inFlight: number
  /** Runs for so long after a start that is not measured, or … */
  readonly seconds?: number
  /** … until so many cycles are done. */
  readonly cycles?: number
}

/** Customers are never asked twice in one run of the benchmark. */
let customers = 900
let serials = 0

/** Keeps exactly `inFlight` cycles on their way: an inquiry, then the payment of what it quoted. */
export function load(options: LoadOptions): Promise<Loaded> {
  return new Load(options).run()
}

type Lane = {
  readonly line: Line
  readonly frames: frames.LaneFrames
  serial: number
  fromMs: number
}

type Line = { readonly socket: Socket; rest: Buffer; out: Buffer[] }

class Load {
  readonly #options: LoadOptions
  readonly #lines: Line[]
  readonly #lanes: Lane[]
  readonly #done = Promise.withResolvers<void>()
  #timesMs: number[] = []
  #fromMs = 0
  #untilMs = Infinity
  #toBegin = Infinity
  #running = 0
  #all = 0
  #lastMs = 0
  #sentAt = '' as LocalTime

  constructor(options: LoadOptions) {
    this.#options = options
    const { address, inFlight } = options
    const [host, port] = address.split(':') as [string, string]
    this.#lines = Array.from({ length: Math.min(inFlight, CONNECTIONS_MAX) }, () => ({
      socket: connect({ host, port: Number(port), noDelay: true }),
      rest: Buffer.alloc(0),
      out: [],
    }))
    this.#lanes = Array.from({ length: inFlight }, (_, lane) => ({
      line: this.#lines[lane % this.#lines.length] as Line,
      frames: frames.laneFrames(),
      serial: 0,
      fromMs: 0,
    }))
  }

  async run(): Promise<Loaded> {
    const { seconds, cycles } = this.#options
    const watch = setInterval(() => this.#watch(), 1000)
    try {
      await Promise.race([this.#signOn(), this.#done.promise])
      const nowMs = performance.now()
      // A tenth of the time goes by before counting begins: pools, caches and batches find their size.
      this.#fromMs = seconds === undefined ? nowMs : nowMs + seconds * 100
      if (seconds !== undefined) this.#untilMs = this.#fromMs + seconds * 1000
      if (cycles !== undefined) this.#toBegin = cycles
      for (const line of this.#lines) {
        line.socket.on('data', chunk => this.#read(line, chunk))
      }
      for (const [index, lane] of this.#lanes.entries()) this.#begin(lane, index, nowMs)
      for (const line of this.#lines) flush(line)
      await this.#done.promise
    } finally {
      clearInterval(watch)
      for (const { socket } of this.#lines) socket.destroy()
    }
    const endMs = Math.min(this.#lastMs, this.#untilMs)
    const timesMs = this.#timesMs
    return { cycles: timesMs.length, allCycles: this.#all, tookMs: endMs - this.#fromMs, timesMs }
  }

  async #signOn(): Promise<void> {
    const signOns = this.#lines.map(
      ({ socket }) =>
        new Promise<void>((resolve, reject) => {
          socket.on('error', reject)
          socket.on('close', () => this.#fail(new Error('the daemon hung up')))
          socket.once('data', (chunk: Buffer) => {
            try {
              frames.answerTo(chunk, HEADER_BYTES, chunk.length)
              resolve()
            } catch (error) {
              reject(error)
            }
          })
          socket.write(frames.signOnFrame())
        }),
    )
    await Promise.all(signOns)
  }

  #begin(lane: Lane, index: number, nowMs: number): void {
    if (nowMs >= this.#untilMs || this.#toBegin === 0) return
    this.#toBegin--
    this.#running++
    this.#sentAt = localTime(Date.now())
    lane.fromMs = nowMs
    lane.serial = ++serials
    const frame = frames.ask(lane.frames, index, lane.serial, this.#sentAt, customers++)
    lane.line.out.push(frame)
  }

  #read(line: Line, chunk: Buffer): void {
    const bytes = line.rest.length === 0 ? chunk : Buffer.concat([line.rest, chunk])
    const nowMs = performance.now()
    let at = 0
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + bytes.readUInt16BE(at)
      if (end > bytes.length) break
      try {
        this.#answered(bytes, at + HEADER_BYTES, end, nowMs)
      } catch (error) {
        return this.#fail(error as Error)
      }
      at = end
    }
    line.rest = bytes.subarray(at)
    flush(line)
    if (this.#running === 0) this.#done.resolve()
  }

  #answered(bytes: Buffer, at: number, end: number, nowMs: number): void {
    this.#lastMs = nowMs
    const answer = frames.answerTo(bytes, at, end)
    const index = frames.laneOf(bytes, at)
    const lane = this.#lanes[index]
    if (!lane || frames.serialOf(bytes, at) !== lane.serial)
      throw new Error('an answer to nothing that was asked')
    if (answer === 'quoted') {
      lane.serial = ++serials
      lane.line.out.push(frames.pay(lane.frames, index, lane.serial, this.#sentAt, bytes, at, end))
      return
    }
    this.#running--
    this.#all++
    if (nowMs >= this.#fromMs && nowMs <= this.#untilMs) this.#timesMs.push(nowMs - lane.fromMs)
    this.#begin(lane, index, nowMs)
  }

  #watch(): void {
    if (this.#lastMs > 0 && performance.now() - this.#lastMs > PATIENCE_MS)
      this.#fail(new Error(`no answer for ${PATIENCE_MS} ms`))
  }

  #fail(error: Error): void {
    this.#done.reject(error)
  }
}

/** One write a turn and line. */
function flush(line: Line): void {
  const { out } = line
  if (out.length === 0) return
  line.socket.write(out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out))
  line.out = []
}

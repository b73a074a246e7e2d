import { businessDate, type Clock, SystemClock, SystemRandom, WIB_OFFSET_MS } from '#base'
import { TcpAcceptor } from '#net'
import type { HttpPack, Pack } from '#pack'
import { NO_LOG, type Log } from '#telemetry'
import { SimulatedBiller } from './biller.ts'
import { Book } from './book.ts'
import { openBookFile } from './book-file.ts'
import { Control } from './control.ts'
import { HttpBiller } from './http-biller.ts'
import { writeRecon } from './recon.ts'
import { PLAIN_CSV, type ReconFormat } from './recon-format.ts'
import type { Timing } from './scenarios.ts'

export type RunOptions = {
  /** Over HTTP with its credentials, as the other side knows them. */
  readonly pack: Pack | HttpPack
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** HTTP on loopback; none without it. */
  readonly controlPort?: number
  /** Where the book is kept, so that it outlives the process; in memory only without it. */
  readonly bookFile?: string
  /** How many payments the book remembers; the oldest are forgotten. */
  readonly entriesMax?: number
  readonly timing?: Partial<Timing>
  readonly checkReferences?: boolean
  /** Dialects over HTTP that call back: where. */
  readonly callbackUrl?: string
  /** Where the reconciliation files of each day are written, when it is over (WIB). */
  readonly reconFolder?: string
  /** In plain CSV without it. */
  readonly reconFormat?: ReconFormat
  /** The machine's own by default. */
  readonly clock?: Clock
  readonly log?: Log
  /** Where the line goes that says what it listens on; standard output by default. */
  readonly say?: (line: string) => void
}

export type RunningSimulator = {
  readonly biller: SimulatedBiller | HttpBiller
  readonly address: string
  readonly controlAddress: string | undefined
  /** Resolves when it has ended, by `close` or by SIGTERM or SIGINT. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

/** Runs a simulated biller as a process of its own, until SIGTERM, SIGINT or `close`. */
export async function runSimulator(options: RunOptions): Promise<RunningSimulator> {
  const { pack, controlPort, log = NO_LOG, say = console.log } = options
  const { clock = new SystemClock() } = options
  const { bookFile, entriesMax } = options
  const book =
    bookFile === undefined
      ? new Book(entriesMax === undefined ? {} : { entriesMax })
      : openBookFile(bookFile, entriesMax)
  const biller = makeBiller(options, book, clock, log)
  const { address } = await biller.listen()
  const recon = reconWriter(options, book, clock)
  const callOffRecon = recon && atEachMidnight(clock, recon)
  const today = recon && (() => recon(clock.nowMs()))
  const control = controlPort === undefined ? undefined : new Control(biller, today)
  const controlAddress = (await control?.listen(controlPort ?? 0))?.address

  const { promise: ended, resolve } = Promise.withResolvers<void>()
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= end())
  const stop = (): void => void close()
  async function end(): Promise<void> {
    process.off('SIGTERM', stop).off('SIGINT', stop)
    callOffRecon?.()
    await control?.close()
    await biller.close()
    book.close()
    resolve()
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)

  const where = controlAddress === undefined ? '' : `, control on http://${controlAddress}`
  say(`simulated ${pack.name} listens on ${address}${where}`)
  return { biller, address, controlAddress, ended, close }
}

function makeBiller(
  options: RunOptions,
  book: Book,
  clock: Clock,
  log: Log,
): SimulatedBiller | HttpBiller {
  const { pack, host, port, timing, checkReferences, callbackUrl } = options
  const common = {
    clock,
    random: new SystemRandom(),
    book,
    log,
    ...(timing && { timing }),
  }
  if ('transport' in pack) {
    const told = callbackUrl === undefined ? {} : { callbackUrl }
    return new HttpBiller({ ...common, pack, host, port, ...told })
  }
  return new SimulatedBiller({
    ...common,
    pack,
    acceptor: new TcpAcceptor({ host, port }),
    ...(checkReferences !== undefined && { checkReferences }),
  })
}

type WriteRecon = (ofMs: number) => ReturnType<typeof writeRecon>

function reconWriter(
  { reconFolder, reconFormat = PLAIN_CSV }: RunOptions,
  book: Book,
  clock: Clock,
): WriteRecon | undefined {
  if (reconFolder === undefined) return undefined
  return (ofMs = clock.nowMs()) => writeRecon(reconFolder, book, reconFormat, businessDate(ofMs))
}

const DAY_MS = 86_400_000

/** The day that has just ended is written; answers what calls it off. */
function atEachMidnight(clock: Clock, write: WriteRecon): () => void {
  let callOff = (): void => {}
  const arm = (): void => {
    const nowMs = clock.nowMs()
    const midnightMs = nowMs + DAY_MS - ((nowMs + WIB_OFFSET_MS) % DAY_MS)
    callOff = clock.at(midnightMs, () => {
      write(midnightMs - 1)
      arm()
    })
  }
  arm()
  return () => callOff()
}

import type { Clock, Random } from '#base'
import { TcpAcceptor } from '#net'
import type { HttpPack, Pack } from '#pack'
import { Book, HttpBiller, SimulatedBiller } from '#sim'
import type { Log } from '#telemetry'
import { type Place, tcpPlace } from './place.ts'

export type TheirSideOptions = {
  readonly pack: Pack | HttpPack
  readonly host?: string
  readonly port?: number
  /** What the scenarios take for the other side's deadline. */
  readonly patienceMs: number
  readonly callbackUrl?: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export type TheirSide = {
  readonly place: Place
  readonly book: Book
  close(): Promise<void>
}

const LATE_BY_MS = 60

/** The pack's simulator on a port of its own, its waits fitted to how patient the other side is. */
export async function theirSide(options: TheirSideOptions): Promise<TheirSide> {
  const { pack, host = '127.0.0.1', port = 0, patienceMs, callbackUrl } = options
  const { clock, random, log } = options
  const book = new Book()
  const timing = {
    deadlineMs: patienceMs,
    lateByMs: LATE_BY_MS,
    slowByMs: Math.round(patienceMs / 3),
    byteByMs: 0,
    mergeWaitMs: Math.round(patienceMs / 10),
  }
  const common = { clock, random, log, book, timing }
  if ('transport' in pack) {
    const told = callbackUrl === undefined ? {} : { callbackUrl }
    const biller = new HttpBiller({ ...common, pack, host, port, ...told })
    const { address } = await biller.listen()
    const place: Place = { tag: 'http', url: `http://${address}` }
    return { place, book, close: () => biller.close() }
  }
  const biller = new SimulatedBiller({ ...common, pack, acceptor: new TcpAcceptor({ host, port }) })
  const { address } = await biller.listen()
  return { place: tcpPlace(address), book, close: () => biller.close() }
}

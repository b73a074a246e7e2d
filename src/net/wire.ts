import { between, chance } from '#base'
import type { Clock, Random } from '#base'
import type { Connection, ConnectionHandlers } from './connection.ts'

/**
 * What may go wrong on the way. TCP loses and reorders nothing within a connection, so neither does
 * this: what it does is come late, in other pieces, break, or fall silent. Chances are per write
 * (all that is written in one turn), from 0 to 1.
 */
export type MemoryFaults = {
  /** How long a piece is on its way, from and to. */
  readonly latencyMs: readonly [from: number, to: number]
  /** A write arrives in several pieces. */
  readonly fragment: number
  /** A piece arrives together with the one before it. */
  readonly merge: number
  /** Random bytes stand within the stream, which is beyond repair from there. */
  readonly garbage: number
  /** The connection breaks within the latency; bytes in flight are lost. */
  readonly cut: number
  /** Half-open: from here on bytes vanish both ways, and neither end hears of it. */
  readonly stall: number
  /** A dial is answered with a no. */
  readonly refuse: number
  /** A dial is never answered. */
  readonly unreachable: number
}

export const NO_FAULTS: MemoryFaults = {
  latencyMs: [0, 0],
  fragment: 0,
  merge: 0,
  garbage: 0,
  cut: 0,
  stall: 0,
  refuse: 0,
  unreachable: 0,
}

/** What a wire must know of its network. */
export type WireHost = {
  readonly clock: Clock
  readonly random: Random
  faultsOf(address: string): MemoryFaults
  forget(wire: Wire): void
}

/** Both ends of one connection. */
export class Wire {
  readonly network: WireHost
  readonly from: string
  readonly address: string
  readonly dialing: MemoryEnd
  readonly accepted: MemoryEnd
  stalled = false

  constructor(network: WireHost, from: string, address: string, peer: string) {
    this.network = network
    this.from = from
    this.address = address
    this.dialing = new MemoryEnd(this, address)
    this.accepted = new MemoryEnd(this, peer)
  }

  get faults(): MemoryFaults {
    return this.network.faultsOf(this.address)
  }

  other(end: MemoryEnd): MemoryEnd {
    return end === this.dialing ? this.accepted : this.dialing
  }

  cut(): void {
    this.stalled = false
    this.dialing.close('ECONNRESET')
    this.accepted.close('ECONNRESET')
  }

  closed(): void {
    const { dialing, accepted } = this
    if (dialing.closed && (accepted.closed || !accepted.connected)) this.network.forget(this)
  }
}

const BYTES_PENDING_MAX = 16 * 1024 * 1024

/** One end: what leaves it flies in order, and waits where the other end does not read. */
class MemoryEnd implements Connection {
  readonly peer: string
  readonly #wire: Wire
  handlers: ConnectionHandlers | undefined
  connected = false
  closed = false
  #ended = false
  #paused = false
  #parts: Uint8Array[] = []
  #bytesPending = 0
  /** Pieces that are on their way from here, in order. */
  readonly #flying: { bytes: Uint8Array }[] = []
  #lastArrivalMs = 0
  /** Pieces that have come and wait because nobody reads. */
  #arrived: Uint8Array[] = []

  constructor(wire: Wire, peer: string) {
    this.#wire = wire
    this.peer = peer
  }

  get bytesPending(): number {
    return this.#bytesPending
  }

  write(bytes: Uint8Array): boolean {
    if (!this.connected || this.closed || this.#ended) return false
    if (this.#bytesPending > BYTES_PENDING_MAX) return false
    const { clock } = this.#wire.network
    if (this.#parts.push(bytes) === 1) clock.at(clock.nowMs(), () => this.#flush())
    this.#bytesPending += bytes.length
    return true
  }

  end(): void {
    if (this.closed || this.#ended) return
    this.#flush()
    this.#ended = true
    this.resume()
    this.#afterPieces(() => {
      const other = this.#wire.other(this)
      other.close('the peer hung up')
      this.#later(() => this.close('closed'))
    })
  }

  destroy(reason = 'destroyed'): void {
    if (this.closed) return
    this.#dropParts()
    this.#afterPieces(() => this.#wire.other(this).close('ECONNRESET'))
    this.close(reason)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#arrived.length > 0) this.#later(() => this.#deliver(), 0)
  }

  /** Ends this side only; `onClose` follows in its own turn, as with a socket. */
  close(reason: string): void {
    if (this.closed) return
    this.closed = true
    this.#dropParts()
    this.#arrived = []
    this.#wire.closed()
    this.#later(() => this.handlers?.onClose(reason), 0)
  }

  #flush(): void {
    if (this.#parts.length === 0 || this.closed) return
    const { network, faults } = this.#wire
    const { clock, random } = network
    let bytes: Uint8Array = Buffer.concat(this.#parts)
    this.#parts = []
    if (chance(random, faults.stall)) this.#wire.stalled = true
    if (chance(random, faults.cut)) {
      clock.at(clock.nowMs() + latency(random, faults), () => this.#wire.cut())
    }
    if (chance(random, faults.garbage)) bytes = withGarbage(bytes, random)
    const pieces = chance(random, faults.fragment) ? fragments(bytes, random) : [bytes]
    for (const piece of pieces) this.#send(piece, faults)
  }

  #send(bytes: Uint8Array, faults: MemoryFaults): void {
    const { clock, random } = this.#wire.network
    const last = this.#flying.at(-1)
    if (last && chance(random, faults.merge)) {
      last.bytes = Buffer.concat([last.bytes, bytes])
      return
    }
    const piece = { bytes }
    this.#flying.push(piece)
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, clock.nowMs() + latency(random, faults))
    clock.at(this.#lastArrivalMs, () => this.#arrive())
  }

  #arrive(): void {
    const piece = this.#flying.shift()
    if (!piece) return
    this.#bytesPending -= piece.bytes.length
    if (this.#wire.stalled) return
    this.#wire.other(this).#take(piece.bytes)
  }

  #take(bytes: Uint8Array): void {
    if (this.closed) return
    this.#arrived.push(bytes)
    if (!this.#paused) this.#deliver()
  }

  #deliver(): void {
    while (!this.#paused && !this.closed) {
      const bytes = this.#arrived.shift()
      if (!bytes) return
      this.handlers?.onData(bytes)
    }
  }

  /** When the last piece has arrived, and a while after; never when the wire is dead. */
  #afterPieces(run: () => void): void {
    const { network, faults } = this.#wire
    const { clock, random } = network
    const arriveMs = Math.max(this.#lastArrivalMs, clock.nowMs() + latency(random, faults))
    clock.at(arriveMs, () => {
      if (!this.#wire.stalled) run()
    })
  }

  #later(run: () => void, afterMs = latency(this.#wire.network.random, this.#wire.faults)): void {
    const { clock } = this.#wire.network
    clock.at(clock.nowMs() + afterMs, run)
  }

  #dropParts(): void {
    for (const part of this.#parts) this.#bytesPending -= part.length
    this.#parts = []
  }
}

export function latency(random: Random, { latencyMs: [from, to] }: MemoryFaults): number {
  return from === to ? from : between(random, from, to)
}

function withGarbage(bytes: Uint8Array, random: Random): Uint8Array {
  const at = between(random, 0, bytes.length)
  const garbage = random.bytes(between(random, 1, 16))
  return Buffer.concat([bytes.subarray(0, at), garbage, bytes.subarray(at)])
}

function fragments(bytes: Uint8Array, random: Random): Uint8Array[] {
  const pieces: Uint8Array[] = []
  const piecesMax = between(random, 2, 8)
  let from = 0
  while (from < bytes.length) {
    const rest = bytes.length - from
    const size = pieces.length + 1 >= piecesMax ? rest : between(random, 1, rest)
    pieces.push(bytes.subarray(from, from + size))
    from += size
  }
  return pieces
}

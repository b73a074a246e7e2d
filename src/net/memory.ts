import { chance, NadiError } from '#base'
import type { Clock, Random } from '#base'
import type {
  Acceptor,
  Connection,
  ConnectionHandlers,
  Dialer,
  DialHandlers,
} from './connection.ts'
import { latency, NO_FAULTS, Wire } from './wire.ts'
import type { MemoryFaults } from './wire.ts'

type Accepting = (connection: Connection) => ConnectionHandlers

/** A network in memory: the same promises as TCP, in any time, with faults from one seed. */
export class MemoryNetwork {
  readonly clock: Clock
  readonly random: Random
  readonly #accepting = new Map<string, Accepting>()
  readonly #faultsOf = new Map<string, MemoryFaults>()
  readonly #wires = new Set<Wire>()
  #faults: MemoryFaults
  #dials = 0

  constructor({ clock, random, faults = NO_FAULTS }: MemoryNetworkOptions) {
    this.clock = clock
    this.random = random
    this.#faults = faults
  }

  /** The way in at an address, which is any text. */
  acceptor(address: string): Acceptor {
    return {
      listen: async onConnection => {
        if (this.#accepting.has(address)) throw new NadiError('PORT_TAKEN', { actual: address })
        this.#accepting.set(address, onConnection)
        return { address }
      },
      close: async () => {
        this.#accepting.delete(address)
      },
    }
  }

  /** The way out from one name to an address; the other side sees the peer `from:number`. */
  dialer(address: string, from = 'memory'): Dialer {
    return {
      dial: handlers => this.#dial(address, from, handlers),
    }
  }

  /** Faults from now on, everywhere or for connections to one address. */
  setFaults(faults: MemoryFaults, address?: string): void {
    if (address === undefined) this.#faults = faults
    else this.#faultsOf.set(address, faults)
  }

  faultsOf(address: string): MemoryFaults {
    return this.#faultsOf.get(address) ?? this.#faults
  }

  /** Breaks the connections from and to a name (all of them without one), with what is in flight. */
  cut(name?: string): void {
    for (const wire of this.#touching(name)) wire.cut()
  }

  /** Makes the connections from and to a name half-open. */
  stall(name?: string): void {
    for (const wire of this.#touching(name)) wire.stalled = true
  }

  get connections(): number {
    return this.#wires.size
  }

  forget(wire: Wire): void {
    this.#wires.delete(wire)
  }

  #touching(name: string | undefined): Wire[] {
    return [...this.#wires].filter(
      wire => name === undefined || wire.from === name || wire.address === name,
    )
  }

  #dial(address: string, from: string, handlers: DialHandlers): Connection {
    const { clock, random } = this
    const faults = this.faultsOf(address)
    const wire = new Wire(this, from, address, `${from}:${++this.#dials}`)
    const { dialing, accepted } = wire
    dialing.handlers = handlers
    this.#wires.add(wire)
    if (chance(random, faults.unreachable)) return dialing

    const arriveMs = clock.nowMs() + latency(random, faults)
    const refused = chance(random, faults.refuse)
    clock.at(arriveMs, () => {
      if (dialing.closed) return
      const accepting = this.#accepting.get(address)
      if (refused || !accepting) return dialing.close('ECONNREFUSED')
      accepted.connected = true
      accepted.handlers = accepting(accepted)
      clock.at(clock.nowMs() + latency(random, faults), () => {
        // An accepting side that hung up at once is heard of as a close, after this.
        if (dialing.closed || wire.stalled) return
        dialing.connected = true
        handlers.onConnect()
      })
    })
    return dialing
  }
}

export type MemoryNetworkOptions = {
  readonly clock: Clock
  readonly random: Random
  readonly faults?: MemoryFaults
}

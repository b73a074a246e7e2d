import { AssertionFailed, errorText } from '#base'
import type { Clock } from '#base'
import { Seldom } from '#net'
import type { Connection, ConnectionHandlers } from '#net'
import type { Log } from '#telemetry'
import type { Listener, ListenerOptions, ListenerStatus } from './listener.ts'
import { FrameSession } from './session.ts'
import type { SessionHost } from './session.ts'

const NOBODY: ConnectionHandlers = { onData() {}, onClose() {} }

/** A listener for framed messages on connections: admission and the counts; sessions do the rest. */
export class FrameListener implements Listener {
  readonly name: string
  readonly #options: ListenerOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #refusedLog: Seldom
  readonly #badFrameLog: Seldom
  readonly #host: SessionHost
  readonly #sessions = new Set<FrameSession>()
  readonly #ofPeer = new Map<string, number>()
  #address = ''
  #ids = 0
  #inFlight = 0
  #accepted = 0
  #refused = 0
  #frames = 0
  #badFrames = 0
  #drained: Promise<void> | undefined
  #onEmpty: () => void = () => {}

  constructor(options: ListenerOptions, { clock, log }: ListenerParts) {
    this.name = options.name
    this.#options = options
    this.#clock = clock
    this.#log = log.child({ listener: options.name })
    this.#refusedLog = new Seldom(clock)
    this.#badFrameLog = new Seldom(clock)
    this.#host = this.#makeHost()
  }

  async listen(): Promise<{ address: string }> {
    const { address } = await this.#options.acceptor.listen(connection => this.#admit(connection))
    this.#address = address
    this.#log.info('listening', { address })
    return { address }
  }

  drain(deadlineMs: number): Promise<void> {
    return (this.#drained ??= this.#drain(deadlineMs))
  }

  status(): ListenerStatus {
    return {
      name: this.name,
      address: this.#address,
      sessions: this.#sessions.size,
      inFlight: this.#inFlight,
      accepted: this.#accepted,
      refused: this.#refused,
      frames: this.#frames,
      badFrames: this.#badFrames,
    }
  }

  async #drain(deadlineMs: number): Promise<void> {
    const empty = new Promise<void>(resolve => {
      this.#onEmpty = resolve
    })
    await this.#options.acceptor.close()
    for (const session of this.#sessions) session.drain()
    if (this.#sessions.size === 0) return
    const callOff = this.#clock.at(deadlineMs, () => {
      this.#log.warn('not drained in time', { sessions: this.#sessions.size, owed: this.#inFlight })
      for (const session of this.#sessions) session.destroy('not drained in time')
    })
    await empty
    callOff()
  }

  #admit(connection: Connection): ConnectionHandlers {
    const host = hostOf(connection.peer)
    const ofPeer = this.#ofPeer.get(host) ?? 0
    const why = this.#refuses(ofPeer)
    if (why !== undefined) {
      this.#refused++
      const passedOver = this.#refusedLog.take()
      if (passedOver !== undefined) {
        this.#log.warn('a connection is refused', { peer: connection.peer, why, passedOver })
      }
      connection.destroy(why)
      return NOBODY
    }
    this.#accepted++
    this.#ofPeer.set(host, ofPeer + 1)
    const session = new FrameSession(++this.#ids, connection, this.#host)
    this.#sessions.add(session)
    this.#tell(() => this.#options.handlers.onOpen(session))
    return session
  }

  #refuses(ofPeer: number): string | undefined {
    const { connectionsMax, connectionsPerPeerMax } = this.#options
    if (this.#drained) return 'draining'
    if (this.#sessions.size >= connectionsMax) return 'too many connections'
    if (ofPeer >= connectionsPerPeerMax) return 'too many connections from one address'
    return undefined
  }

  #makeHost(): SessionHost {
    return {
      options: this.#options,
      clock: this.#clock,
      log: this.#log,
      taken: () => {
        this.#frames++
        return ++this.#inFlight > this.#options.inFlightMax
      },
      settled: () => {
        this.#inFlight--
      },
      badFrame: (session, { message }) => {
        this.#badFrames++
        const passedOver = this.#badFrameLog.take()
        if (passedOver === undefined) return
        const { id, peer } = session
        this.#log.warn('what came is no frame', { session: id, peer, error: message, passedOver })
      },
      closed: (session, reason) => this.#closed(session, reason),
    }
  }

  #closed(session: FrameSession, reason: string): void {
    this.#sessions.delete(session)
    const host = hostOf(session.peer)
    const left = (this.#ofPeer.get(host) ?? 1) - 1
    if (left > 0) this.#ofPeer.set(host, left)
    else this.#ofPeer.delete(host)
    this.#log.debug('session closed', { session: session.id, peer: session.peer, reason })
    this.#tell(() => this.#options.handlers.onClose(session, reason))
    if (this.#sessions.size === 0) this.#onEmpty()
  }

  #tell(run: () => void): void {
    try {
      run()
    } catch (error) {
      if (error instanceof AssertionFailed) throw error
      this.#log.error('a handler failed', { error: errorText(error) })
    }
  }
}

export type ListenerParts = { readonly clock: Clock; readonly log: Log }

/** The address without its port: limits are per machine, not per connection. */
function hostOf(peer: string): string {
  const colon = peer.lastIndexOf(':')
  return colon < 0 ? peer : peer.slice(0, colon)
}

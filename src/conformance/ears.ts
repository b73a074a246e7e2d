import type { Clock } from '#base'
import { CallbackListener } from '#listener'
import type { CallbackDesk } from '#switch'
import type { Log } from '#telemetry'

/**
 * Where the counterpart calls back. It listens before anyone can call: the counterpart is told the
 * address when it begins, and only then is there a link whose callbacks these are.
 */
export class Ears {
  readonly #listener: CallbackListener
  desk: CallbackDesk | undefined

  constructor(clock: Clock, log: Log) {
    const route = {
      prefix: '/',
      mayCall: () => true,
      turnedAway: () => this.desk?.turnedAway(),
      take: (frame: Uint8Array) =>
        this.desk?.take(frame) ?? Promise.reject(new TypeError('nobody listens yet')),
    }
    const place = { name: 'callbacks', host: '127.0.0.1', port: 0, tls: undefined }
    this.#listener = new CallbackListener(
      { ...place, limits: LIMITS, routes: [route] },
      { clock, log },
    )
  }

  /** `http://127.0.0.1:41234` */
  async listen(): Promise<string> {
    return `http://${(await this.#listener.listen()).address}`
  }

  close(deadlineMs: number): Promise<void> {
    return this.#listener.drain(deadlineMs)
  }
}

const LIMITS = {
  bodyBytesMax: 65_536,
  headerBytesMax: 16_384,
  connectionsMax: 16,
  connectionsPerPeerMax: 16,
  inFlightMax: 16,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 5_000,
  idleTimeoutMs: 5_000,
  answerTimeoutMs: 2_000,
}

import { SystemClock, SystemRandom } from '#base'
import type { Clock, Random } from '#base'
import { NO_LOG } from '#telemetry'
import type { Log } from '#telemetry'
import { FRAME_BYTES_MAX } from '../frame.ts'
import { Box } from './box.ts'
import type { BoxOptions } from './box.ts'
import { HostServer } from './server.ts'
import type { ServerOptions } from './server.ts'
import { testLmks } from './test-lmks.ts'

export type SimulatorOptions = Partial<Omit<BoxOptions, 'connectionsMax'>> &
  Partial<ServerOptions> & {
    readonly clock?: Clock
    readonly random?: Random
    readonly log?: Log
  }

const DEFAULTS = {
  host: '127.0.0.1',
  port: 1500,
  connectionsMax: 64,
  frameBytesMax: FRAME_BYTES_MAX,
  bytesPendingMax: 1 << 20,
  frameTimeoutMs: 30_000,
  idleTimeoutMs: 600_000,
  headerLength: 4,
  firmware: 'NADI-0001',
  authorised: true,
  clearPins: false,
  pci: false,
  clearTables: true,
  expandedData: true,
} as const

/**
 * A payment HSM for tests that speaks payShield's host commands over TCP, with the published test
 * LMKs: 00 the variant set, 01 for TDES key blocks, 02 for AES key blocks. It protects nothing.
 */
export interface PayShieldSimulator {
  /** Listens; resolves with the address. Throws PORT_TAKEN. */
  start(): Promise<{ readonly address: string; readonly port: number }>
  /** Takes no more connections and ends those that are; resolves when none is left. */
  stop(): Promise<void>
  readonly connections: number
  /** RA leaves the authorised state; this enters it again. */
  authorise(): void
  readonly authorised: boolean
  /** One message without a socket; undefined when it is too short to be answered. */
  answer(message: string): string | undefined
}

export function payShieldSimulator(options: SimulatorOptions = {}): PayShieldSimulator {
  const { clock = new SystemClock(), random = new SystemRandom(), log = NO_LOG } = options
  const settings = { ...DEFAULTS, lmks: testLmks(random), ...options }
  const box = new Box(settings, { random, log })
  const server = new HostServer(
    settings,
    { answer: message => box.answer(message), delayMs: () => box.delayMs },
    { clock, log },
  )
  return {
    start: () => server.start(),
    stop: () => server.stop(),
    get connections() {
      return server.connections
    },
    authorise: () => box.authorise(),
    get authorised() {
      return box.authorised
    },
    answer: message => box.answer(message),
  }
}

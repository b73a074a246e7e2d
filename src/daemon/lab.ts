import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Clock } from '#base'
import type { Config, SimulatorConfig } from '#config'
import type { Log } from '#telemetry'

const PROGRAM = resolve(import.meta.dirname, '../../bin/nadi')
const RESTART_MS = 1000

/** The lab's counterparts, each in a process of its own behind a real socket; one that dies is started again. */
export class Lab {
  readonly #config: Config
  readonly #protocolsFolder: string
  readonly #clock: Clock
  readonly #log: Log
  readonly #children = new Set<ChildProcess>()
  #stopping = false

  constructor(config: Config, protocolsFolder: string, clock: Clock, log: Log) {
    this.#config = config
    this.#protocolsFolder = protocolsFolder
    this.#clock = clock
    this.#log = log
  }

  start(): void {
    for (const simulator of this.#config.lab?.simulators ?? []) this.#start(simulator)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    const ends = [...this.#children].map(
      child =>
        new Promise<void>(ended => {
          child.once('exit', () => ended())
          child.kill('SIGTERM')
        }),
    )
    await Promise.all(ends)
  }

  /** A file that only this user may read: what stands in a command line can be read by all. */
  #writeCredentials({ pack, credentials }: SimulatorConfig): string | undefined {
    const entries = Object.entries(credentials)
    if (entries.length === 0) return undefined
    const folder = join(this.#config.data.varFolder, 'sim')
    const file = join(folder, `${pack}.credentials`)
    mkdirSync(folder, { recursive: true })
    rmSync(file, { force: true })
    const told = Object.fromEntries(entries.map(([name, value]) => [name, value.reveal()]))
    writeFileSync(file, JSON.stringify(told), { mode: 0o600 })
    return file
  }

  #start(simulator: SimulatorConfig): void {
    const { pack, host, port, controlPort, scenarioDelaysMs, callbackUrl } = simulator
    const book = join(this.#config.data.varFolder, 'sim', `${pack}.book`)
    const args = ['sim', pack, '--host', host, '--port', String(port), '--book', book]
    if (controlPort !== undefined) args.push('--control-port', String(controlPort))
    for (const [name, delayMs] of Object.entries(scenarioDelaysMs))
      args.push('--delay', `${name}=${delayMs}`)
    if (callbackUrl !== undefined) args.push('--callback-url', callbackUrl)
    const credentials = this.#writeCredentials(simulator)
    if (credentials !== undefined) args.push('--credentials', credentials)
    const env = { ...process.env, NADI_PROTOCOLS: this.#protocolsFolder }
    const child = spawn(PROGRAM, args, { stdio: ['ignore', 'ignore', 'inherit'], env })
    this.#children.add(child)
    this.#log.info('simulator started', { pack, host, port, pid: child.pid })
    child.once('exit', (code, signal) => {
      this.#children.delete(child)
      if (this.#stopping) return
      this.#log.warn('a simulator ended and is started again', { pack, code, signal })
      this.#clock.at(this.#clock.nowMs() + RESTART_MS, () => this.#start(simulator))
    })
  }
}

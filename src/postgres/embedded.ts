import { spawn, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Client, type ClientConfig } from 'pg'
import { assert, type Clock, errorText, NadiError, type Random, toHex } from '#base'
import type { Log } from '#telemetry'
import { findPlace, type Place } from './place.ts'
import { clearStale, findPostmaster, isOurs } from './postmaster.ts'
import { SETTINGS } from './settings.ts'
import { sqlState } from './state.ts'

export type EmbeddedOptions = {
  readonly varFolder: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** How long the server may take to come up, its crash recovery included. */
  readonly startTimeoutMs?: number
  /** The folder with PostgreSQL's bin, lib and share; without it, what npm brought. */
  readonly native?: string
  /** Settings beyond settings.ts, for tests and benchmarks. */
  readonly settings?: Readonly<Record<string, string>>
}

const USER = 'nadi'
const DATABASE = 'nadi'
const POLL_MS = 50
const WATCH_MS = 500
const BACKOFF_MIN_MS = 200
const BACKOFF_MAX_MS = 10_000
const STOP_TIMEOUT_MS = 30_000
const LOG_BYTES_MAX = 10_000_000

/** Starts the server on the data in `varFolder`, or takes over the one that runs on it. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const server = new EmbeddedServer(options)
  await server.start()
  return server
}

/**
 * PostgreSQL from npm, looked after while the daemon runs:
 *
 *     starting ──answers──▶ running ──process gone──▶ starting (after a backoff)
 *        └── not within startTimeoutMs: POSTGRES_START (first start), else again
 *     stop(): fast shutdown     leave(): it stays as it is, for the next daemon
 *
 * The server is no child that dies with us: a daemon killed with kill -9 leaves it running, and the
 * next one finds it by its lock file.
 */
export class EmbeddedServer {
  readonly #options: EmbeddedOptions
  readonly #place: Place
  readonly #password: string
  #pid: number | undefined
  #backoffMs = BACKOFF_MIN_MS
  #cancelWatch: (() => void) | undefined
  #ended = false

  /** Use `startEmbedded`. */
  constructor(options: EmbeddedOptions) {
    this.#options = options
    this.#place = findPlace(resolve(options.varFolder), options.native)
    this.#password = keptPassword(resolve(options.varFolder), options.random)
  }

  /** Of the postmaster; undefined while it is down. */
  get pid(): number | undefined {
    return this.#pid
  }

  get connection(): ClientConfig & { readonly host: string; readonly password: string } {
    return {
      host: this.#place.socket,
      port: 5432,
      user: USER,
      password: this.#password,
      database: DATABASE,
    }
  }

  get dataFolder(): string {
    return this.#place.data
  }

  async start(): Promise<void> {
    this.#makeCluster()
    this.#pid = await this.#bringUp()
    await this.#makeDatabase()
    this.#watch()
  }

  /** Ends every session, writes all out, and stops; what was acknowledged was durable before. */
  async stop(): Promise<void> {
    this.leave()
    const { clock, log } = this.#options
    const pid = this.#pid ?? findPostmaster(this.#place.data)?.pid
    this.#pid = undefined
    if (pid === undefined || !isOurs(pid, this.#place.data)) return
    process.kill(pid, 'SIGINT')
    const untilMs = clock.nowMs() + STOP_TIMEOUT_MS
    while (isOurs(pid, this.#place.data)) {
      if (clock.nowMs() > untilMs) {
        log.warn('PostgreSQL does not stop; it will recover at its next start', { pid })
        process.kill(pid, 'SIGQUIT')
        return
      }
      await this.#pause(POLL_MS)
    }
  }

  /** Stops it and throws its data away: for tests and benchmarks. */
  async destroy(): Promise<void> {
    await this.stop()
    const link = resolve(this.#options.varFolder, 'postgres')
    fs.rmSync(dirname(this.#place.data), { recursive: true, force: true })
    fs.rmSync(link, { recursive: true, force: true })
  }

  /** Stops looking after it and lets it run: for a daemon that found another one in charge. */
  leave(): void {
    this.#ended = true
    this.#cancelWatch?.()
  }

  #watch(): void {
    const { clock, log } = this.#options
    this.#cancelWatch = clock.at(clock.nowMs() + WATCH_MS, () => {
      if (this.#ended) return
      if (this.#pid !== undefined && isOurs(this.#pid, this.#place.data)) return this.#watch()
      log.error('PostgreSQL has died and is started again', { pid: this.#pid })
      this.#pid = undefined
      void this.#restart()
    })
  }

  async #restart(): Promise<void> {
    const { log } = this.#options
    while (!this.#ended) {
      try {
        this.#pid = await this.#bringUp()
        this.#backoffMs = BACKOFF_MIN_MS
        log.info('PostgreSQL runs again', { pid: this.#pid })
        if (!this.#ended) this.#watch()
        return
      } catch (error) {
        log.error('PostgreSQL did not start', { text: errorText(error) })
        await this.#pause(this.#backoffMs)
        this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MAX_MS)
      }
    }
  }

  /** The pid of a server that answers: one that was running, else a new one. */
  async #bringUp(): Promise<number> {
    const { clock, log, startTimeoutMs = 120_000 } = this.#options
    const { data, logFile } = this.#place
    const untilMs = clock.nowMs() + startTimeoutMs
    let started: number | undefined
    let launches = 0
    for (;;) {
      const running = findPostmaster(data)
      if (running && (await this.#answers())) {
        if (running.pid !== started) log.info('PostgreSQL was running', { pid: running.pid })
        return running.pid
      }
      const ours = started !== undefined && isOurs(started, data)
      if (!running && !ours) {
        // Orphaned backends of a killed server hold its shared memory for a moment, and a new
        // one refuses to start until they are gone: so more than one launch may be needed.
        if (started !== undefined) await this.#pause(Math.min(100 * 2 ** launches, 2_000))
        if (!this.#ended) started = this.#launch()
        launches++
      }
      if (this.#ended || clock.nowMs() > untilMs)
        throw new NadiError('POSTGRES_START', { path: logFile, hint: lastLine(logFile) })
      await this.#pause(POLL_MS)
    }
  }

  #launch(): number {
    const { native, data, socket, account, logFile } = this.#place
    clearStale(data)
    if ((fs.statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX)
      fs.renameSync(logFile, `${logFile}.old`)
    const settings = {
      ...SETTINGS,
      unix_socket_directories: socket,
      ...this.#options.settings,
    }
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const out = fs.openSync(logFile, 'a', 0o600)
    try {
      // A session of its own: Ctrl-C in the daemon's terminal is not for the server, which has to
      // be there until the daemon has brought its payments to an end.
      const child = spawn(join(native, 'bin', 'postgres'), ['-D', data, ...args], {
        ...account,
        cwd: '/',
        env: { PATH: process.env['PATH'], LC_ALL: 'C' },
        detached: true,
        stdio: ['ignore', out, out],
      })
      child.on('error', error => this.#options.log.error('spawn', { text: errorText(error) }))
      child.unref()
      assert(child.pid !== undefined, 'the server has a process')
      return child.pid
    } finally {
      fs.closeSync(out)
    }
  }

  /** Whether it takes our password and works on our data. */
  async #answers(): Promise<boolean> {
    const client = this.#client('postgres')
    try {
      await client.connect()
      const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory')
      return rows[0]?.data_directory === this.#place.data
    } catch (error) {
      if (sqlState(error) !== '28P01') return false
      throw new NadiError('POSTGRES_START', {
        path: join(this.#options.varFolder, 'postgres.password'),
        hint: 'the server does not take this password; was the file replaced?',
      })
    } finally {
      await client.end().catch(() => {})
    }
  }

  async #makeDatabase(): Promise<void> {
    const client = this.#client('postgres')
    await client.connect()
    try {
      const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [
        DATABASE,
      ])
      if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`)
    } finally {
      await client.end()
    }
  }

  #client(database: string): Client {
    const client = new Client({
      ...this.connection,
      database,
      connectionTimeoutMillis: 5_000,
      query_timeout: 5_000,
    })
    client.on('error', () => {})
    return client
  }

  /** initdb into a folder beside and then renamed: what is called `data` is always whole. */
  #makeCluster(): void {
    const { native, data, account, logFile } = this.#place
    if (fs.existsSync(join(data, 'PG_VERSION'))) return
    const half = `${data}.${process.pid}`
    const passwordFile = `${half}.password`
    try {
      fs.writeFileSync(passwordFile, `${this.#password}\n`, { mode: 0o600 })
      if (account) fs.chownSync(passwordFile, account.uid, account.gid)
      const flags = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-instructions']
      const args = ['-D', half, '-U', USER, `--pwfile=${passwordFile}`, ...flags]
      const made = spawnSync(join(native, 'bin', 'initdb'), args, {
        ...account,
        cwd: '/',
        env: { PATH: process.env['PATH'], LC_ALL: 'C' },
        encoding: 'utf8',
      })
      fs.appendFileSync(logFile, `${made.stdout ?? ''}${made.stderr ?? ''}`, { mode: 0o600 })
      if (made.status !== 0)
        throw new NadiError('POSTGRES_START', { path: logFile, hint: lastLine(logFile) })
      fs.renameSync(half, data)
    } finally {
      fs.rmSync(passwordFile, { force: true })
      fs.rmSync(half, { force: true, recursive: true })
    }
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#options
    return new Promise(done => {
      clock.at(clock.nowMs() + ms, done)
    })
  }
}

/** The password of the server, made once; whoever may read var/ may read the books anyway. */
function keptPassword(varFolder: string, random: Random): string {
  const file = join(varFolder, 'postgres.password')
  try {
    // Only the first of two writes it: the other reads what is there.
    fs.writeFileSync(file, toHex(random.bytes(24)), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return fs.readFileSync(file, 'utf8').trim()
}

function lastLine(file: string): string {
  const lines = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trimEnd().split('\n') : []
  return lines[lines.length - 1] ?? 'it said nothing'
}

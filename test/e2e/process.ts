import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { SystemRandom, between } from '#base'

const PROGRAM = resolve(import.meta.dirname, '../../bin/nadi')
const READY_MS = 60_000

/** Everything that a test has started and that must not outlive it. */
const RUNNING = new Set<Started>()
/** Whether each is to stay. */
const FOLDERS = new Map<string, boolean>()
let guarded = false

/** `nadi …` as a process of its own; everything it says goes to `logFile` too. */
export class Started {
  readonly child: ChildProcess
  readonly exited: Promise<number | NodeJS.Signals>
  readonly #name: string
  readonly #logFile: string
  #said = ''
  #ended = false

  constructor(args: readonly string[], env: Record<string, string>, logFile: string) {
    guard()
    this.#name = `nadi ${args.join(' ')}`
    this.#logFile = logFile
    const log = openSync(logFile, 'a')
    this.child = spawn(PROGRAM, args, {
      stdio: ['ignore', 'pipe', log],
      env: { ...process.env, NOTIFY_SOCKET: '', DATABASE_URL: '', ...env },
    })
    RUNNING.add(this)
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (this.#said.length < 65_536) this.#said += text
    })
    this.exited = new Promise(done => {
      this.child.once('exit', (code, signal) => {
        this.#ended = true
        RUNNING.delete(this)
        closeSync(log)
        done(code ?? signal ?? 0)
      })
    })
  }

  /** What it said on its standard output. */
  get said(): string {
    return this.#said
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Resolves when it has said so; throws when it ended or took too long. */
  async ready(line: RegExp): Promise<RegExpExecArray> {
    for (let waitedMs = 0; ; waitedMs += 20) {
      const found = line.exec(this.#said)
      if (found) return found
      if (this.#ended || waitedMs > READY_MS)
        throw new Error(
          `${this.#name} is not ready; ${this.#said}${readFileSync(this.#logFile, 'utf8')}`,
        )
      await sleep(20)
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | NodeJS.Signals> {
    if (!this.#ended) this.child.kill(signal)
    return this.exited
  }
}

/** The pid of the server on this var folder's data, if one runs. */
export function postmasterOf(varFolder: string): number | undefined {
  try {
    const data = join(serverFolder(varFolder), 'data')
    const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return args[0]?.endsWith('postgres') && args.includes(data) ? pid : undefined
  } catch {
    return undefined // no file, or nobody of that number
  }
}

/** A folder of this run; it goes when the run is ended by a signal, and its server in any case. */
export function tempFolder(prefix: string, keep = false): string {
  guard()
  const folder = mkdtempSync(join(tmpdir(), prefix))
  // The server's account must be able to pass through.
  chmodSync(folder, 0o711)
  FOLDERS.set(folder, keep)
  return folder
}

/** Ends the server that may have outlived its daemon, and throws all away; or leaves the folder. */
export async function closeFolder(folder: string, keep = false): Promise<void> {
  const varFolder = join(folder, 'var')
  for (let pid; (pid = postmasterOf(varFolder)) !== undefined;) {
    process.kill(pid, 'SIGQUIT')
    await sleep(50)
  }
  FOLDERS.delete(folder)
  if (keep) return
  // As root the data may lie elsewhere, where the server's account can go.
  for (const path of [serverFolder(varFolder), folder])
    rmSync(path, { recursive: true, force: true, maxRetries: 5 })
}

function serverFolder(varFolder: string): string {
  const folder = join(varFolder, 'postgres')
  try {
    return readlinkSync(folder)
  } catch {
    return folder
  }
}

/** Whatever ends this process, nothing of what it started stays behind. */
function guard(): void {
  if (guarded) return
  guarded = true
  process.on('exit', () => {
    for (const { child } of RUNNING) child.kill('SIGKILL')
    for (const folder of FOLDERS.keys()) {
      const pid = postmasterOf(join(folder, 'var'))
      if (pid !== undefined) process.kill(pid, 'SIGQUIT')
    }
  })
  const stop = async (): Promise<void> => {
    await Promise.all([...RUNNING].map(one => one.kill()))
    for (const [folder, keep] of FOLDERS) await closeFolder(folder, keep)
    process.exit(1)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => void stop())
}

/** A port that is free now, below those that the system gives to outgoing connections. */
export async function freePort(): Promise<number> {
  const random = new SystemRandom()
  for (;;) {
    const port = between(random, 20_000, 31_000)
    const server = createServer()
    const free = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!free) continue
    await new Promise(resolve => {
      server.close(resolve)
    })
    return port
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, ms)
  })
}

import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Client, type ClientConfig } from 'pg'
import { parseDocument } from 'yaml'
import { SystemClock, SystemRandom } from '#base'
import { type EmbeddedServer, startEmbedded } from '#postgres'
import { NO_LOG } from '#telemetry'

const PROGRAM = resolve(import.meta.dirname, '../bin/nadi')
const CONF = resolve(import.meta.dirname, '../conf')
const PARTNER_KEY = 'lab-4519001'
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 30_000

/** Who the switch sends to, and what of the lab's configuration is other for it. */
export type LabBiller = {
  /** What the simulated biller speaks. */
  readonly pack: string
  /** Files of conf/ in place of the lab's, by their path in it. */
  readonly conf?: Readonly<Record<string, string>>
  /** As for `--set`, when it is known where the biller listens. */
  readonly settings: (port: string) => readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** The lab's own: PLN in frames. */
const PLN: LabBiller = { pack: 'pln-2003-115', settings: port => [`links.pln.port=${port}`] }

/**
 * The real thing on a fresh var folder and free ports: the daemon with its embedded PostgreSQL,
 * and the simulated biller, each a process of its own. Whoever starts it stops it, also on failure.
 */
export class Lab {
  readonly #folder: string
  readonly #biller: LabBiller
  readonly #children: { biller?: ChildProcess; daemon?: ChildProcess } = {}
  #server: EmbeddedServer | undefined
  #partners = ''
  #api = ''
  #admin = ''

  private constructor(biller: LabBiller) {
    this.#biller = biller
    this.#folder = mkdtempSync(join(tmpdir(), 'nadi-bench-'))
    // Root's server runs under another account, and would keep its data where we do not clean up.
    chmodSync(this.#folder, 0o755)
  }

  /** `profileFolder` makes daemon and biller leave a CPU profile there when they end. */
  static async start(profileFolder?: string, biller = PLN): Promise<Lab> {
    const lab = new Lab(biller)
    try {
      await lab.#start(profileFolder)
    } catch (error) {
      await lab.stop()
      throw error
    }
    return lab
  }

  /** host:port of the partners' listener. */
  get partners(): string {
    return this.#partners
  }

  /** host:port of the partners' HTTP API, and the key that signs requests there. */
  get api(): { address: string; keyId: string; secret: string } {
    const secret = readFileSync(join(this.#folder, 'partners', `${PARTNER_KEY}.key`), 'utf8')
    return { address: this.#api, keyId: PARTNER_KEY, secret: secret.trim() }
  }

  get pids(): { daemon: number; biller: number; postgres: number } {
    const { daemon, biller } = this.#children
    return {
      daemon: daemon?.pid ?? 0,
      biller: biller?.pid ?? 0,
      postgres: this.#server?.pid ?? 0,
    }
  }

  /** A database of its own on the daemon's server, made when it is missing. */
  async database(name: string): Promise<ClientConfig> {
    const { connection } = this.#server as EmbeddedServer
    const client = new Client(connection)
    await client.connect()
    try {
      const found = await client.query('SELECT FROM pg_database WHERE datname = $1', [name])
      if (found.rowCount === 0) await client.query(`CREATE DATABASE ${name}`)
    } finally {
      await client.end()
    }
    return { ...connection, database: name }
  }

  /** The sum of all series of one metric of the daemon. */
  async metric(name: string): Promise<number> {
    const response = await fetch(`http://${this.#admin}/metrics`)
    const lines = (await response.text()).split('\n')
    const ours = lines.filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    return ours.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }

  /** Ends all that was started, in order, by its pid; the folder goes last. */
  async stop(): Promise<void> {
    const { daemon, biller } = this.#children
    if (daemon) await ended(daemon)
    if (biller) await ended(biller)
    if (daemon && daemon.exitCode !== 0) console.error(readFileSync(this.#outOf('daemon'), 'utf8'))
    // The daemon stops its server; only one that died without a word leaves it to us.
    await this.#server?.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #start(profileFolder: string | undefined): Promise<void> {
    const profile = profileFolder && `--cpu-prof --cpu-prof-dir=${resolve(profileFolder)}`
    const { pack, settings: settingsFor, env: more } = this.#biller
    const { confFolder, products } = this.#confOf(this.#biller)
    const env: NodeJS.ProcessEnv = { ...process.env, ...more, NADI_VAR: this.#folder }
    env['NADI_CONF'] = confFolder
    if (profile) env['NODE_OPTIONS'] = profile
    delete env['DATABASE_URL']
    const book = join(this.#folder, 'biller.book')
    const simulator = ['sim', pack, '--port', '0', '--book', book]
    const [billerSaid, biller] = this.#spawn('biller', simulator, env)
    this.#children.biller = biller
    const port = await said(billerSaid, biller, /listens on \S+:(\d+)/)

    const settings = [
      // A million payments cost more than the lab's deposit.
      `partners.4519001.openingDeposit=Rp 90.000.000.000.000`,
      `partners.4519001.products=[${products.join(', ')}]`,
      'lab.simulators=[]',
      ...settingsFor(port),
      'listeners.partners-iso.port=0',
      'listeners.partners-http.port=0',
      'admin.port=0',
      `log.file=${join(this.#folder, 'nadi.log')}`,
    ]
    const start = ['start', ...settings.flatMap(setting => ['--set', setting])]
    const [daemonSaid, daemon] = this.#spawn('daemon', start, env)
    this.#children.daemon = daemon
    this.#partners = await said(daemonSaid, daemon, /partners +(\S+:\d+) +pln/)
    this.#api = await said(daemonSaid, daemon, /partners +(\S+:\d+) +HTTP/)
    this.#admin = await said(daemonSaid, daemon, /operators +(\S+:\d+)/)
    // It runs already: this only finds out where, and looks after its end if the daemon cannot.
    const [clock, random] = [new SystemClock(), new SystemRandom()]
    this.#server = await startEmbedded({ varFolder: this.#folder, clock, random, log: NO_LOG })
    this.#server.leave()
  }

  /** The lab's own, but for what is sold by others than PLN. */
  #confOf({ conf = {} }: LabBiller): { confFolder: string; products: readonly string[] } {
    const confFolder = join(this.#folder, 'conf')
    cpSync(CONF, confFolder, { recursive: true })
    for (const [path, text] of Object.entries(conf)) writeFileSync(join(confFolder, path), text)
    for (const link of readdirSync(join(confFolder, 'links')))
      if (link !== 'pln.yaml') rmSync(join(confFolder, 'links', link))
    for (const listener of readdirSync(join(confFolder, 'listeners')))
      if (!listener.startsWith('partners-')) rmSync(join(confFolder, 'listeners', listener))
    const file = join(confFolder, 'products.yaml')
    const document = parseDocument(readFileSync(file, 'utf8'))
    const all = Object.entries(document.toJS() as Record<string, { biller: string }>)
    for (const [name, { biller }] of all) if (biller !== 'pln') document.delete(name)
    writeFileSync(file, document.toString())
    const products = all.filter(([, { biller }]) => biller === 'pln').map(([name]) => name)
    return { confFolder, products }
  }

  #outOf(name: string): string {
    return join(this.#folder, `${name}.out`)
  }

  #spawn(name: string, args: string[], env: NodeJS.ProcessEnv): [string, ChildProcess] {
    const file = this.#outOf(name)
    const out = openSync(file, 'a')
    try {
      return [file, spawn(PROGRAM, args, { env, stdio: ['ignore', out, out] })]
    } finally {
      closeSync(out)
    }
  }
}

/** Waits until a child has said what is looked for; what it said instead is the error. */
async function said(file: string, child: ChildProcess, wanted: RegExp): Promise<string> {
  const untilMs = performance.now() + START_TIMEOUT_MS
  for (;;) {
    const text = readFileSync(file, 'utf8')
    const found = wanted.exec(text)?.[1]
    if (found !== undefined) return found
    const over = child.exitCode !== null || child.signalCode !== null
    if (over || performance.now() > untilMs) throw new Error(`it did not start:\n${text}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise(resolve => {
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    child.once('exit', () => {
      clearTimeout(late)
      resolve()
    })
    child.kill('SIGTERM')
  })
}

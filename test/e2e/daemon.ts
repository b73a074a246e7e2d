import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fromJson, SystemClock, toJson } from '#base'
import type { AuditView, BalanceView, StatusView, StoryView, TxnView } from '#admin'
import { loadPacks } from '#config'
import type { Pack } from '#pack'
import { TcpDialer } from '#net'
import { type TillIdentity, Till } from '../simulation/till.ts'
import { closeFolder, postmasterOf, sleep, Started, tempFolder } from './process.ts'

export const ROOT = resolve(import.meta.dirname, '../..')

/** Three partners; the third has little money. The first is the lab's own. */
export const PARTNERS: readonly TillIdentity[] = ['4519001', '4519002', '4519003'].map(partner => ({
  bank: '4519999',
  partner,
  switcher: 'SWX0001',
  terminal: '0LOKET0000000001',
}))

export type DaemonOptions = {
  readonly billerPort: number
  /** Settings as `--set` takes them. */
  readonly set?: readonly string[]
  /** Deposits of the three partners, as the configuration writes them. */
  readonly deposits?: readonly [string, string, string]
  /** Puts something into the var folder before the first start. */
  readonly prepare?: (varFolder: string) => void
  /** Leaves the folder for a look, even when the run is stopped. */
  readonly keep?: boolean
}

/** The real daemon on a fresh var folder, with its own embedded PostgreSQL; ports by the system. */
export class Daemon {
  readonly folder: string
  readonly varFolder: string
  readonly pack: Pack
  readonly #options: DaemonOptions
  #process: Started | undefined
  #address = ''
  #admin = ''

  constructor(options: DaemonOptions) {
    this.#options = options
    this.folder = tempFolder('nadi-e2e-', options.keep)
    this.varFolder = join(this.folder, 'var')
    mkdirSync(this.varFolder, { mode: 0o711 })
    writeConf(join(this.folder, 'conf'), options)
    options.prepare?.(this.varFolder)
    this.pack = loadPacks(join(ROOT, 'protocols')).packs.get('pln-2003-111') as Pack
  }

  static async start(options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(options)
    await daemon.start()
    return daemon
  }

  /** Where partners dial. */
  get address(): { readonly host: string; readonly port: number } {
    const [host = '', port] = this.#address.split(':')
    return { host, port: Number(port) }
  }

  /** Where operators ask. */
  get adminAddress(): string {
    return this.#admin
  }

  get process(): Started | undefined {
    return this.#process
  }

  get postmaster(): number | undefined {
    return postmasterOf(this.varFolder)
  }

  /** Until it takes partners. */
  async start(): Promise<void> {
    const { set = [] } = this.#options
    const settings = [
      'listeners.partners-iso.port=0',
      'listeners.partners-http.port=0',
      'listeners.callbacks.port=0',
      'admin.port=0',
      'log.file=nadi.log',
      ...set,
    ]
    const args = ['start', ...settings.flatMap(one => ['--set', one])]
    const env = { NADI_VAR: this.varFolder, NADI_CONF: join(this.folder, 'conf') }
    const started = new Started(args, env, join(this.folder, 'daemon.out'))
    this.#process = started
    const [, address = ''] = await started.ready(/partners +([\d.]+:\d+)/)
    const [, admin = ''] = await started.ready(/operators +([\d.]+:\d+)/)
    this.#address = address
    this.#admin = admin
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | NodeJS.Signals> | undefined {
    return this.#process?.kill(signal)
  }

  killPostgres(signal: NodeJS.Signals = 'SIGKILL'): boolean {
    const pid = this.postmaster
    if (pid === undefined) return false
    process.kill(pid, signal)
    return true
  }

  /** Ends it in order and throws its data away; with `keep` they stay. */
  async end(keep = false): Promise<number | NodeJS.Signals | undefined> {
    const code = await this.kill('SIGTERM')
    await closeFolder(this.folder, keep)
    return code
  }

  /** The log's lines so far. */
  log(): Record<string, unknown>[] {
    return readFileSync(join(this.varFolder, 'nadi.log'), 'utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Record<string, unknown>)
  }

  /** A till of a partner; it dials wherever the daemon listens now. */
  till(index = 0, onViolation: (text: string) => void = () => {}): Till {
    const dialer: TcpDialer['dial'] = handlers => new TcpDialer(this.address).dial(handlers)
    const identity = PARTNERS[index] as TillIdentity
    return new Till({ dial: dialer }, this.pack, new SystemClock(), identity, onViolation)
  }

  /** A till that is signed on. */
  async openTill(index = 0, onViolation?: (text: string) => void): Promise<Till> {
    const till = this.till(index, onViolation)
    if (!(await till.open())) throw new Error('the till cannot sign on')
    return till
  }

  // ── the operators' side ────────────────────────────────────────────────────────────────────

  async get<T>(path: string): Promise<T> {
    return this.#ask<T>(path, { headers: this.#headers() })
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    const headers = { ...this.#headers(), 'content-type': 'application/json' }
    return this.#ask<T>(path, { method: 'POST', headers, body: toJson(body) })
  }

  status(): Promise<StatusView> {
    return this.get('/v1/status')
  }

  async txns(query: string): Promise<readonly TxnView[]> {
    const { txns } = await this.get<{ txns: TxnView[] }>(`/v1/txns?limit=1000&${query}`)
    return txns
  }

  story(id: string): Promise<StoryView> {
    return this.get(`/v1/txns/${id}`)
  }

  async payment(customer: string, partner = '4519001'): Promise<TxnView | undefined> {
    const txns = await this.txns(`kind=payment&customer=${customer}&partner=${partner}`)
    return txns[0]
  }

  resolve(id: string, as: 'paid' | 'reversed', reason = "the biller's book"): Promise<StoryView> {
    return this.post(`/v1/txns/${id}/resolve`, { as, by: 'operator', reason })
  }

  audit(): Promise<AuditView> {
    return this.get('/v1/ledger/audit')
  }

  async balances(partner: string): Promise<Record<string, bigint>> {
    const query = `/v1/ledger/balances?partner=${partner}`
    const { balances } = await this.get<{ balances: BalanceView[] }>(query)
    return Object.fromEntries(balances.map(({ account, balanceMinor }) => [account, balanceMinor]))
  }

  /** Until nothing is open but what waits for a person; in milliseconds, -1 when it took too long. */
  async settled(patienceMs: number, query = ''): Promise<number> {
    const startedMs = performance.now()
    for (;;) {
      const open = await this.txns(`state=open&kind=payment${query}`).catch(() => undefined)
      const tookMs = performance.now() - startedMs
      if (open?.every(({ state }) => state === 'suspect')) return tookMs
      if (tookMs > patienceMs) return -1
      await sleep(50)
    }
  }

  #headers(): Record<string, string> {
    const token = readFileSync(join(this.varFolder, 'admin.token'), 'utf8').trim()
    return { authorization: `Bearer ${token}` }
  }

  async #ask<T>(path: string, init: RequestInit): Promise<T> {
    const response = await fetch(`http://${this.#admin}${path}`, init)
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
    return fromJson(text) as T
  }
}

/** The lab's configuration with three partners, and without simulators of its own. */
function writeConf(folder: string, options: DaemonOptions): void {
  cpSync(join(ROOT, 'conf'), folder, { recursive: true })
  const { billerPort, deposits = [RICH, RICH, 'Rp 60.000.000'] } = options
  const nadi = join(folder, 'nadi.yaml')
  writeFileSync(nadi, readFileSync(nadi, 'utf8').replace(/^lab:\n(?: .*\n)*/m, NO_SIMULATORS))
  const link = join(folder, 'links/pln.yaml')
  writeFileSync(link, readFileSync(link, 'utf8').replace(/^port: .*$/m, `port: ${billerPort}`))
  const entries = PARTNERS.map(({ bank, partner, switcher, terminal }, at) =>
    [
      `${partner}:`,
      `  name: Partner ${at + 1}`,
      `  banks: ['${bank}']`,
      `  switchers: [${switcher}]`,
      `  terminals: [${terminal}]`,
      '  products: [pln-postpaid, pln-prepaid, pln-nontaglis]',
      '  addresses: [127.0.0.0/8, ::1]',
      `  openingDeposit: ${deposits[at]}`,
    ].join('\n'),
  )
  writeFileSync(join(folder, 'partners.yaml'), `${entries.join('\n')}\n`)
}

/** Still a lab: its link over HTTP needs no credentials of its own. */
export const NO_SIMULATORS = 'lab:\n  simulators: []\n'

const RICH = 'Rp 1.000.000.000.000'

/**
 * The switch's payment path with MACs and PIN translation, beside the same without: two switches in
 * this process on one PostgreSQL, taking turns; channel and bank in a process of their own, which
 * makes MACs and PIN blocks as cheaply as it can, checks none, and works as much for both, since it
 * has its share of the same two cores (hsm-path-ends.ts).
 *
 *   with      four MACs and a PIN translation each payment and as many MACs each inquiry
 *   without   the same messages, bare
 *
 *   node --conditions=source bench/hsm-path.ts [--seconds 20] [--json]
 */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rupiah, Secret, SystemClock, SystemRandom } from '#base'
import { wire, type Wired } from '#daemon'
import { PostgresJournal } from '#journal'
import { TcpAcceptor, TcpDialer } from '#net'
import { Database, type EmbeddedServer, startEmbedded } from '#postgres'
import { CardVault, NO_OBSERVER } from '#switch'
import { NO_LOG } from '#telemetry'
import { bankConfig } from '../test/e2e/bank-config.ts'
import { clearKey, formZmk, Ring, startHsm, wrapX } from '../test/switch/zone.ts'
import type { FromEnds, ToEnds } from './hsm-path-ends.ts'

/** Many and short, in turns: a busy moment of the machine hits both. */
const ROUNDS = 7
const WANTED = 0.85
const IN_FLIGHT = 256
/** More than any run can spend. */
const DEPOSIT = rupiah(1_000_000_000_000)
const at = process.argv.indexOf('--seconds')
const seconds = at < 0 ? 20 : Number(process.argv[at + 1])

const clock = new SystemClock()
const random = new SystemRandom()
const folder = mkdtempSync(join(tmpdir(), 'nadi-path-'))
const keys = { zmk: clearKey(), zpk: clearKey(), zak: clearKey() }
const { hsm, end } = await startHsm()
const ring = new Ring()
const zmk = await formZmk(hsm, keys.zmk)
await ring.agree('ZMK', zmk, 'bench')
for (const type of ['ZPK', 'ZAK'] as const) {
  const wrapped = wrapX(keys.zmk, type === 'ZPK' ? keys.zpk : keys.zak)
  await ring.agree(type, await hsm.importKey(type, wrapped, zmk.key), 'bench')
}

const ends = fork(fileURLToPath(new URL('hsm-path-ends.ts', import.meta.url)), [], {
  execArgv: process.execArgv,
})
const ask = (message: ToEnds): Promise<FromEnds> =>
  new Promise((resolve, reject) => {
    ends.once('message', answer => resolve(answer as FromEnds))
    ends.removeAllListeners('exit').once('exit', () => reject(new Error('the ends have ended')))
    ends.send(message)
  })

const server = await startEmbedded({ varFolder: folder, clock, random, log: NO_LOG })
try {
  const { zpk, zak } = keys
  const hex = { zpk: zpk.toString('hex'), zak: zak.toString('hex') }
  const { ports } = await ask({ tag: 'listen', ...hex })
  const ways = [
    { name: 'without', address: await start('bare', bankConfig(ports[0] ?? 0, ''), server) },
    { name: 'with', address: await start('safe', bankConfig(ports[1] ?? 0), server) },
  ]
  const rates: Record<string, number[]> = { without: [], with: [] }
  const ms = (seconds * 1000) / (ROUNDS + 1) / ways.length
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { name, address } of ways) {
      const safe = name === 'with'
      const load = { tag: 'load', address, safe, inFlight: IN_FLIGHT, ms } as const
      const { cycles, failed, tookMs } = await ask(load)
      if (failed > 0) throw new Error(`${failed} payments were not paid (${name})`)
      if (round > 0) rates[name]?.push((cycles * 1000) / tookMs)
    }
  }
  report(rates)
} finally {
  ends.removeAllListeners('exit')
  ends.disconnect()
  await end()
  await server.destroy()
  rmSync(folder, { recursive: true, force: true })
}
process.exit(0)

async function start(
  schema: string,
  config: ReturnType<typeof bankConfig>,
  { connection }: EmbeddedServer,
): Promise<string> {
  const database = await Database.open({ connection, log: NO_LOG, schema })
  const evidenceKey = new Secret(random.bytes(32).slice())
  const parts = { database, node: schema, clock, random, log: NO_LOG, evidenceKey }
  const journal = await PostgresJournal.open(parts)
  const wired = wire(config, {
    clock,
    random,
    log: NO_LOG,
    journal,
    observer: NO_OBSERVER,
    hsm,
    keyring: () => ring,
    vault: new CardVault(new Secret(random.bytes(32).slice()), random),
    dialer: ({ host, port }) => new TcpDialer({ host, port }),
    acceptor: ({ host, port, limits }) =>
      new TcpAcceptor({ host, port, bytesPendingMax: limits.bytesPendingMax }),
  })
  for (const { id } of config.partners.values())
    await wired.switch.deposit(id, DEPOSIT, 'bench', 'opening')
  await linksUp(wired)
  const [listener] = wired.listeners
  return (await listener?.listen())?.address ?? ''
}

async function linksUp({ destinations }: Wired): Promise<void> {
  for (const { link } of destinations.values()) {
    link.start()
    while (!link.ready)
      await new Promise(resolve => {
        setTimeout(resolve, 10)
      })
  }
}

function report(rates: Readonly<Record<string, readonly number[]>>): void {
  const median = (all: readonly number[] = []): number =>
    Math.round(all.toSorted((a, b) => a - b)[all.length >> 1] ?? Number.NaN)
  const perSecond = { with: median(rates['with']), without: median(rates['without']) }
  const ratio = Number((perSecond.with / perSecond.without).toFixed(2))
  if (process.argv.includes('--json'))
    return console.log(JSON.stringify({ perSecond, ratio, wanted: WANTED }))
  const line = (name: string, value: string): void =>
    console.log(`${name.padEnd(42)}${value.padStart(10)}`)
  line('payments, without MACs and PINs', `${perSecond.without}/s`)
  line('payments, with MACs and PINs', `${perSecond.with}/s`)
  line(`with / without, wanted ${WANTED}`, ratio.toFixed(2))
}

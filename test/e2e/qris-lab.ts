import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ApiServer, MemoryRequests, openapi } from '#api'
import { luhnDigit, rupiah, Secret, SystemClock, SystemRandom } from '#base'
import { type Config, loadConfig, placesFrom } from '#config'
import { wire } from '#daemon'
import { MemoryJournal, type Story } from '#journal'
import { TcpAcceptor, TcpDialer } from '#net'
import type { HttpPack, Pack } from '#pack'
import { makeQris, type QrisCode, readQris } from '#qris'
import { Book, HttpBiller, merchantPanOf, SimulatedBiller } from '#sim'
import { CardVault, NO_OBSERVER } from '#switch'
import { ApiClient, type Key } from '../api/client.ts'
import { answerProblems, type Document } from '../api/conforms.ts'
import { ListLog } from '../link/world.ts'

export const ROOT = new URL('../..', import.meta.url).pathname
export const PARTNER = '4519001'
const KEY: Key = { id: 'qris-key', secret: new Secret('a-secret-of-the-partner-for-these-tests') }

/** Spacing of status checks, in tests; five times 15 s in production. */
const SPACING = '30ms'

const NADI = `
node: { name: test-1, number: 0 }
business: { referencePrefix: SWX }
limits: { openMax: 1000, inquiriesMax: 1000, recoveriesMax: 16, askerPatience: 3s, drain: 1s }
data: { evidenceKey: { file: evidence.key } }
admin: { host: 127.0.0.1, port: 0, token: { file: admin.token } }
`
const PARTNERS = `
'${PARTNER}':
  name: A wallet
  banks: ['4519999']
  switchers: [SWX0001]
  terminals: [0LOKET0000000001]
  products: [qris]
  addresses: [127.0.0.0/8]
  api:
    bank: '4519999'
    switcher: SWX0001
    terminal: 0LOKET0000000001
    keys: [{ id: ${KEY.id}, secret: { file: partner.key } }]
`
const LISTENER = `
kind: http
host: 127.0.0.1
port: 8080
answerWait: 3s
signatureWindow: 5m
limits:
  bodyBytesMax: 65536
  headerBytesMax: 16384
  connectionsMax: 64
  connectionsPerPeerMax: 64
  inFlightMax: 64
  inFlightPerPartnerMax: 64
  headersTimeout: 5s
  requestTimeout: 10s
  idleTimeout: 1m
  partnerRate: { perSecond: 2000, burst: 4000 }
  addressRate: { perSecond: 2000, burst: 4000 }
`

export function productFile(more = ''): string {
  return `
qris:
  title: QRIS
  biller: acquirer
  links: [acquirer]
  quote: qris-code
  maximum: Rp 10.000.000
  inquiryTimeout: 500ms
  answerTimeout: 300ms
  recovery: { by: check, attempts: 5, spacing: ${SPACING}, timeout: 300ms }
  reversalWindow: 24h
  fee: { admin: Rp 500, inside: false, shares: { biller: 0, switch: 60, partner: 40 } }
${more}`
}

export const FRAME_LINK = (port: number): string => `
biller: acquirer
pack: qris-1987
host: 127.0.0.1
port: ${port}
identity: { bank: '4519999', partner: '${PARTNER}', switcher: '360002', terminal: A01 }
inFlightMax: 32
dialTimeout: 5s
signOnTimeout: 5s
echoIdle: 30s
echoTimeout: 1s
reconnectMin: 20ms
reconnectMax: 100ms
lateMemory: 10m
lateMemoryMax: 1000
`

export const HTTP_LINK = (port: number, credentials: readonly string[]): string => `
biller: acquirer
pack: qris-snap
url: http://127.0.0.1:${port}
inFlightMax: 32
reconnectMin: 20ms
reconnectMax: 100ms
credentials:
${credentials.map(name => `  ${name}: { env: QRIS_${name} }`).join('\n')}
`

/** What stands in conf/, from its files; or what is wrong with it. */
export function configOf(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): { readonly config: Config } | { readonly problems: readonly { path: string; text: string }[] } {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-qris-'))
  try {
    const all: Readonly<Record<string, string>> = {
      'nadi.yaml': NADI,
      'partners.yaml': PARTNERS,
      'billers.yaml': 'acquirer: { title: An acquirer }\n',
      'products.yaml': productFile(),
      'listeners/partners-http.yaml': LISTENER,
      ...files,
    }
    for (const [name, text] of Object.entries(all)) {
      const path = join(folder, 'conf', name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    }
    mkdirSync(join(folder, 'var'))
    const places = { NADI_CONF: join(folder, 'conf'), NADI_VAR: join(folder, 'var'), ...env }
    return loadConfig(placesFrom(places, ROOT))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const TIMING = { deadlineMs: 300, lateByMs: 30, slowByMs: 50, byteByMs: 0, mergeWaitMs: 5 }

export type QrisLab = Awaited<ReturnType<typeof startQrisLab>>

/** Partner's API, switch, link and a simulated acquirer, on real sockets in this process. */
export async function startQrisLab(
  over: 'qris-1987' | 'qris-snap',
  credentials: Readonly<Record<string, string>> = {},
) {
  const clock = new SystemClock()
  const random = new SystemRandom()
  const log = new ListLog()
  const book = new Book()
  const names = Object.keys(credentials)
  const env = Object.fromEntries(names.map(name => [`QRIS_${name}`, credentials[name] ?? '']))
  const linkTo = (port: number): string =>
    over === 'qris-1987' ? FRAME_LINK(port) : HTTP_LINK(port, names)
  const load = (port: number): Config => {
    const result = configOf({ 'links/acquirer.yaml': linkTo(port) }, env)
    if ('problems' in result) throw new Error(JSON.stringify(result.problems, undefined, 1))
    return result.config
  }
  const packs = load(1)
  const secrets = names.map(name => [name, new Secret(credentials[name] ?? '')] as const)
  const httpPack = packs.httpPacks.get(over)?.with(Object.fromEntries(secrets))
  const common = { clock, random, book, timing: TIMING }
  const biller =
    over === 'qris-1987'
      ? new SimulatedBiller({
          ...common,
          pack: packs.packs.get(over) as Pack,
          acceptor: new TcpAcceptor({ host: '127.0.0.1', port: 0 }),
        })
      : new HttpBiller({
          ...common,
          pack: httpPack as HttpPack,
          host: '127.0.0.1',
          port: 0,
        })
  const port = Number((await biller.listen()).address.split(':')[1])
  const config = load(port)
  const journal = new MemoryJournal({ clock })
  const vault = new CardVault(new Secret(random.bytes(32).slice()), random)
  const wired = wire(config, {
    clock,
    random,
    log,
    journal,
    observer: NO_OBSERVER,
    vault,
    dialer: ({ host, port: to }) => new TcpDialer({ host, port: to }),
    acceptor: () => {
      throw new Error('nobody dials in here')
    },
  })
  for (const { link } of wired.destinations.values()) link.start()
  await wired.switch.deposit(PARTNER, rupiah(1_000_000_000), 'test', 'opening', 'opening')
  const partner = config.partners.get(PARTNER)
  const [api] = config.apis
  if (!partner || !api) throw new Error('the configuration has a partner and an API')
  const server = new ApiServer({
    ...api,
    port: 0,
    tls: undefined,
    version: '0.0.0',
    clock,
    random,
    log,
    journal,
    switch: wired.switch,
    partners: new Map([
      [
        PARTNER,
        {
          ...partner,
          api: {
            bank: '4519999',
            switcher: 'SWX0001',
            terminal: '0LOKET0000000001',
            channel: '6017',
            keys: new Map([[KEY.id, KEY.secret]]),
            certificates: new Set<string>(),
          },
        },
      ],
    ]),
    products: config.products,
    requests: new MemoryRequests(),
    vault,
  })
  const { address } = await server.listen()
  const document = openapi('0.0.0') as Document
  const problems: string[] = []
  const isUp = (): boolean => wired.destinations.get('acquirer')?.up ?? false
  while (!isUp()) await pause(clock)
  return {
    book,
    journal,
    pack: (packs.packs.get(over) ?? httpPack) as Pack | HttpPack,
    /** Everything that switch, link and API logged, at every level. */
    log,
    /** What any answer had against the OpenAPI document. */
    problems,
    client: new ApiClient(address, KEY, (method, target, reply) =>
      problems.push(...answerProblems(document, method, target, reply)),
    ),
    /** All that the journal has of a payment or an inquiry, in order. */
    async storyOf(kind: 'payment' | 'inquiry', id?: bigint): Promise<Story> {
      const rows = await journal.list({ kind, limit: 100 })
      const row = id === undefined ? rows[0] : rows.find(one => one.id === id)
      const story = row && (await journal.story(row.partner, row.id))
      if (!story) throw new Error(`no such ${kind}`)
      return story
    },
    pause: () => pause(clock),
    async close() {
      const soonMs = clock.nowMs() + 1000
      await server.drain(soonMs)
      await Promise.all([...wired.destinations.values()].map(({ link }) => link.drain(soonMs)))
      await biller.close()
      await journal.close()
    },
  }
}

function pause(clock: SystemClock): Promise<void> {
  return new Promise(resolve => {
    clock.at(clock.nowMs() + 5, resolve)
  })
}

// Codes ---------------------------------------------------------------------------------------

/** The static code of a warung, of which the others are made. */
const STATIC = readQris(
  '00020101021126680016ID.CO.CONTOH.WWW011893609999000000001502159000000000000010303UMI51440014ID.CO.QRIS.WWW0215ID10999999999990303UMI5204541153033605802ID5913WARUNG CONTOH6007JAKARTA61051011062070703A016304FF6B',
)

/** A code of the merchant with these digits, whose last three may act out a scenario. */
export function codeOf(number: string, more: Partial<QrisCode> = {}): string {
  const pan = merchantPanOf(number).slice(0, -1)
  const accounts = STATIC.accounts.map(one => ({ ...one, pan }))
  return makeQris({ ...STATIC, accounts, ...more })
}

const CUSTOMER = '936088880000000022'
/** Nobody writes it by accident. */
export const CUSTOMER_PAN = CUSTOMER + luhnDigit(CUSTOMER)
export const CUSTOMER_NAME = 'PELANGGAN UJI EMPAT'

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { localTime, rupiah, Secret, SystemClock, SystemRandom } from '#base'
import { type Config, loadConfig, placesFrom } from '#config'
import { wire } from '#daemon'
import { MemoryJournal } from '#journal'
import type { Message } from '#message'
import type { HttpPack } from '#pack'
import { Book, HttpBiller } from '#sim'
import { NO_OBSERVER } from '#switch'
import { NO_LOG } from '#telemetry'
import { askSwitch } from '../../src/conformance/ask.ts'

/**
 * The house as the configuration builds it, toward a simulated biller that speaks a shipped pack
 * over HTTP and calls back.
 */
const PARTNER = '4519001'
const CREDENTIALS = { username: 'lab', apiKey: 'lab-key', webhookSecret: 'lab-webhook' }

const LINK = (port: number): string => `biller: digiflazz
pack: digiflazz
url: http://127.0.0.1:${port}
inFlightMax: 32
credentials:
  username: { env: DF_USERNAME }
  apiKey: { env: DF_APIKEY }
  webhookSecret: { env: DF_WEBHOOKSECRET }
callback: { listener: callbacks, path: /digiflazz, addresses: [127.0.0.1] }
`
const PRODUCT = (links: string, recovery: string): string => `
pulsa-xl:
  title: XL prepaid
  biller: digiflazz
  links: [${links}]
  maximum: Rp 100.000
  denominations: [Rp 5.000, Rp 10.000]
  inquiryTimeout: 5s
  answerTimeout: 5s
  recovery: ${recovery}
  reversalWindow: 0s
telkom:
  title: Telkom
  biller: digiflazz
  links: [${links}]
  maximum: Rp 10.000.000
  inquiryTimeout: 5s
  answerTimeout: 5s
  recovery: ${recovery}
  reversalWindow: 0s
`

function labConfig(port: number): Config {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-wired-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const conf = join(folder, 'conf')
  cpSync('conf', conf, { recursive: true })
  mkdirSync(join(folder, 'var'))
  const add = (file: string, text: string): void =>
    writeFileSync(join(conf, file), readFileSync(join(conf, file), 'utf8') + text)
  add('products.yaml', PRODUCT('digiflazz', '{ by: check, attempts: 4, spacing: 1s, timeout: 3s }'))
  add('billers.yaml', '\ndigiflazz:\n  title: Digiflazz\n')
  writeFileSync(join(conf, 'links', 'digiflazz.yaml'), LINK(port))
  writeFileSync(
    join(conf, 'listeners', 'callbacks.yaml'),
    'kind: callbacks\nhost: 127.0.0.1\nport: 0\n',
  )
  const env = {
    NADI_CONF: conf,
    NADI_VAR: join(folder, 'var'),
    DF_USERNAME: CREDENTIALS.username,
    DF_APIKEY: CREDENTIALS.apiKey,
    DF_WEBHOOKSECRET: CREDENTIALS.webhookSecret,
  }
  const result = loadConfig(placesFrom(env, '.'))
  if ('problems' in result) throw new Error(result.problems.map(one => one.text).join('\n'))
  return result.config
}

const TIMING = { deadlineMs: 300, lateByMs: 50, slowByMs: 30, byteByMs: 0, mergeWaitMs: 5 }

t.test('a shipped pack, its simulator and the whole switch', async t => {
  const clock = new SystemClock()
  const random = new SystemRandom()
  const places = labConfig(1)
  const credentials = Object.entries(CREDENTIALS).map(([name, value]) => [name, new Secret(value)])
  const pack = places.httpPacks.get('digiflazz')?.with(Object.fromEntries(credentials)) as HttpPack
  // The biller must know where to call before anybody listens there.
  const port = await freePort()
  const book = new Book()
  const biller = new HttpBiller({
    pack,
    host: '127.0.0.1',
    port: 0,
    clock,
    random,
    book,
    callbackUrl: `http://127.0.0.1:${port}/digiflazz`,
    timing: TIMING,
  })
  const { address } = await biller.listen()
  const config = labConfig(Number(address.split(':')[1]))
  const journal = new MemoryJournal({ clock })
  const wired = wire(
    {
      ...config,
      listeners: [],
      links: [],
      callbacks: config.callbacks.map(one => ({ ...one, port })),
    },
    {
      clock,
      random,
      log: NO_LOG,
      journal,
      observer: NO_OBSERVER,
      dialer: () => {
        throw new Error('nothing is dialed here')
      },
      acceptor: () => {
        throw new Error('nobody dials in here')
      },
    },
  )
  for (const listener of wired.callbacks) await listener.listen()
  for (const { link } of wired.destinations.values()) link.start()
  await wired.switch.deposit(PARTNER, rupiah(10_000_000), 'test', 'opening', 'opening')
  t.teardown(async () => {
    for (const listener of wired.callbacks) await listener.drain(clock.nowMs())
    for (const { link } of wired.destinations.values()) await link.drain(clock.nowMs())
    await biller.close()
  })

  const partner = config.partners.get(PARTNER)
  const identity = {
    bank: [...(partner?.banks ?? [])][0] ?? '',
    partner: PARTNER,
    switcher: [...(partner?.switchers ?? [])][0] ?? '',
    terminal: [...(partner?.terminals ?? [])][0] ?? '',
  }
  if (partner)
    Object.assign(partner, { products: new Set([...partner.products, 'pulsa-xl', 'telkom']) })
  let trace = 0
  const ask = async (message: Partial<Message> & Pick<Message, 'kind'>): Promise<Message> => {
    const told = await askSwitch(wired.switch, clock, PARTNER, {
      direction: 'request',
      repeat: false,
      ...identity,
      sentAt: localTime(clock.nowMs()),
      ...message,
      trace: String(++trace),
    })
    if (!told) throw new Error('no answer')
    return told
  }
  /** Not every invented customer owes something: the next one is asked for. */
  const owing = async (product: string, at: number, suffix: number): Promise<Message> => {
    const amount = product === 'pulsa-xl' ? { amountMinor: rupiah(10_000) } : {}
    for (let tries = 0; ; tries++) {
      const id = `9999${10 + tries}${String(at).padStart(3, '0')}${suffix}`
      const told = await ask({ kind: 'inquiry', product, customer: { id }, ...amount })
      if (told.outcome?.meaning === 'approved' || tries === 20) return told
    }
  }
  const pay = (told: Message): Promise<Message> => {
    const { outcome: _, adminMinor: __, ...quote } = told
    return ask({ ...quote, kind: 'payment', direction: 'request' })
  }
  const stateOf = async (customer: string): Promise<string | undefined> =>
    (await journal.list({ kind: 'payment', customer, limit: 1 }))[0]?.tag

  const rows: [suffix: number, product: string, told: string, ends: string, what: string][] = [
    [900, 'pulsa-xl', 'approved', 'paid', 'all well'],
    [900, 'telkom', 'approved', 'paid', 'a bill that is asked for first'],
    [914, 'telkom', 'unknown', 'paid', 'pending although paid: a status check tells'],
    [915, 'telkom', 'unknown', 'declined', 'pending and not paid'],
    [914, 'pulsa-xl', 'unknown', 'paid', 'pending although paid: it is sent again'],
    [915, 'pulsa-xl', 'unknown', 'declined', 'pending and not paid: it is sent again'],
    [961, 'pulsa-xl', 'unknown', 'paid', 'pending: only sending it again tells'],
    [960, 'pulsa-xl', 'unknown', 'paid', 'pending: a callback tells'],
    [962, 'pulsa-xl', 'unknown', 'declined', 'pending and failed: a callback tells'],
    [963, 'pulsa-xl', 'any', 'paid', 'the callback comes first'],
    [964, 'pulsa-xl', 'unknown', 'paid', 'the callback comes twice'],
    [966, 'pulsa-xl', 'unknown', 'suspect', 'pending for ever'],
    [967, 'telkom', 'unknown', 'paid', 'a page of HTML'],
    [961, 'telkom', 'unknown', 'paid', 'pending: only a status check tells'],
    [968, 'telkom', 'unknown', 'paid', 'HTTP 500 after the work'],
    [969, 'telkom', 'unknown', 'declined', 'HTTP 500 and no work'],
    [971, 'telkom', 'unknown', 'paid', 'a redirect'],
  ]
  await Promise.all(
    rows.map(async ([suffix, product, told, ends, what], at) => {
      const quote = await owing(product, at, suffix)
      t.match(quote.outcome, { meaning: 'approved' }, `${suffix} ${what}: quoted`)
      const answer = await pay(quote)
      if (told !== 'any') t.equal(answer.outcome?.meaning, told, `${suffix} ${what}: told`)
      const id = quote.customer?.id ?? ''
      for (let i = 0; (await stateOf(id)) !== ends && i < 1500; i++)
        await new Promise(resolve => setTimeout(resolve, 10))
      t.equal(await stateOf(id), ends, `${suffix} ${what}: ends`)
    }),
  )
  const paid = (await journal.list({ kind: 'payment', state: 'paid', limit: 100 })).length
  t.equal(
    [...book.entries()].filter(({ state }) => state === 'paid').length,
    paid + 1,
    'one is paid that we cannot know of',
  )
  t.equal(
    [...book.entries()].length,
    new Set([...book.entries()].map(({ key }) => key)).size,
    'nothing is paid twice',
  )
  const { problems } = await journal.audit()
  t.strictSame(problems, [])
  await t.resolves(journal.close())
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => {
    server.close(resolve)
  })
  return port
}

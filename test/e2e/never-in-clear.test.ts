import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { openAuditTrail, startAdmin } from '#admin'
import { NadiError, Secret, SystemClock, SystemRandom } from '#base'
import type { PaymentHsm, SoftHsm } from '#hsm'
import type { IsoMessage } from '#iso8583'
import { PostgresJournal } from '#journal'
import { Database, startEmbedded } from '#postgres'
import { type Log, type LogFields, Metrics, NO_LOG } from '#telemetry'
import { clearKey, pinBlock, wrapX } from '../switch/zone.ts'
import type { Card } from './bank-channel.ts'
import { BankLab } from './bank-lab.ts'

// Nobody writes one of these by accident.
const CARD = {
  pan: '4999876501234567',
  pin: '482915730164',
  track2: '4999876501234567=30121019876543210987',
} as const
const UNKNOWN_CARD: Card = { pan: '4999135792468013', pin: '739518264037' }

/** Everything that is logged, at every level. */
class Notebook implements Log {
  readonly lines: string[]
  readonly #fields: LogFields

  constructor(lines: string[] = [], fields: LogFields = {}) {
    this.lines = lines
    this.#fields = fields
  }

  debug = (message: string, fields: LogFields = {}): void => this.#note(message, fields)
  info = (message: string, fields: LogFields = {}): void => this.#note(message, fields)
  warn = (message: string, fields: LogFields = {}): void => this.#note(message, fields)
  error = (message: string, fields: LogFields = {}): void => this.#note(message, fields)

  child(fields: LogFields): Log {
    return new Notebook(this.lines, { ...this.#fields, ...fields })
  }

  #note(message: string, fields: LogFields): void {
    this.lines.push(`${message} ${JSON.stringify({ ...this.#fields, ...fields })}`)
  }
}

/** The ways that a secret of bytes could stand somewhere. */
function waysOf(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes)
  const hex = buffer.toString('hex')
  return [hex, hex.toUpperCase(), buffer.toString('base64').slice(0, -2), buffer.toString('latin1')]
}

/** A text as it is, and in hexadecimal, as rows with bytes in them show it. */
function waysOfText(text: string): string[] {
  return [
    text,
    Buffer.from(text).toString('hex'),
    Buffer.from(text).toString('base64').slice(0, -4),
  ]
}

test('PINs, PIN blocks, keys, card numbers and tracks are nowhere in clear', async t => {
  const clock = new SystemClock()
  const random = new SystemRandom()
  const folder = mkdtempSync(join(tmpdir(), 'nadi-clear-'))
  const server = await startEmbedded({ varFolder: folder, clock, random, log: NO_LOG })
  t.teardown(async () => {
    await server.destroy()
    rmSync(folder, { recursive: true, force: true })
  })
  const log = new Notebook()
  const database = await Database.open({ connection: server.connection, log })
  t.teardown(() => database.close())
  const metrics = new Metrics(clock, { version: '0', node: 'test' })
  const evidenceKey = new Secret(random.bytes(32).slice())
  const parts = { database, node: 'test', clock, random, log, evidenceKey }
  const journal = await PostgresJournal.open(parts)
  t.teardown(() => journal.close())
  let away = false
  const before = (hsm: SoftHsm): PaymentHsm =>
    new Proxy(hsm, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return (...given: unknown[]) =>
          away
            ? Promise.reject(new NadiError('HSM_UNAVAILABLE'))
            : (member as (...given: unknown[]) => unknown).apply(target, given)
      },
    })
  const lab = await BankLab.start({ journal, observer: metrics, log, before })
  t.teardown(() => lab.end())
  const { channel, bank, zones, wired } = lab
  metrics.collect({
    security: () => [...wired.securities].map(([zone, { counts }]) => ({ zone, counts })),
  })
  await lab.issue(CARD.pan, CARD.pin)

  const codes: (string | undefined)[] = []
  const say = async (asked: Promise<IsoMessage | undefined>): Promise<IsoMessage | undefined> => {
    const answer = await asked
    codes.push(answer?.get(39))
    return answer
  }
  const quote = async (customer: string): Promise<IsoMessage> =>
    (await channel.inquire(CARD, customer)) as IsoMessage

  const newKeys = [clearKey(), clearKey(), clearKey(), clearKey()] as const
  await t.test('every way that a message can go', async () => {
    const paid = await say(channel.pay(await quote('9999000001000'), CARD))
    await say(channel.reverse(paid as IsoMessage, CARD))
    await say(channel.pay(await quote('9999000002000'), { ...CARD, pin: '111122223333' }))
    await say(channel.pay(await quote('9999000003000'), UNKNOWN_CARD))
    await say(channel.pay(await quote('9999000004000'), { ...CARD, pin: 'ABCDEF' }))
    await say(channel.inquire(CARD, '8888000001000'))
    const asked = await quote('9999000005000')
    await say(channel.pay(asked, CARD, draft => void draft.set(4, '000000000001')))
    await say(channel.pay(asked, CARD, draft => void draft.remove(128)))
    await say(channel.pay(asked, CARD, draft => void draft.remove(63)))
    await say(channel.pay(asked, CARD, draft => void draft.set(63, 'NONE')))
    codes.push(await channel.give('02', newKeys[0], '000000'))
    codes.push(await channel.give('01', newKeys[1]))
    await say(channel.network('101', draft => draft.set(48, `01${wrapX(newKeys[2], newKeys[3])}`)))
    await bank.give('ZPK', 'FFFFFF')
    await bank.give('ZAK')
    away = true
    await say(channel.pay(asked, CARD))
    away = false
    await say(channel.pay(asked, CARD))
  })

  await t.test('frames that cannot be read, with all of it in them', async t => {
    const { codec } = lab.pack
    const asked = await quote('9999000006000')
    const whole = channel.seal(
      codec
        .parse(asked.frame)
        .draft()
        .remove(39)
        .set(35, CARD.track2)
        .set(52, pinBlock(zones.channel.zpk, CARD.pin, CARD.pan)),
    )
    const request = Buffer.from(whole.toString('latin1').replace(/^0210/, '0200'), 'latin1')
    const spoilt = [
      ...Array.from({ length: 12 }, (_, n) => request.subarray(0, 40 + n * 20)),
      ...[20, 30, 40, 50, 60].map(at => {
        const copy = Buffer.from(request)
        copy[at] = 0x58
        return copy
      }),
      Buffer.concat([request, Buffer.from(CARD.pan)]),
    ]
    for (const frame of spoilt) channel.write(frame)
    // Some are not answered; what comes after all of them is.
    await quote('9999000007000')
    t.equal(channel.secretsHeard, 0, 'not even to who said them')
  })

  const audit = await openAuditTrail(join(folder, 'audit.log'))
  const admin = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    token: new Secret('token'),
    node: { name: 'test', number: 0, version: '0' },
    clock,
    log,
    audit,
    journal,
    switch: wired.switch,
    links: new Map([...wired.destinations].map(([name, { link }]) => [name, link])),
    listeners: new Map(wired.listeners.map(each => [each.name, each])),
    packs: lab.config.packs,
    partners: lab.config.partners,
    products: lab.config.products,
    metrics,
    health: { live: () => [], ready: () => [] },
  })
  t.teardown(async () => {
    await admin.close()
    await audit.close()
  })
  const get = async (path: string): Promise<string> => {
    const headers = { authorization: 'Bearer token' }
    return (await fetch(`http://${admin.address}${path}`, { headers })).text()
  }

  const pages: string[] = [await get('/metrics'), await get('/v1/status')]
  const list = await get('/v1/txns?limit=1000')
  pages.push(list)
  const { txns } = JSON.parse(list) as { txns: { id: string }[] }
  for (const { id } of txns) pages.push(await get(`/v1/txns/${id}`))

  const rows = await database.snapshot(async client => {
    const tables = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    )
    const all: string[] = []
    for (const { name } of tables.rows) {
      const { rows: found } = await client.query<{ row: string }>(
        `SELECT t::text AS row FROM ${name} t`,
      )
      all.push(...found.map(({ row }) => row))
    }
    return all
  })

  const secrets: [string, readonly string[]][] = [
    ['the PIN', [...waysOfText(CARD.pin), ...waysOfText(UNKNOWN_CARD.pin)]],
    ['the card number', [...waysOfText(CARD.pan), ...waysOfText(UNKNOWN_CARD.pan)]],
    ['the track', [...waysOfText(CARD.track2), ...waysOfText(CARD.track2.slice(17))]],
    [
      'the PIN block',
      [zones.channel.zpk, newKeys[1]].flatMap(zpk =>
        waysOf(Buffer.from(pinBlock(zpk, CARD.pin, CARD.pan), 'hex')),
      ),
    ],
    ...[...Object.values(zones.channel), ...Object.values(zones.bank), ...newKeys].map(
      (key, n): [string, readonly string[]] => [`key ${n}`, waysOf(key)],
    ),
    [
      'a key under the ZMK',
      newKeys.slice(0, 2).flatMap(key => waysOfText(wrapX(zones.channel.zmk, key).slice(1))),
    ],
  ]
  const places: [string, readonly string[]][] = [
    ['logs', log.lines],
    ['pages and metrics of the admin API', pages],
    ['rows of the database', rows],
  ]
  t.ok(
    log.lines.length > 10 && txns.length >= 8 && rows.length > 20,
    'there is something to search',
  )
  t.ok(
    ['00', '55', '63', '91', '12'].every(code => codes.includes(code)),
    `every way was gone: ${codes.join(' ')}`,
  )
  for (const [secret, ways] of secrets)
    for (const [place, texts] of places)
      t.same(
        texts.filter(text => ways.some(way => way.length > 6 && text.includes(way))),
        [],
        `${secret} is not in the ${place}`,
      )
})

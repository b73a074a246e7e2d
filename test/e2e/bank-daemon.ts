import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromJson, SystemClock, SystemRandom, toJson } from '#base'
import type { ComponentView, WaitingActView, ZoneKeyView } from '#admin'
import { TcpAcceptor } from '#net'
import type { Pack } from '#pack'
import { BankDoor, Book, CardFile, SimulatedBiller } from '#sim'
import { NO_LOG } from '#telemetry'
import {
  clearKey,
  ecb,
  formZmk,
  oddParity,
  pinBlock,
  Ring,
  startHsm,
  wrapX,
} from '../switch/zone.ts'
import { BankChannel, checkValueOf } from './bank-channel.ts'
import { bankConfig, writeBankConf } from './bank-config.ts'
import type { ClearZone } from './bank-lab.ts'
import { closeFolder, freePort, Started, tempFolder } from './process.ts'

const REASON = 'ticket 4711'
type Operator = 'ani' | 'budi'

/**
 * The real daemon with its own PostgreSQL between a bank's channel and a simulated bank. Its keys
 * come the way that an operator brings them: the ZMK in components, the others under it.
 */
export class BankDaemon {
  readonly bank: BankDoor
  readonly ring: Ring
  readonly zones: Readonly<Record<'channel' | 'bank', ClearZone>>
  readonly #pack: Pack
  readonly #folder: string
  readonly #channelPort: number
  readonly #closing: (() => Promise<void>)[]
  #process: Started | undefined
  #admin = ''
  #commands = 0

  private constructor(made: {
    bank: BankDoor
    ring: Ring
    zones: BankDaemon['zones']
    pack: Pack
    folder: string
    channelPort: number
    closing: (() => Promise<void>)[]
  }) {
    this.bank = made.bank
    this.ring = made.ring
    this.zones = made.zones
    this.#pack = made.pack
    this.#folder = made.folder
    this.#channelPort = made.channelPort
    this.#closing = made.closing
  }

  /** `card` is one that the bank has issued. */
  static async start(card: { pan: string; pin: string }): Promise<BankDaemon> {
    const clock = new SystemClock()
    const random = new SystemRandom()
    const theirs = await startHsm()
    const zones = { channel: clearZone(), bank: clearZone() }
    const ring = new Ring()
    const zmk = await formZmk(theirs.hsm, zones.bank.zmk)
    await ring.agree('ZMK', zmk)
    for (const [type, key] of [
      ['ZPK', zones.bank.zpk],
      ['ZAK', zones.bank.zak],
    ] as const)
      await ring.agree(type, await theirs.hsm.importKey(type, wrapX(zones.bank.zmk, key), zmk.key))
    const pack = bankConfig(1).packs.get('bank-1987') as Pack
    const cards = new CardFile((await theirs.hsm.generateKey('PVK')).key)
    const { pan, pin } = card
    const block = pinBlock(zones.bank.zpk, pin, pan)
    await cards.issue(theirs.hsm, ring.active('ZPK') ?? '', block, 0, pan)
    const bank = new BankDoor({
      pack,
      acceptor: new TcpAcceptor({ host: '127.0.0.1', port: 0 }),
      hsm: theirs.hsm,
      keys: ring,
      cards,
      pinFormat: 0,
      log: NO_LOG,
    })
    const book = new Book()
    const biller = new SimulatedBiller({ pack, acceptor: bank, clock, random, book })
    const { address } = await biller.listen()
    const folder = tempFolder('nadi-bank-e2e-')
    mkdirSync(join(folder, 'var'), { mode: 0o711 })
    const channelPort = await freePort()
    const bankPort = Number(address.split(':')[1])
    writeBankConf(join(folder, 'conf'), { bankPort, channelPort })
    writeOperators(folder)
    const closing = [() => biller.close(), () => theirs.end()]
    const made = new BankDaemon({ bank, ring, zones, pack, folder, channelPort, closing })
    await made.run()
    for (const zone of ['channel', 'bank'] as const) await made.#bringKeys(zone)
    return made
  }

  /** Until it takes partners; again after a `kill`. */
  async run(): Promise<void> {
    const args = ['start', '--set', 'admin.port=0', '--set', 'log.file=nadi.log']
    this.#process = new Started(args, this.#env(), join(this.#folder, 'daemon.out'))
    const [, admin = ''] = await this.#process.ready(/operators +([\d.]+:\d+)/)
    this.#admin = admin
  }

  /** As a machine that loses its power. */
  async kill(): Promise<void> {
    await this.#process?.kill('SIGKILL')
  }

  channel(zone: ClearZone): Promise<BankChannel> {
    return BankChannel.open(this.#pack, this.#channelPort, zone)
  }

  /** A command of an operator, in a process of its own. */
  async nadi(
    line: string,
  ): Promise<{ code: number | NodeJS.Signals; said: string; errors: string }> {
    const errors = join(this.#folder, `command-${++this.#commands}.err`)
    const args = line.split(' ').map(word => word.replaceAll('_', ' '))
    const to = ['--admin', this.#admin, '--token-file', join(this.#folder, 'ani.token')]
    const started = new Started([...args, ...to], this.#env(), errors)
    const code = await started.exited
    return { code, said: started.said, errors: readFileSync(errors, 'utf8') }
  }

  /** What the store says, in PostgreSQL. */
  async keys(query: string): Promise<ZoneKeyView[]> {
    return (await this.#ask<{ keys: ZoneKeyView[] }>('ani', `/v1/keys?${query}`)).keys
  }

  /** The other operator approves all that waits; what came of it. */
  async approve<T>(reason: string): Promise<T[]> {
    const { acts } = await this.#ask<{ acts: WaitingActView[] }>('budi', '/v1/acts')
    const done: T[] = []
    for (const { id } of acts) {
      const path = `/v1/acts/${id}/approve`
      done.push((await this.#ask<{ result: T }>('budi', path, { reason })).result)
    }
    return done
  }

  /** All that it, and the commands, have written but into the database. */
  written(): string {
    const folder = this.#folder
    const files = [
      ...['nadi.log', 'audit.log'].map(name => join(folder, 'var', name)),
      join(folder, 'daemon.out'),
      ...Array.from({ length: this.#commands }, (_, at) => join(folder, `command-${at + 1}.err`)),
    ]
    return files.map(file => readFileSync(file, 'utf8')).join('\n')
  }

  /** What operators prove themselves with. */
  get tokens(): string[] {
    return ['ani', 'budi'].map(name => readFileSync(join(this.#folder, `${name}.token`), 'utf8'))
  }

  get<T>(path: string): Promise<T> {
    return this.#ask<T>('ani', path)
  }

  async end(): Promise<void> {
    await this.#process?.kill('SIGTERM')
    for (const close of this.#closing) await close()
    await closeFolder(this.#folder)
  }

  /** The ZMK in components of two operators; what one puts to use, the other one approves. */
  async #bringKeys(zone: 'channel' | 'bank'): Promise<void> {
    const { zmk, zpk, zak } = this.zones[zone]
    const one = clearKey()
    const two = Buffer.from(zmk.map((byte, at) => byte ^ (one[at] as number)))
    const of = `zone=${zone}&type=ZMK&kind=TDES2&parts=2&reason=ceremony`
    const begun = await this.#ask<ComponentView>('ani', `/v1/key-components?${of}`, one)
    const path = `/v1/key-components/${begun.half.id}?reason=ceremony`
    const { key } = await this.#ask<ComponentView>('budi', path, oddParity(two))
    if (key?.checkValue !== checkValueOf(zmk)) throw new Error('the ZMK is another one')
    await this.#byTwo(`/v1/keys/${key.id}/activate`, {})
    for (const [type, clear] of [
      ['ZPK', zpk],
      ['ZAK', zak],
    ] as const) {
      const wrapped = `X${ecb(zmk, clear).toString('hex').toUpperCase()}`
      const given = { zone, type, wrapped, checkValue: checkValueOf(clear), activate: true }
      await this.#byTwo('/v1/keys/import', given)
    }
  }

  async #byTwo(path: string, body: object): Promise<void> {
    const asked = this.#ask('ani', path, { ...body, reason: REASON })
    const refused = await asked.then(
      () => 'done by one alone',
      (error: Error) => error.message,
    )
    if (!refused.includes('ADMIN_APPROVAL')) throw new Error(refused)
    await this.approve(REASON)
  }

  #env(): Record<string, string> {
    const folder = this.#folder
    return { NADI_VAR: join(folder, 'var'), NADI_CONF: join(folder, 'conf') }
  }

  /** Posts a body, gets without one. */
  async #ask<T>(as: Operator, path: string, body?: Uint8Array | object): Promise<T> {
    const token = readFileSync(join(this.#folder, `${as}.token`), 'utf8')
    const bytes = body instanceof Uint8Array
    const response = await fetch(`http://${this.#admin}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && { 'content-type': `application/${bytes ? 'octet-stream' : 'json'}` }),
      },
      ...(body && { body: bytes ? Buffer.from(body) : toJson(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
    return fromJson(text) as T
  }
}

/** Two operators, each with a token of their own, in place of the lab's one. */
function writeOperators(folder: string): void {
  const lines = (['ani', 'budi'] as const).map(name => {
    const token = randomBytes(32).toString('hex')
    writeFileSync(join(folder, `${name}.token`), token, { mode: 0o600 })
    return `    ${name}: { sha256: ${createHash('sha256').update(token).digest('hex')} }\n`
  })
  const nadi = join(folder, 'conf/nadi.yaml')
  const text = readFileSync(nadi, 'utf8')
  const changed = text.replace(/^  token: .*\n/m, `  operators:\n${lines.join('')}`)
  if (changed === text) throw new Error('conf/nadi.yaml has no token')
  writeFileSync(nadi, changed)
}

function clearZone(): ClearZone {
  return { zmk: clearKey(), zpk: clearKey(), zak: clearKey() }
}

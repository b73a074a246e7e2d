import { Secret, SystemClock, SystemRandom } from '#base'
import type { Config } from '#config'
import { wire, type Wired } from '#daemon'
import type { PaymentHsm, SoftHsm } from '#hsm'
import type { Journal } from '#journal'
import { TcpAcceptor, TcpDialer } from '#net'
import type { Pack } from '#pack'
import { BankDoor, Book, CardFile, SimulatedBiller } from '#sim'
import { CardVault, type Observer } from '#switch'
import type { Log } from '#telemetry'
import { clearKey, formZmk, pinBlock, Ring, startHsm, wrapX } from '../switch/zone.ts'
import { BankChannel } from './bank-channel.ts'
import { bankConfig } from './bank-config.ts'

const PARTNER = '4519001'

/** Keys in clear, which only a test has. */
export type ClearZone = { readonly zmk: Buffer; readonly zpk: Buffer; readonly zak: Buffer }

export type BankLabOptions = {
  readonly journal: Journal
  readonly observer: Observer
  readonly log: Log
  /** Stands before the switch's HSM. */
  readonly before?: (hsm: SoftHsm) => PaymentHsm
}

/**
 * A bank's channel, the switch and a simulated bank, each with its own keys, over real sockets. The
 * switch shares one zone with the channel and another one with the bank.
 */
export class BankLab {
  readonly config: Config
  readonly wired: Wired
  readonly channel: BankChannel
  readonly pack: Pack
  readonly bank: BankDoor
  readonly book: Book
  readonly zones: Readonly<Record<'channel' | 'bank', ClearZone>>
  readonly rings: Readonly<Record<'channel' | 'bank', Ring>>
  readonly #end: () => Promise<void>
  readonly #issue: (pan: string, pin: string) => Promise<void>

  private constructor(made: {
    config: Config
    wired: Wired
    channel: BankChannel
    pack: Pack
    bank: BankDoor
    book: Book
    zones: BankLab['zones']
    rings: BankLab['rings']
    issue: (pan: string, pin: string) => Promise<void>
    end: () => Promise<void>
  }) {
    this.config = made.config
    this.wired = made.wired
    this.channel = made.channel
    this.pack = made.pack
    this.bank = made.bank
    this.book = made.book
    this.zones = made.zones
    this.rings = made.rings
    this.#issue = made.issue
    this.#end = made.end
  }

  static async start({ journal, observer, log, before }: BankLabOptions): Promise<BankLab> {
    const clock = new SystemClock()
    const random = new SystemRandom()
    const ours = await startHsm(log)
    const theirs = await startHsm()
    const zones = { channel: clearZone(), bank: clearZone() }
    const rings = {
      channel: await fill(new Ring(), ours.hsm, zones.channel),
      bank: await fill(new Ring(), ours.hsm, zones.bank),
    }
    const bankRing = await fill(new Ring(), theirs.hsm, zones.bank)

    const config0 = bankConfig(1)
    const pack = config0.packs.get('bank-1987') as Pack
    const cards = new CardFile((await theirs.hsm.generateKey('PVK')).key)
    const bank = new BankDoor({
      pack,
      acceptor: new TcpAcceptor({ host: '127.0.0.1', port: 0 }),
      hsm: theirs.hsm,
      keys: bankRing,
      cards,
      pinFormat: 0,
      log,
    })
    const book = new Book()
    const biller = new SimulatedBiller({ pack, acceptor: bank, clock, random, book })
    const { address } = await biller.listen()
    const config = bankConfig(Number(address.split(':')[1]))
    const wired = wire(config, {
      clock,
      random,
      log,
      journal,
      observer,
      hsm: before?.(ours.hsm) ?? ours.hsm,
      keyring: zone => (zone === 'bank' ? rings.bank : rings.channel),
      vault: new CardVault(new Secret(random.bytes(32).slice()), random),
      dialer: ({ host, port }) => new TcpDialer({ host, port }),
      acceptor: ({ host, port, limits }) =>
        new TcpAcceptor({ host, port, bytesPendingMax: limits.bytesPendingMax }),
    })
    for (const { link } of wired.destinations.values()) link.start()
    const [listener] = wired.listeners
    if (!listener) throw new Error('there is a listener')
    const { address: door } = await listener.listen()
    const amount = config.partners.get(PARTNER)?.openingDepositMinor
    if (amount !== undefined) await wired.switch.deposit(PARTNER, amount, 'test', 'opening')
    await up(wired)
    const channel = await BankChannel.open(pack, Number(door.split(':')[1]), zones.channel)

    const issue = async (pan: string, pin: string): Promise<void> => {
      const zpk = bankRing.active('ZPK') ?? ''
      const { checkValue } = await theirs.hsm.importKey(
        'ZPK',
        wrapX(zones.bank.zmk, zones.bank.zpk),
        bankRing.active('ZMK') ?? '',
      )
      if (checkValue !== bankRing.checkValue('ZPK')) throw new Error('cards are issued first')
      await cards.issue(theirs.hsm, zpk, pinBlock(zones.bank.zpk, pin, pan), 0, pan)
    }
    const end = async (): Promise<void> => {
      channel.end()
      const deadlineMs = clock.nowMs() + 2000
      await Promise.all([
        listener.drain(deadlineMs),
        ...[...wired.destinations.values()].map(({ link }) => link.drain(deadlineMs)),
      ])
      await biller.close()
      await ours.end()
      await theirs.end()
    }
    return new BankLab({ config, wired, channel, pack, bank, book, zones, rings, issue, end })
  }

  /** A card with its PIN, before any key is changed. */
  issue(pan: string, pin: string): Promise<void> {
    return this.#issue(pan, pin)
  }

  end(): Promise<void> {
    return this.#end()
  }
}

function clearZone(): ClearZone {
  return { zmk: clearKey(), zpk: clearKey(), zak: clearKey() }
}

async function fill(ring: Ring, hsm: SoftHsm, { zmk, zpk, zak }: ClearZone): Promise<Ring> {
  const shared = await formZmk(hsm, zmk)
  await ring.agree('ZMK', shared, 'components')
  await ring.agree('ZPK', await hsm.importKey('ZPK', wrapX(zmk, zpk), shared.key), 'import')
  await ring.agree('ZAK', await hsm.importKey('ZAK', wrapX(zmk, zak), shared.key), 'import')
  return ring
}

async function up(wired: Wired): Promise<void> {
  for (const { link } of wired.destinations.values())
    while (!link.ready)
      await new Promise(resolve => {
        setTimeout(resolve, 10)
      })
}

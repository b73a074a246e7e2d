import type { IsoMessage } from '#iso8583'
import type { Pack } from '#pack'
import { oddParity, pinBlock, retailMac, unwrapX, wrapX } from '../switch/zone.ts'
import type { ClearZone } from './bank-lab.ts'
import { framed, Line } from './line.ts'

export type Card = { readonly pan: string; readonly pin: string; readonly track2?: string }

export type Spoil = (draft: ReturnType<IsoMessage['draft']>) => void

const CHECK = Buffer.alloc(8)

/**
 * A bank's channel, written without any of the switch's own cryptography: plain node:crypto over
 * keys in clear. Requests may overlap; answers are matched by type and audit number.
 */
export class BankChannel {
  readonly #pack: Pack
  readonly #line: Line
  readonly #zmk: Buffer
  #zpk: Buffer
  #zak: Buffer[]
  #traces = 100
  readonly #waiting = new Map<string, (answer: IsoMessage | undefined) => void>()
  /** Answers whose MAC did not hold. */
  badMacs = 0
  keysTaken = 0
  /** Answers with a PIN block or a track in them. */
  secretsHeard = 0

  private constructor(pack: Pack, line: Line, { zmk, zpk, zak }: ClearZone) {
    this.#pack = pack
    this.#line = line
    this.#zmk = zmk
    this.#zpk = zpk
    this.#zak = [zak]
  }

  static async open(pack: Pack, port: number, zone: ClearZone): Promise<BankChannel> {
    const channel = new BankChannel(pack, await Line.connect({ host: '127.0.0.1', port }), zone)
    void channel.#listen()
    const answer = await channel.network('001')
    if (answer?.get(39) !== '00') throw new Error('the channel cannot sign on')
    return channel
  }

  end(): void {
    this.#line.end()
  }

  /** The keys as they are now: another channel may go on with them. */
  get zone(): ClearZone {
    return { zmk: this.#zmk, zpk: this.#zpk, zak: this.#zak[0] as Buffer }
  }

  /** A message of the line. */
  network(code: string, more: Spoil = () => {}): Promise<IsoMessage | undefined> {
    const draft = this.#pack.codec
      .create('0800')
      .set(7, '1125120000')
      .set(11, this.#trace())
      .set(41, 'ATM00001')
      .set(42, '000000004519001')
      .set(48, 'SWX0001')
      .set(70, code)
    more(draft)
    return this.raw(Uint8Array.from(draft.build()))
  }

  inquire(card: Card, customer: string, spoil?: Spoil): Promise<IsoMessage | undefined> {
    const draft = this.#request('380000', card).set(48, `SWX0001${customer.padEnd(20)}`)
    return this.#ask(draft, spoil)
  }

  /** Pays what the answer to an inquiry says. */
  pay(quote: IsoMessage, card: Card, spoil?: Spoil): Promise<IsoMessage | undefined> {
    const draft = this.#request('180000', card)
      .set(4, quote.get(4) ?? '')
      .set(37, quote.get(37) ?? '')
      .set(48, quote.get(48) ?? '')
      .set(52, pinBlock(this.#zpk, card.pin, card.pan))
    return this.#ask(draft, spoil)
  }

  /** Takes back what was paid. */
  reverse(paid: IsoMessage, card: Card): Promise<IsoMessage | undefined> {
    const draft = this.#request('180000', card, '0400')
      .set(4, paid.get(4) ?? '')
      .set(37, paid.get(37) ?? '')
      .set(48, paid.get(48) ?? '')
      .set(90, `0200${paid.get(11)}${paid.get(7)}${'451'.padStart(11, '0')}${'0'.repeat(11)}`)
    return this.#ask(draft)
  }

  /** A new key of our making: the switch takes it, or not. */
  async give(mark: '01' | '02', key: Uint8Array, checkValue?: string): Promise<string | undefined> {
    const told = checkValue ?? checkValueOf(key)
    const wrapped = wrapX(this.#zmk, key).slice(1)
    const before = this.#zak
    if (mark === '02') this.#zak = [...before, Buffer.from(key)]
    const answer = await this.network('101', draft => draft.set(48, mark + wrapped + told))
    const code = answer?.get(39)
    if (mark === '02') this.#zak = code === '00' ? [Buffer.from(key), ...before] : before
    else if (code === '00') this.#zpk = Buffer.from(key)
    return code
  }

  /** Bytes as they are; the answer with their audit number. */
  raw(frame: Uint8Array): Promise<IsoMessage | undefined> {
    const { message } = this.#pack.codec.parsePartly(frame)
    const { promise, resolve } = Promise.withResolvers<IsoMessage | undefined>()
    const key = message.get(11) ?? ''
    const timer = setTimeout(() => resolve(undefined), 8000)
    this.#waiting.set(key, answer => {
      clearTimeout(timer)
      resolve(answer)
    })
    this.#line.write(framed(Buffer.from(frame).toString('latin1')))
    return promise
  }

  /** Bytes as they are; nobody waits for an answer. */
  write(frame: Uint8Array): void {
    this.#line.write(framed(Buffer.from(frame).toString('latin1')))
  }

  /** A frame with its MAC. */
  seal(draft: ReturnType<IsoMessage['draft']>): Buffer {
    const out = Buffer.from(draft.set(128, '0'.repeat(16)).build())
    out.set(retailMac(this.#zak[0] as Buffer, out.subarray(0, -8)), out.length - 8)
    return out
  }

  #request(code: string, { pan, track2 }: Card, mti = '0200') {
    const draft = this.#pack.codec
      .create(mti)
      .set(2, pan)
      .set(3, code)
      .set(7, '1125120000')
      .set(11, this.#trace())
      .set(12, '190000')
      .set(13, '1125')
      .set(18, '6011')
      .set(22, '021')
      .set(32, '451')
      .set(37, `6${String(this.#traces).padStart(11, '0')}`)
      .set(41, 'ATM00001')
      .set(42, '000000004519001')
      .set(49, '360')
      .set(63, 'BILL')
    return track2 === undefined ? draft : draft.set(35, track2)
  }

  async #ask(draft: ReturnType<IsoMessage['draft']>, spoil?: Spoil) {
    const sealed = this.seal(draft)
    if (!spoil) return this.raw(sealed)
    const spoilt = this.#pack.codec.parse(sealed).draft()
    spoil(spoilt)
    return this.raw(Uint8Array.from(spoilt.build()))
  }

  async #listen(): Promise<void> {
    for (;;) {
      const frame = await this.#line.next(600_000)
      if (frame === undefined) return
      this.#heard(this.#pack.codec.parse(Buffer.from(frame, 'latin1')))
    }
  }

  #heard(message: IsoMessage): void {
    if (message.mti === '0800') return this.#asked(message)
    if (message.has(52) || message.has(35)) this.secretsHeard++
    if (message.mti !== '0810' && !this.#holds(message)) this.badMacs++
    const key = message.get(11) ?? ''
    this.#waiting.get(key)?.(message)
    this.#waiting.delete(key)
  }

  #holds(message: IsoMessage): boolean {
    const given = message.get(128)
    const data = Buffer.from(message.frame.subarray(0, -8))
    return this.#zak.some(key => retailMac(key, data).toString('hex').toUpperCase() === given)
  }

  /** The switch gives us a key. */
  #asked(message: IsoMessage): void {
    const text = message.get(48) ?? ''
    const key = oddParity(unwrapX(this.#zmk, text.slice(2, 34)))
    const good = message.get(70) === '101' && checkValueOf(key) === text.slice(34)
    if (good && text.startsWith('02')) this.#zak = [key, ...this.#zak]
    if (good && text.startsWith('01')) this.#zpk = key
    if (good) this.keysTaken++
    const copied = message.numbers.filter(number => number !== 48)
    const answer = message
      .answer(copied)
      .set(39, good ? '00' : '12')
      .build()
    this.#line.write(framed(Buffer.from(answer).toString('latin1')))
  }

  #trace(): string {
    return String(++this.#traces).padStart(6, '0')
  }
}

export function checkValueOf(key: Uint8Array): string {
  return ecbText(key)
}

function ecbText(key: Uint8Array): string {
  return wrapX(key, CHECK).slice(1, 7)
}

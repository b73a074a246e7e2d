import { AssertionFailed, errorText } from '#base'
import type { KeyTypeName, PaymentHsm, PinFormat, ZoneKeyring } from '#hsm'
import { type FrameReader, type IsoMessage, isNetwork, isResponse } from '#iso8583'
import { declined, type Reason, respond } from '#message'
import type { Acceptor, Connection, ConnectionHandlers } from '#net'
import type { Pack } from '#pack'
import type { Log } from '#telemetry'
import type { CardFile } from './card-file.ts'

export type BankDoorOptions = {
  readonly pack: Pack
  readonly acceptor: Acceptor
  readonly hsm: PaymentHsm
  /** The bank's own half of the zone: ZMK, ZPK, ZAK. */
  readonly keys: ZoneKeyring
  readonly cards: CardFile
  readonly pinFormat: PinFormat
  readonly log: Log
}

const PIN = 52
const CODE = 70
const KEY = 48
const OUTCOME = 39
const TRACE = 11
const GIVES = '101'
const MARKS: Readonly<Record<string, KeyTypeName>> = { '01': 'ZPK', '02': 'ZAK' }
const CHECK_DIGITS = 6
const MAC_BYTES = 8

/**
 * What a bank does before its biller (biller.ts) sees a request: retail MAC of eight bytes over the
 * message in its last element, PIN by PVV, keys in DE48 (0800, DE70 101). It stands between socket
 * and biller, so the biller knows nothing of it; and it is written anew, not shared with the switch
 * that it is there to test.
 *
 *   socket ─▶ MAC ─▶ PIN ─▶ biller ─▶ MAC ─▶ socket
 *              └ 63    └ 55
 */
export class BankDoor implements Acceptor {
  /** What becomes of a key that the switch gives; `unanswered`: it is taken, and nobody says so. */
  keysGiven: 'taken' | 'refused' | 'unanswered' = 'taken'
  readonly counts = { macs: 0, badMacs: 0, pins: 0, wrongPins: 0, keys: 0, refusedKeys: 0 }
  readonly #options: BankDoorOptions
  readonly #open = new Set<Connection>()
  readonly #waiting = new Map<string, (taken: boolean) => void>()
  #traces = 0

  constructor(options: BankDoorOptions) {
    this.#options = options
  }

  listen(admit: (connection: Connection) => ConnectionHandlers): Promise<{ address: string }> {
    return this.#options.acceptor.listen(connection => this.#admit(connection, admit))
  }

  close(): Promise<void> {
    return this.#options.acceptor.close()
  }

  /** Gives the switch a new key over whatever line is open; true when it was taken. */
  async give(type: 'ZPK' | 'ZAK', checkValue?: string): Promise<boolean> {
    const { hsm, keys, pack } = this.#options
    const made = await hsm.generateKey(type)
    const out = await hsm.exportKey(made.key, keys.active('ZMK') ?? '', 'X')
    const [mark] = Object.entries(MARKS).find(([, one]) => one === type) ?? ['']
    const trace = String(++this.#traces).padStart(6, '0')
    const frame = pack.codec
      .create('0800')
      .set(7, '1125000000')
      .set(TRACE, trace)
      .set(KEY, mark + out.key.slice(1) + (checkValue ?? out.checkValue))
      .set(CODE, GIVES)
      .build()
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.#waiting.set(trace, resolve)
    // What comes under it from now on is theirs: they may use it before their answer is read.
    this.#promised = { type, key: made.key }
    for (const connection of [...this.#open].slice(0, 1))
      connection.write(pack.framing.wrap(Uint8Array.from(frame)))
    const taken = await promise
    if (taken) await keys.agree(type, made, { by: 'bank', why: 'given' })
    this.#promised = undefined
    return taken
  }

  #promised: { readonly type: KeyTypeName; readonly key: string } | undefined

  #admit(
    connection: Connection,
    admit: (connection: Connection) => ConnectionHandlers,
  ): ConnectionHandlers {
    const { framing } = this.#options.pack
    const reader = framing.reader()
    const answers = framing.reader()
    const handlers = admit(this.#behind(connection, answers))
    this.#open.add(connection)
    return {
      onData: chunk => {
        reader.push(chunk, frame => {
          this.#later(() => this.#take(connection, handlers, Uint8Array.from(frame)))
        })
      },
      onClose: reason => {
        this.#open.delete(connection)
        handlers.onClose(reason)
      },
    }
  }

  /** The connection as the biller sees it: what it writes gets its MAC first. */
  #behind(connection: Connection, answers: FrameReader): Connection {
    return {
      get peer() {
        return connection.peer
      },
      get bytesPending() {
        return connection.bytesPending
      },
      write: bytes => {
        answers.push(bytes, frame => {
          const answer = Uint8Array.from(frame)
          this.#later(() => this.#say(connection, answer))
        })
        return true
      },
      pause: () => connection.pause(),
      resume: () => connection.resume(),
      end: () => connection.end(),
      destroy: reason => connection.destroy(reason),
    }
  }

  #later(step: () => Promise<void>): void {
    step().catch((error: unknown) => {
      if (error instanceof AssertionFailed) throw error
      this.#options.log.error('the bank cannot do that', { error: errorText(error) })
    })
  }

  async #take(
    connection: Connection,
    handlers: ConnectionHandlers,
    frame: Uint8Array,
  ): Promise<void> {
    const { pack } = this.#options
    const { message, error } = pack.codec.parsePartly(frame)
    if (!error && isNetwork(message.mti)) {
      if (isResponse(message.mti)) return this.#answered(message)
      if (message.get(CODE) === GIVES) return this.#keyGiven(connection, message)
    } else if (!error) {
      const why = await this.#refuses(message)
      if (why) return this.#refuse(connection, this.#plain(message), why)
      return handlers.onData(pack.framing.wrap(this.#plain(message)))
    }
    handlers.onData(pack.framing.wrap(frame))
  }

  async #refuses(message: IsoMessage): Promise<Reason | undefined> {
    if (!(await this.#macHolds(message))) {
      this.counts.badMacs++
      return 'security-invalid'
    }
    this.counts.macs++
    const block = message.get(PIN)
    if (message.get(3) !== '180000' || message.mti !== '0200')
      return block === undefined || message.mti === '0200' ? undefined : 'format-error'
    if (block === undefined) return 'pin-wrong'
    this.counts.pins++
    const { cards, hsm, pinFormat } = this.#options
    for (const key of this.#accepted('ZPK')) {
      const verdict = await cards.verify(hsm, key, block, pinFormat, message.get(2) ?? '')
      if (verdict === 'right') return undefined
      if (verdict === 'card-unknown') return verdict
    }
    this.counts.wrongPins++
    return 'pin-wrong'
  }

  async #macHolds(message: IsoMessage): Promise<boolean> {
    const field = message.numbers.at(-1) ?? 0
    const raw = message.raw(field)
    if ((field !== 64 && field !== 128) || !raw) return false
    const { frame } = message
    const data = Uint8Array.from(frame.subarray(0, frame.length - raw.length))
    const mac = Uint8Array.from(Buffer.from(message.get(field) ?? '', 'hex'))
    for (const key of this.#accepted('ZAK'))
      if (await this.#options.hsm.verifyMac({ key, ...MAC, data, mac })) return true
    return false
  }

  /** The frame without what is ours alone. */
  #plain(message: IsoMessage): Uint8Array {
    return Uint8Array.from(message.draft().remove(PIN).remove(64).remove(128).build())
  }

  async #refuse(connection: Connection, frame: Uint8Array, why: Reason): Promise<void> {
    const { pack } = this.#options
    const read = pack.read(frame)
    if (read.tag === 'reject') return
    await this.#say(connection, pack.write(respond(read.message, declined(why))))
  }

  async #say(connection: Connection, frame: Uint8Array): Promise<void> {
    const { pack, hsm, keys } = this.#options
    const message = pack.codec.parse(frame)
    const sealed = isNetwork(message.mti)
      ? frame
      : await (async () => {
          const room = message.draft().set(128, '0'.repeat(16)).build()
          const out = Buffer.from(room)
          const data = Uint8Array.from(out.subarray(0, -MAC_BYTES))
          const key = keys.active('ZAK') ?? ''
          const mac = await hsm.generateMac({ key, ...MAC, data })
          out.set(mac, out.length - MAC_BYTES)
          return out
        })()
    connection.write(pack.framing.wrap(sealed))
  }

  async #keyGiven(connection: Connection, message: IsoMessage): Promise<void> {
    const { hsm, keys, pack } = this.#options
    const text = message.get(KEY) ?? ''
    const type = MARKS[text.slice(0, 2)]
    const told = text.slice(-CHECK_DIGITS)
    const wrapped = text.slice(2, -CHECK_DIGITS)
    let taken = false
    if (type && this.keysGiven !== 'refused') {
      const made = await hsm.importKey(type, `X${wrapped}`, keys.active('ZMK') ?? '')
      taken = made.checkValue === told
      if (taken) await keys.agree(type, made, { by: 'bank', why: 'taken' })
    }
    this.counts[taken ? 'keys' : 'refusedKeys']++
    if (this.keysGiven === 'unanswered') return
    const copied = message.numbers.filter(number => number !== KEY)
    const answer = message
      .answer(copied)
      .set(OUTCOME, taken ? '00' : '12')
      .build()
    connection.write(pack.framing.wrap(Uint8Array.from(answer)))
  }

  #answered(message: IsoMessage): void {
    const trace = message.get(TRACE) ?? ''
    this.#waiting.get(trace)?.(message.get(OUTCOME) === '00')
    this.#waiting.delete(trace)
  }

  #accepted(type: KeyTypeName): readonly string[] {
    const promised = this.#promised?.type === type ? [this.#promised.key] : []
    return [...this.#options.keys.accepted(type), ...promised]
  }
}

const MAC = { algorithm: 'retail', padding: 1, macBytes: MAC_BYTES } as const

import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { Loaded, LoadOptions } from './load.ts'

const PATIENCE_MS = 30_000
const END_OF_HEAD = '\r\n\r\n'
const LENGTH = 'content-length: '
const ID = '"id":"'
const ID_CHARS = 12
const AMOUNT = '"amount":{"value":"'

export type HttpLoadOptions = LoadOptions & {
  /** Signs what it asks (docs/partner-api.md). */
  readonly key: { readonly keyId: string; readonly secret: string }
}

/** Customers are never asked twice in one run of the benchmark. */
let customers = 0
let serials = 0

/**
 * Partners of the HTTP API, as cheap as they can be made: exactly `inFlight` cycles on their way, each
 * an inquiry and the payment of what it quoted, one connection each, HTTP/1.1 written and read by
 * hand. Every answer is checked to be the one that is owed.
 */
export function httpLoad({ key, ...options }: HttpLoadOptions): Promise<Loaded> {
  const desk = new Desk(options.address, key)
  return new Lanes(options, (lane, text, bodyAt) => desk.next(lane, text, bodyAt)).run()
}

/** The same lanes over a server that says again what it hears: two exchanges are a cycle. */
export function echoLoad(options: LoadOptions & { readonly body: string }): Promise<Loaded> {
  const { address, body } = options
  const asked = `${headOf('/echo', address)}content-length: ${Buffer.byteLength(body)}${END_OF_HEAD}${body}`
  const next: Next = (lane, text, bodyAt) => {
    if (text !== undefined && text.slice(bodyAt) !== body) throw new Error('no echo')
    if (text === undefined) lane.paying = false
    else if (lane.paying) return undefined
    else lane.paying = true
    return asked
  }
  return new Lanes(options, next).run()
}

type Lane = {
  readonly socket: Socket
  rest: string
  fromMs: number
  paying: boolean
  inquiry: string
  amount: string
}

/** What a lane asks next; of the answer to what it asked before, if it asked. Undefined: a cycle is done. */
type Next = (lane: Lane, text: string | undefined, bodyAt: number) => string | undefined

function headOf(target: string, address: string): string {
  return `POST ${target} HTTP/1.1\r\nhost: ${address}\r\ncontent-type: application/json\r\n`
}

/** What is asked and what must be answered. */
class Desk {
  readonly #keyId: string
  readonly #key: KeyObject
  readonly #inquiryHead: string
  readonly #paymentHead: string
  readonly #run = Date.now().toString(36)

  constructor(address: string, { keyId, secret }: HttpLoadOptions['key']) {
    this.#keyId = keyId
    this.#key = createSecretKey(secret, 'utf8')
    this.#inquiryHead = headOf('/v1/inquiries', address)
    this.#paymentHead = headOf('/v1/payments', address)
  }

  next(lane: Lane, text: string | undefined, bodyAt: number): string | undefined {
    if (text === undefined) return this.#inquiry(lane)
    if (!text.startsWith('201', 9)) throw new Error(`it was answered ${text}`)
    return lane.paying ? paid(lane, text) : this.#payment(lane, text, bodyAt)
  }

  #inquiry(lane: Lane): string {
    lane.paying = false
    // Numbers that end in 900 to 999 act out troubles.
    const customer = 999_900_000_000 + Math.floor(customers / 900) * 1000 + (customers % 900)
    customers++
    const body = `{"product":"pln-postpaid","customer":{"id":"${customer}"}}`
    return this.#signed(this.#inquiryHead, '/v1/inquiries', '', body)
  }

  #payment(lane: Lane, text: string, bodyAt: number): string {
    const idAt = text.indexOf(ID, bodyAt) + ID.length
    // The bills have amounts too; that of all of them stands behind.
    const amountAt = text.lastIndexOf(AMOUNT) + AMOUNT.length
    lane.inquiry = text.slice(idAt, idAt + ID_CHARS)
    lane.amount = text.slice(amountAt, text.indexOf('"', amountAt))
    lane.paying = true
    const body = `{"inquiry":"${lane.inquiry}","amount":{"value":"${lane.amount}","currency":"IDR"}}`
    const key = `${this.#run}-${lane.inquiry}`
    return this.#signed(
      `${this.#paymentHead}idempotency-key: ${key}\r\n`,
      '/v1/payments',
      key,
      body,
    )
  }

  #signed(head: string, target: string, key: string, body: string): string {
    const time = Math.floor(Date.now() / 1000)
    const nonce = `${this.#run}-${++serials}`
    const text = `nadi-hmac-sha256\nPOST\n${target}\n${time}\n${nonce}\n${key}\n${hash('sha256', body)}`
    const signature = createHmac('sha256', this.#key).update(text).digest('base64')
    return (
      `${head}authorization: Nadi-HMAC-SHA256 key="${this.#keyId}", time="${time}", ` +
      `nonce="${nonce}", signature="${signature}"\r\n${LENGTH}${body.length}${END_OF_HEAD}${body}`
    )
  }
}

function paid({ inquiry, amount }: Lane, text: string): undefined {
  const good =
    text.includes('"state":"paid"') &&
    text.includes(`"inquiry":"${inquiry}"`) &&
    text.startsWith(amount, text.lastIndexOf(AMOUNT) + AMOUNT.length)
  if (!good) throw new Error(`the payment of ${inquiry} was answered ${text}`)
}

class Lanes {
  readonly #options: LoadOptions
  readonly #next: Next
  readonly #lanes: Lane[]
  readonly #done = Promise.withResolvers<void>()
  readonly #timesMs: number[] = []
  #fromMs = 0
  #untilMs = Infinity
  #toBegin = Infinity
  #running = 0
  #all = 0
  #lastMs = 0

  constructor(options: LoadOptions, next: Next) {
    this.#options = options
    this.#next = next
    const [host, port] = options.address.split(':') as [string, string]
    this.#lanes = Array.from({ length: options.inFlight }, () => ({
      socket: connect({ host, port: Number(port), noDelay: true }).setEncoding('latin1'),
      rest: '',
      fromMs: 0,
      paying: false,
      inquiry: '',
      amount: '',
    }))
  }

  async run(): Promise<Loaded> {
    const { seconds, cycles } = this.#options
    const watch = setInterval(() => this.#watch(), 1000)
    try {
      await this.#connected()
      const nowMs = performance.now()
      // As load.ts: a tenth of the time goes by before counting begins.
      this.#fromMs = seconds === undefined ? nowMs : nowMs + seconds * 100
      if (seconds !== undefined) this.#untilMs = this.#fromMs + seconds * 1000
      if (cycles !== undefined) this.#toBegin = cycles
      for (const lane of this.#lanes) this.#begin(lane, nowMs)
      await this.#done.promise
    } finally {
      clearInterval(watch)
      for (const { socket } of this.#lanes) socket.destroy()
    }
    const endMs = Math.min(this.#lastMs, this.#untilMs)
    const timesMs = this.#timesMs
    return { cycles: timesMs.length, allCycles: this.#all, tookMs: endMs - this.#fromMs, timesMs }
  }

  async #connected(): Promise<void> {
    const connected = this.#lanes.map(
      lane =>
        new Promise<void>((resolve, reject) => {
          lane.socket.once('connect', resolve)
          lane.socket.on('error', reject)
          lane.socket.on('close', () => this.#done.reject(new Error('the server hung up')))
          lane.socket.on('data', (chunk: string) => this.#read(lane, chunk))
        }),
    )
    await Promise.race([Promise.all(connected), this.#done.promise])
  }

  #begin(lane: Lane, nowMs: number): void {
    if (nowMs >= this.#untilMs || this.#toBegin === 0) return
    this.#toBegin--
    this.#running++
    lane.fromMs = nowMs
    lane.socket.write(this.#next(lane, undefined, 0) ?? '', 'latin1')
  }

  #read(lane: Lane, chunk: string): void {
    const text = lane.rest === '' ? chunk : lane.rest + chunk
    const headEnd = text.indexOf(END_OF_HEAD)
    const lengthAt = text.indexOf(LENGTH) + LENGTH.length
    const bodyAt = headEnd + END_OF_HEAD.length
    const length = headEnd < 0 ? Infinity : Number.parseInt(text.slice(lengthAt, lengthAt + 8), 10)
    if (headEnd < 0 || text.length < bodyAt + length) {
      lane.rest = text
      return
    }
    lane.rest = ''
    try {
      if (text.length > bodyAt + length) throw new Error('more was answered than asked')
      this.#answered(lane, text, bodyAt)
    } catch (error) {
      this.#done.reject(error)
    }
  }

  #answered(lane: Lane, text: string, bodyAt: number): void {
    const nowMs = performance.now()
    this.#lastMs = nowMs
    const asked = this.#next(lane, text, bodyAt)
    if (asked !== undefined) return void lane.socket.write(asked, 'latin1')
    this.#running--
    this.#all++
    if (nowMs >= this.#fromMs && nowMs <= this.#untilMs) this.#timesMs.push(nowMs - lane.fromMs)
    this.#begin(lane, nowMs)
    if (this.#running === 0) this.#done.resolve()
  }

  #watch(): void {
    if (this.#lastMs > 0 && performance.now() - this.#lastMs > PATIENCE_MS)
      this.#done.reject(new Error(`no answer for ${PATIENCE_MS} ms`))
  }
}

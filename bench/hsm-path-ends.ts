/**
 * The two ends of hsm-path.ts: a bank that answers every request, with a MAC or without, and a
 * channel that keeps so many payments on their way, each after its inquiry. They make as many MACs
 * either way, and without only throw them away: what differs is the switch's own work.
 */
import { createCipheriv } from 'node:crypto'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { loadPacks } from '#config'
import type { IsoMessage } from '#iso8583'
import { APPROVED, type Message, respond } from '#message'
import type { Pack } from '#pack'
import { rupiah } from '#base'
import { retailMac } from './hsm-by-hand.ts'

export type ToEnds =
  | { readonly tag: 'listen'; readonly zpk: string; readonly zak: string }
  | {
      readonly tag: 'load'
      readonly address: string
      readonly safe: boolean
      readonly inFlight: number
      readonly ms: number
    }
export type FromEnds = {
  readonly ports: readonly number[]
  readonly cycles: number
  readonly failed: number
  /** Until the last one was answered. */
  readonly tookMs: number
}

const PAN = '4999111122223333'
const pack = loadPacks(join(import.meta.dirname, '../protocols')).packs.get('bank-1987') as Pack
const { codec, framing } = pack
let macOf: (data: Uint8Array) => Buffer = () => Buffer.alloc(8)
let block = ''
let customers = 0

process.on('message', message => {
  void take(message as ToEnds).then(answer => process.send?.(answer))
})
process.on('disconnect', () => process.exit(0))

async function take(message: ToEnds): Promise<FromEnds> {
  if (message.tag === 'load') return load(message)
  macOf = retailMac(Buffer.from(message.zak, 'hex'))
  const clear = Buffer.from('041234FFFFFFFFFF', 'hex')
  const account = Buffer.from(`0000${PAN.slice(-13, -1)}`, 'hex')
  const field = Buffer.from(clear.map((byte, at) => byte ^ (account[at] as number)))
  const zpk = Buffer.from(message.zpk, 'hex')
  const cipher = createCipheriv('des-ede-ecb', zpk, null).setAutoPadding(false)
  block = cipher.update(field).toString('hex')
  return { ports: [await bank(false), await bank(true)], cycles: 0, failed: 0, tookMs: 0 }
}

function bank(safe: boolean): Promise<number> {
  const server = createServer({ noDelay: true }, socket => {
    onFrames(socket, frame => {
      const asked = codec.parse(frame)
      const read = pack.read(plain(asked))
      if (read.tag === 'reject') throw read.reject.error
      const answer = pack.write(answerTo(read.message))
      socket.write(framing.wrap(asked.mti.startsWith('08') ? answer : withMac(answer, safe)))
    })
  })
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

function answerTo(message: Message): Message {
  if (message.kind === 'inquiry')
    return respond(message, APPROVED, {
      amountMinor: rupiah(125_000),
      adminMinor: rupiah(0),
      customer: { ...message.customer, name: 'PELANGGAN UJI' },
      reference: { ...message.reference, switching: `BANK${message.trace}`.padEnd(32, '0') },
    })
  return respond(message, APPROVED, { settlementDate: message.sentAt.slice(0, 8) })
}

async function load({ address, safe, inFlight, ms }: ToEnds & { tag: 'load' }): Promise<FromEnds> {
  const [host, port] = address.split(':') as [string, string]
  const socket = connect({ host, port: Number(port), noDelay: true })
  const waiting = new Map<string, (answer: IsoMessage) => void>()
  onFrames(socket, frame => {
    const answer = codec.parse(frame)
    const trace = answer.get(11) ?? ''
    waiting.get(trace)?.(answer)
    waiting.delete(trace)
  })
  let traces = 0
  const ask = (fill: (draft: ReturnType<typeof codec.create>) => void, mti = '0200') =>
    new Promise<IsoMessage>(resolve => {
      const trace = String(++traces).padStart(6, '0')
      waiting.set(trace, resolve)
      const draft = codec.create(mti).set(7, '1125120000').set(11, trace)
      fill(draft.set(41, 'ATM00001').set(42, '000000004519001'))
      const frame = draft.build()
      socket.write(framing.wrap(mti === '0200' ? withMac(frame, safe) : frame))
    })
  const signedOn = await ask(draft => void draft.set(48, 'SWX0001').set(70, '001'), '0800')
  if (signedOn.get(39) !== '00') throw new Error('the channel cannot sign on')

  let cycles = 0
  let failed = 0
  const startMs = performance.now()
  const endMs = startMs + ms
  const lane = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const customer = String(9_999_000_000_000 + ++customers * 1000)
      const quote = await ask(draft =>
        business(draft, '380000').set(48, `SWX0001${customer.padEnd(20)}`),
      )
      const paid = await ask(draft => {
        business(draft, '180000')
          .set(4, quote.get(4) ?? '')
          .set(37, quote.get(37) ?? '')
          .set(48, quote.get(48) ?? '')
        if (safe) draft.set(52, block)
      })
      if (paid.get(39) === '00') cycles++
      else failed++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  socket.destroy()
  return { ports: [], cycles, failed, tookMs: performance.now() - startMs }
}

function business(draft: ReturnType<typeof codec.create>, code: string) {
  return draft
    .set(2, PAN)
    .set(3, code)
    .set(12, '190000')
    .set(13, '1125')
    .set(18, '6011')
    .set(22, '021')
    .set(32, '451')
    .set(37, '632919000001')
    .set(49, '360')
    .set(63, 'BILL')
}

function plain(message: IsoMessage): Uint8Array {
  if (!message.has(52) && !message.has(128)) return message.frame
  return Uint8Array.from(message.draft().remove(52).remove(128).build())
}

/** The frame with its MAC; or as it is, after as much work. */
function withMac(frame: Uint8Array, safe: boolean): Uint8Array {
  const out = codec.parse(frame).draft().set(128, '0'.repeat(16)).build()
  const covered = out.length - 8
  const padded = Buffer.alloc(Math.ceil(covered / 8) * 8)
  padded.set(out.subarray(0, covered))
  out.set(macOf(padded), covered)
  return safe ? out : frame
}

function onFrames(socket: Socket, take: (frame: Uint8Array) => void): void {
  const reader = framing.reader()
  socket.on('error', () => {})
  socket.on('data', chunk => reader.push(chunk, frame => take(Uint8Array.from(frame))))
}

import { fileURLToPath } from 'node:url'
import { loadPacks } from '../src/config/packs.ts'
import { type LocalTime, localTime } from '#base'
import { type Message } from '#message'

/**
 * The partner's frames, cut from templates and patched in place, so that the load costs next to
 * nothing beside what is measured. Positions count from the start of the body (pln-2003-111):
 *
 *     2100 asks      0 MTI  4 bitmap  20 product  27 trace  39 sentAt  53 channel  57 bank  66 partner
 *                    75 terminal  91 length  94 switcher  101 customer  113
 *     2110 answers   … 27 amount  43 trace  55 sentAt … 91 code  95 terminal  111 length  114 switcher
 *                    121 customer  133 bills  134 outstanding, reference, name … and the bills
 *     2200 pays      … 27 amount  43 trace  55 sentAt … 91 terminal  107 length  110 switcher
 *                    117 customer  129 bills  130 bills paid  131 as the answer from 134 on
 *     2210 answers   … 43 trace … 99 code
 */
const { packs } = loadPacks(fileURLToPath(new URL('../protocols', import.meta.url)))
const pack = packs.get('pln-2003-111')
if (!pack) throw new Error('the pack pln-2003-111 does not load')
const { write, read } = { write: pack.write.bind(pack), read: pack.read.bind(pack) }

const IDENTITY = {
  bank: '4519999',
  partner: '4519001',
  switcher: 'SWX0001',
  terminal: '0LOKET0000000001',
} as const

const TRACE_DIGITS = 12
const HEADER_BYTES = 2
const FRAME_BYTES_MAX = 1024

const QUOTED = '211050300041828100000599501'
const PAID = '221050320041828100000599501'

/** What one lane of the load sends: its own two frames, and the place of its own number in the trace. */
export type LaneFrames = {
  readonly inquiry: Buffer
  readonly payment: Buffer
}

export function signOnFrame(): Buffer {
  return framed(write({ ...request('sign-on'), trace: '' }))
}

export function laneFrames(): LaneFrames {
  const inquiry = framed(
    write({ ...request('inquiry'), channel: '6021', product: 'pln-postpaid', customer: CUSTOMER }),
  )
  const payment = Buffer.alloc(FRAME_BYTES_MAX)
  // A payment stands as its inquiry, but for the amount (16 bytes) before the trace.
  payment.write('2200', HEADER_BYTES, 'latin1')
  payment.write('5030004180810000', HEADER_BYTES + 4, 'latin1')
  inquiry.copy(payment, HEADER_BYTES + 20, HEADER_BYTES + 20, HEADER_BYTES + 27)
  inquiry.copy(payment, HEADER_BYTES + 43, HEADER_BYTES + 27, HEADER_BYTES + 91)
  return { inquiry, payment }
}

const CUSTOMER = { id: '999900001000' }

function request(kind: Message['kind']): Message {
  const head = { kind, direction: 'request', repeat: false, trace: '000000000000' } as const
  return { ...head, sentAt: localTime(Date.now()), ...IDENTITY }
}

function framed(body: Uint8Array): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + body.length)
  frame.writeUInt16BE(body.length)
  frame.set(body, HEADER_BYTES)
  return frame
}

/** A trace that tells whose it is: four digits of the lane, eight of the request. */
export function ask(
  { inquiry }: LaneFrames,
  lane: number,
  serial: number,
  sentAt: LocalTime,
  customer: number,
): Buffer {
  writeDigits(inquiry, HEADER_BYTES + 27, lane, 4)
  writeDigits(inquiry, HEADER_BYTES + 31, serial, 8)
  inquiry.write(sentAt, HEADER_BYTES + 39, 'latin1')
  // Numbers that end in 900 to 999 act out troubles; nobody of the others is asked twice.
  writeDigits(inquiry, HEADER_BYTES + 105, Math.floor(customer / 900), 5)
  writeDigits(inquiry, HEADER_BYTES + 110, customer % 900, 3)
  return inquiry
}

/** The payment of what an inquiry was answered, `at` in `bytes`. */
export function pay(
  { payment }: LaneFrames,
  lane: number,
  serial: number,
  sentAt: LocalTime,
  bytes: Buffer,
  at: number,
  end: number,
): Buffer {
  bytes.copy(payment, HEADER_BYTES + 27, at + 27, at + 43)
  writeDigits(payment, HEADER_BYTES + 43, lane, 4)
  writeDigits(payment, HEADER_BYTES + 47, serial, 8)
  payment.write(sentAt, HEADER_BYTES + 55, 'latin1')
  const told = end - at - 114
  writeDigits(payment, HEADER_BYTES + 107, told + 1, 3)
  bytes.copy(payment, HEADER_BYTES + 110, at + 114, at + 134)
  payment[HEADER_BYTES + 130] = bytes[at + 133] as number
  bytes.copy(payment, HEADER_BYTES + 131, at + 134, end)
  payment.writeUInt16BE(131 + end - at - 134)
  return payment.subarray(0, HEADER_BYTES + 131 + end - at - 134)
}

/** Which answer it is; anything but an approval ends the run with what was told instead. */
export function answerTo(bytes: Buffer, at: number, end: number): 'signed-on' | 'quoted' | 'paid' {
  const head = bytes.toString('latin1', at, at + 27)
  if (head === QUOTED && bytes.toString('latin1', at + 91, at + 95) === '0000') return 'quoted'
  if (head === PAID && bytes.toString('latin1', at + 99, at + 103) === '0000') return 'paid'
  const told = read(Uint8Array.from(bytes.subarray(at, end)))
  if (told.tag === 'reject') throw new Error(`unreadable answer: ${told.reject.error.message}`)
  const { kind, outcome } = told.message
  if (kind === 'sign-on' && outcome?.meaning === 'approved') return 'signed-on'
  throw new Error(`${kind} was answered ${outcome?.code} ${outcome?.reason}`)
}

/** The lane that an answer belongs to. */
export function laneOf(bytes: Buffer, at: number): number {
  return readDigits(bytes, at + 43, TRACE_DIGITS - 8)
}

export function serialOf(bytes: Buffer, at: number): number {
  return readDigits(bytes, at + 47, 8)
}

function writeDigits(to: Buffer, at: number, value: number, digits: number): void {
  for (let i = digits - 1; i >= 0; i--) {
    to[at + i] = 0x30 + (value % 10)
    value = Math.floor(value / 10)
  }
}

function readDigits(from: Buffer, at: number, digits: number): number {
  let value = 0
  for (let i = 0; i < digits; i++) value = value * 10 + (from[at + i] as number) - 0x30
  return value
}

import type { Detail, Message } from '#message'
import type { Desk, DeskContext } from './desk.ts'
import { bills } from './generic.ts'
import { hash, inventName } from './invent.ts'

/**
 * Bills whose billers tell more than an amount: lines for the screen and the receipt, made from the
 * number like everything else here.
 */

type Lines = (number: string, message: Message) => Detail[]

export const LINED: Readonly<Record<string, Desk>> = {
  telkom: lined(telkom),
  'bpjs-kesehatan': lined(insurance),
  // One instalment is due at a time.
  multifinance: lined(instalment, 1),
}

/** For dialects whose lines have no names of their own: `PESERTA : 2`. */
export function asLines(desk: Desk): Desk {
  const named = (told: Partial<Message>): Partial<Message> =>
    told.details ? { ...told, details: told.details.map(asLine) } : told
  return {
    ...desk,
    quote: (number, message, at) => {
      const told = desk.quote(number, message, at)
      return typeof told === 'string' ? told : named(told)
    },
    receipt: (number, message, at) => named(desk.receipt(number, message, at)),
  }
}

function asLine({ label, text }: Detail): Detail {
  return { label: '', text: label === '' ? text : `${label.toUpperCase()} : ${text}` }
}

function lined(lines: Lines, billsMax?: number): Desk {
  const within = (at: DeskContext): DeskContext =>
    billsMax === undefined ? at : { ...at, setting: { bills: billsMax, ...at.setting } }
  return {
    ...bills,
    quote: (number, message, at) => {
      const told = bills.quote(number, message, within(at))
      return typeof told === 'string' ? told : { ...told, details: lines(number, message) }
    },
    check: (number, message, at) => bills.check(number, message, within(at)),
    receipt: (number, message, at) => ({
      ...bills.receipt(number, message, at),
      details: lines(number, message),
    }),
  }
}

/** Region (divre) and office (datel) have fixed widths of two and four digits. */
function telkom(number: string): Detail[] {
  return [
    { label: 'Divre', text: digits(number, 21, 2) },
    { label: 'Datel', text: digits(number, 22, 4) },
  ]
}

function insurance(number: string, { months = 1 }: Message): Detail[] {
  return [
    { label: 'Cabang', text: `KANTOR CABANG ${digits(number, 23, 4)}` },
    { label: 'Peserta', text: String(1 + (hash(number, 24) % 5)) },
    { label: 'Jumlah bulan', text: String(months) },
    { label: 'Sisa pembayaran', text: '0' },
  ]
}

const MODELS = ['MOTOR REKAAN 125', 'MOTOR REKAAN 150', 'MOBIL REKAAN 1300'] as const
const TENORS = [12, 24, 36] as const

function instalment(number: string): Detail[] {
  const tenor = TENORS[hash(number, 25) % TENORS.length] ?? 12
  const nth = 1 + (hash(number, 26) % tenor)
  return [
    { label: 'Barang', text: MODELS[hash(number, 27) % MODELS.length] ?? MODELS[0] },
    { label: 'No polisi', text: `B ${digits(number, 28, 4)} ${inventName(number).slice(0, 2)}` },
    { label: 'Angsuran', text: `${nth} dari ${tenor}` },
  ]
}

function digits(number: string, salt: number, count: number): string {
  return String(hash(number, salt) % 10 ** count).padStart(count, '0')
}

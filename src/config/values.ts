import { BlockList, isIP } from 'node:net'
import { z } from 'zod'
import { type AmountMinor, minor } from '#base'

/**
 * Every scalar of a configuration file is read as text (the files are parsed with YAML's failsafe
 * schema), and the setting's own type says what the text means. So a code with leading zeros stays
 * as it is, and `no`, `1e3` and `12:30` never become something else.
 */
export function value<T>(
  wanted: string,
  read: (text: string) => T | undefined,
): z.ZodPipe<z.ZodString, z.ZodTransform<T, string>> {
  const wrong = (shown: string): string => `${shown}; wanted is ${wanted}`
  const text = z.string({
    error: ({ input }) => wrong(input === undefined ? 'is missing' : 'must be one value'),
  })
  return text.transform((input, context) => {
    const result = read(input)
    if (result !== undefined) return result
    const shown = input === '' ? 'is empty' : `cannot be ${JSON.stringify(input.slice(0, 60))}`
    context.issues.push({ code: 'custom', message: wrong(shown), input })
    return z.NEVER
  })
}

export const flag = value('true or false', text =>
  text === 'true' ? true : text === 'false' ? false : undefined,
)

export function whole(from: number, to: number) {
  return value(`a whole number from ${from} to ${to}`, text => {
    const number = Number(text)
    return /^\d{1,15}$/.test(text) && number >= from && number <= to ? number : undefined
  })
}

/** 0 lets the system choose: for tests, where nobody needs to know the number beforehand. */
export const port = whole(0, 65535)

const UNITS_MS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const
const DURATION = /^(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?(?:(\d{1,8})ms)?$/

/** `24h`, `1m30s`, `40s`, `500ms`; `0` or `0s` is none. In milliseconds. */
export function durationMs(text: string): number | undefined {
  if (text === '0') return 0
  const match = text === '' ? null : DURATION.exec(text)
  if (!match) return undefined
  const [, h = 0, m = 0, s = 0, ms = 0] = match
  return Number(h) * UNITS_MS.h + Number(m) * UNITS_MS.m + Number(s) * UNITS_MS.s + Number(ms)
}

export function duration(fromMs: number, toMs: number) {
  const range = `from ${formatDuration(fromMs)} to ${formatDuration(toMs)}`
  return value(`a duration like 500ms, 40s, 1m30s or 24h, ${range}`, text => {
    const ms = durationMs(text)
    return ms !== undefined && ms >= fromMs && ms <= toMs ? ms : undefined
  })
}

/** The shortest way to write it that `durationMs` reads back. */
export function formatDuration(ms: number): string {
  let text = ''
  let rest = ms
  for (const [unit, size] of Object.entries(UNITS_MS)) {
    if (rest >= size) text += `${Math.floor(rest / size)}${unit}`
    rest %= size
  }
  return text || '0s'
}

/** `1250`, `1.250`, `Rp 1.250`, and with sen `Rp 1.250,50`: the way Indonesia writes money. */
export function rupiahMinor(text: string): AmountMinor | undefined {
  const match = /^(?:Rp ?)?(\d{1,15}|\d{1,3}(?:\.\d{3}){1,4})(?:,(\d{2}))?$/.exec(text)
  if (!match) return undefined
  const [, whole = '', sen = '00'] = match
  return minor(BigInt(whole.replaceAll('.', '') + sen))
}

export const money = value('an amount like 1250, Rp 1.250 or Rp 1.250,50', rupiahMinor)

/** `HH:MM` in WIB as milliseconds after midnight; `24:00` is the midnight that ends the day. */
export function timeOfDayMs(text: string): number | undefined {
  if (!/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/.test(text)) return undefined
  return Number(text.slice(0, 2)) * UNITS_MS.h + Number(text.slice(3)) * UNITS_MS.m
}

export const timeOfDay = value('a time of day from 00:00 to 24:00, WIB', timeOfDayMs)

/** The business date would be tomorrow's all day long if it rolled at the midnight that begins the day. */
export const cutover = value('a time of day from 00:01 to 24:00 (midnight), WIB', text =>
  text === '00:00' ? undefined : timeOfDayMs(text),
)

/** How listeners, links, billers and products are called. */
export const NAME = /^[a-z][a-z0-9-]{0,31}$/
export const NAME_TEXT = 'a name of small letters, digits and hyphens, at most 32 characters'
export const name = value(NAME_TEXT, text => (NAME.test(text) ? text : undefined))

export function digits(from: number, to: number) {
  const length = from === to ? `${from}` : `${from} to ${to}`
  return value(`${length} digits`, text =>
    /^\d+$/.test(text) && text.length >= from && text.length <= to ? text : undefined,
  )
}

/** Letters, digits and what stands in codes of the trade; as long as the fields of the wire allow. */
export function code(from: number, to: number) {
  const length = from === to ? `${from}` : `${from} to ${to}`
  return value(`${length} letters or digits`, text =>
    /^[0-9A-Za-z]+$/.test(text) && text.length >= from && text.length <= to ? text : undefined,
  )
}

export const title = value('a title of 1 to 80 characters', text =>
  text.length >= 1 && text.length <= 80 ? text : undefined,
)

export const host = value('a host name or an address', text =>
  isIP(text) || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/.test(text) ? text : undefined,
)

export const filePath = value('the path of a file', text =>
  text !== '' && !text.includes('\0') ? text : undefined,
)

/** No name and no password in it, and over TLS unless it is on this machine. */
export const webhookUrl = value('an https:// address (http:// on this machine only)', text => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || url.username !== '' || url.password !== '' || url.hash !== '') return undefined
  const here = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
  return url.protocol === 'https:' || (url.protocol === 'http:' && here) ? text : undefined
})

/** Where a counterpart is reached: no name, password, query or fragment in it. */
export const httpUrl = value(
  'an address like https://api.example.id or https://host:8443/path',
  text => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (!url || url.username !== '' || url.password !== '' || /[?#]/.test(text)) return undefined
    return ['https:', 'http:'].includes(url.protocol) ? text : undefined
  },
)

export const urlPath = value('a path like /callbacks/biller, or / for all', text =>
  /^(\/|(\/[A-Za-z0-9._~-]+){1,8})$/.test(text) ? text : undefined,
)

/** As `openssl x509 -fingerprint -sha256` prints it, with or without colons; small digits without. */
export const fingerprint = value('a SHA-256 fingerprint of 64 hexadecimal digits', text => {
  const digits = text.replaceAll(':', '').toLowerCase()
  return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined
})

export const keyId = value('1 to 64 letters, digits, - or _', text =>
  /^[A-Za-z0-9_-]{1,64}$/.test(text) ? text : undefined,
)

export const network = value('an address or a network like 10.1.0.0/16 or ::1', text =>
  readNetwork(text) ? text : undefined,
)

export function oneOf<const T extends string>(...words: readonly T[]) {
  return value(`one of ${words.join(', ')}`, text => words.find(word => word === text))
}

type Network = { readonly address: string; readonly bits: number; readonly family: 'ipv4' | 'ipv6' }

function readNetwork(text: string): Network | undefined {
  const [address = '', length, ...rest] = text.split('/')
  const version = isIP(address)
  const bitsMax = version === 4 ? 32 : 128
  const bits = length === undefined ? bitsMax : /^\d{1,3}$/.test(length) ? Number(length) : NaN
  if (version === 0 || rest.length > 0 || !(bits <= bitsMax)) return undefined
  return { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' }
}

/** Whether a peer, `10.1.2.3:50312` or `[::1]:50312` or without port, lies in one of the networks. */
export function addressFilter(networks: readonly string[]): (peer: string) => boolean {
  const list = new BlockList()
  for (const text of networks) {
    const network = readNetwork(text)
    if (network) list.addSubnet(network.address, network.bits, network.family)
  }
  return peer => {
    const address = addressOf(peer)
    const version = isIP(address)
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }
}

/** The address alone; IPv4 that came in over IPv6 counts as what it is. */
function addressOf(peer: string): string {
  const bare =
    /^\[(.*)\](?::\d+)?$/.exec(peer)?.[1] ?? (isIP(peer) ? peer : peer.replace(/:\d+$/, ''))
  return bare.replace(/^::ffff:(?=\d+\.)/, '')
}

import type { FramingSpec } from './spec.ts'

/** A framing that has a name in the trade. */
export type Channel = { readonly text: string; readonly framing: FramingSpec }

const frameBytesMax = 65_535
const counts = { itself: false, trailer: false } as const
const inclusive = { itself: true, trailer: false } as const
const big2 = { form: 'binary', bytes: 2, order: 'big' } as const
const keepAlive = { answered: false, inARowMax: 1000 } as const
const polled = { answered: true, inARowMax: 1000 } as const
const ETX = 0x03

/**
 * Framings by name: the channel classes that jPOS has (their wire forms, not their code), and what
 * is seen in Indonesia. Names are lower case; `compileFraming` makes a framer of `framing`.
 */
export const CHANNELS = {
  ascii: channel('4 decimal digits', { length: { form: 'decimal', digits: 4 }, keepAlive }),
  ascii5: channel('5 decimal digits', { length: { form: 'decimal', digits: 5 }, keepAlive }),
  nac: channel('2 bytes big-endian', { length: big2 }),
  'nac-inclusive': channel('2 bytes big-endian, itself counted', {
    length: big2,
    counts: inclusive,
  }),
  'nac-tpdu': channel('2 bytes big-endian, then a TPDU whose addresses an answer swaps', {
    length: big2,
    header: { form: 'tpdu', swap: true },
  }),
  'nac-tpdu-kept': channel('2 bytes big-endian, then a TPDU that an answer repeats', {
    length: big2,
    header: { form: 'tpdu', swap: false },
  }),
  ncc: channel('2 bytes BCD', { length: { form: 'bcd', bytes: 2 } }),
  'ncc-tpdu': channel('2 bytes BCD, then a TPDU whose addresses an answer swaps', {
    length: { form: 'bcd', bytes: 2 },
    header: { form: 'tpdu', swap: true },
  }),
  bcd: channel('2 bytes BCD', { length: { form: 'bcd', bytes: 2 } }),
  hex: channel('4 hexadecimal digits', { length: { form: 'hex', digits: 4 } }),
  post: channel('2 bytes big-endian (Postilion)', { length: big2, keepAlive }),
  cs: channel('2 bytes big-endian and two zeros, keep-alives answered', {
    length: big2,
    after: '....',
    keepAlive: polled,
  }),
  vmlh: channel('2 bytes big-endian, session control and a reserved byte', {
    length: big2,
    after: '....',
    keepAlive: polled,
  }),
  vap: channel("2 bytes big-endian, two zeros and Visa's BASE I header", {
    length: big2,
    after: '....',
    header: { form: 'base1', source: '000000', destination: '000000' },
    keepAlive: polled,
  }),
  gicc: channel('two zeros and 2 bytes big-endian, keep-alives answered', {
    before: '....',
    length: big2,
    keepAlive: polled,
  }),
  raw: channel('4 bytes big-endian', {
    length: { form: 'binary', bytes: 4, order: 'big' },
    keepAlive,
  }),
  rbp: channel('d04a, 2 bytes big-endian, 0000 (record boundary preservation)', {
    before: 'd04a',
    length: big2,
    after: '0000',
  }),
  amex: channel('2 bytes big-endian, itself counted', {
    length: big2,
    counts: inclusive,
    keepAlive,
  }),
  base24: channel('no length, ETX ends a frame', {
    length: { form: 'none', ends: 'trailer' },
    trailer: ETX,
    frameBytesMax: 4096,
  }),
  base24tcp: channel('2 bytes big-endian that count the ETX behind the body', {
    length: big2,
    counts: { itself: false, trailer: true },
    trailer: ETX,
    keepAlive: polled,
  }),
  cmf: channel('3 bytes big-endian, keep-alives answered', {
    length: { form: 'binary', bytes: 3, order: 'big' },
    keepAlive: polled,
  }),
  pad: channel('nothing: the codec reads until a message is whole', {
    length: { form: 'none', ends: 'message' },
  }),
  x25: channel('nothing: a pause on the line ends a frame', {
    length: { form: 'none', ends: 'pause' },
  }),
  gzip: channel('2 bytes big-endian, the body compressed', { length: big2, compressed: 'gzip' }),
  xml: channel('an XML document that ends with </isomsg>, and a new line', {
    length: { form: 'document', text: '</isomsg>' },
    trailer: 0x0a,
  }),
  'telnet-xml': channel('an XML document that ends with </isomsg>, and a new line', {
    length: { form: 'document', text: '</isomsg>' },
    trailer: 0x0a,
  }),
  log: channel('XML of a log that ends with </log>, and a new line', {
    length: { form: 'document', text: '</log>' },
    trailer: 0x0a,
  }),
  fsd: channel('2 bytes big-endian', { length: big2 }),
  'le2-etx': channel('2 bytes little-endian, ETX behind the body', {
    length: { form: 'binary', bytes: 2, order: 'little' },
    trailer: ETX,
  }),
  'be2-etx': channel('2 bytes big-endian that count the ETX behind the body', {
    length: big2,
    counts: { itself: false, trailer: true },
    trailer: ETX,
  }),
  le2: channel('2 bytes little-endian', { length: { form: 'binary', bytes: 2, order: 'little' } }),
  le4: channel('4 bytes little-endian', { length: { form: 'binary', bytes: 4, order: 'little' } }),
  'hex-etx': channel('4 hexadecimal digits, ETX behind the body', {
    length: { form: 'hex', digits: 4 },
    trailer: ETX,
  }),
  'nac-base24': channel('2 bytes big-endian, then the 12 characters ISO… of BASE24', {
    length: big2,
    header: { form: 'base24', send: 'ISO015000010', responder: '3' },
  }),
  line: channel('no length, a new line ends a frame', {
    length: { form: 'none', ends: 'trailer' },
    trailer: 0x0a,
    keepAlive,
  }),
  ff: channel('no length, the byte FF ends a frame', {
    length: { form: 'none', ends: 'trailer' },
    trailer: 0xff,
  }),
} as const satisfies Record<string, Channel>

export type ChannelName = keyof typeof CHANNELS

function channel(
  text: string,
  framing: Partial<FramingSpec> & Pick<FramingSpec, 'length'>,
): Channel {
  return { text, framing: { counts, frameBytesMax, ...framing } }
}

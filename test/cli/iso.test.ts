import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { test } from 'tap'
import { fromHex, luhn, toHex } from '#base'
import { CHANNELS, compileFraming } from '#iso8583'
import { diagnose } from '../../src/cli/iso/doctor.ts'
import { readings } from '../../src/cli/iso/input.ts'
import { maskCards } from '../../src/cli/iso/mask.ts'
import { meaningOf, mtiMeaning } from '../../src/cli/iso/meanings.ts'
import { run } from '../../src/cli/program.ts'
import { paintFor } from '../../src/cli/terminal.ts'
import { ROOT } from '../admin/lab.ts'

type Ended = { code: number | null; out: string; err: string; all: string }

const folder = mkdtempSync(join(tmpdir(), 'nadi-iso-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

/** A command line in this process, with a terminal that only remembers. */
async function iso(args: readonly string[], input?: Uint8Array | string): Promise<Ended> {
  let out = ''
  let err = ''
  const bytes = Buffer.from(input ?? '')
  const code = await run(['iso', ...args], {
    out: text => void (out += `${text}\n`),
    err: text => void (err += `${text}\n`),
    env: {},
    paint: paintFor(false),
    interactive: false,
    ask: async () => '',
    readAll: async () => bytes.toString('latin1'),
    input: (async function* () {
      // Cut where nothing ends.
      for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000)
    })(),
  })
  return { code, out, err, all: out + err }
}

function binNadi(args: readonly string[], input: Uint8Array | string = ''): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const { PATH = '' } = process.env
    const child = spawn(join(ROOT, 'bin/nadi'), ['iso', ...args], { env: { PATH } })
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    child.once('error', reject)
    child.once('close', code => resolve({ code, out, err, all: out + err }))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

const ASCII = 'iso8583-1987-ascii'
const BINARY = 'iso8583-1987-binary'
const ECHO = '0800822000000000000004000000000000000915083015000123301'
const PLN_ECHO = '28000010000081810000202611200605000745190013010LOKET0000000001007SWX0001'
const PAN = '4111111111111111'
const hex = (text: string) => Buffer.from(text, 'latin1').toString('hex')

const FIELDS = [
  `2=${PAN}`,
  '3=301000',
  '4=000000260500',
  '7=1120091530',
  '11=000123',
  '12=091530',
  '13=1120',
  '22=051',
  `35=${PAN}=28122011234567890`,
  '39=51',
  '41=TERM0001',
  `48=card ${PAN} ref`,
  '49=360',
  '52=0102030405060708',
]

const encoded = async (spec: string, mti: string, fields: readonly string[]) =>
  (await iso(['encode', '--spec', spec, '--mti', mti, ...fields])).out.trim()

const purchase = await encoded(ASCII, '0200', FIELDS)

test('whatever it was pasted from, the message is found', async t => {
  const spaced = hex(ECHO).replace(/(..)/g, '$1 ').trim()
  const dumpLines = (form: (at: number, bytes: Buffer) => string) => {
    const bytes = Buffer.from(ECHO, 'latin1')
    const lines: string[] = []
    for (let at = 0; at < bytes.length; at += 16) lines.push(form(at, bytes.subarray(at, at + 16)))
    return lines.join('\n')
  }
  const pairs = (bytes: Buffer, by: number) =>
    bytes
      .toString('hex')
      .match(new RegExp(`.{1,${by}}`, 'g'))
      ?.join(' ') ?? ''
  const offset = (at: number, width: number) => at.toString(16).padStart(width, '0')
  const text = (bytes: Buffer) => bytes.toString('latin1')
  const packet = Buffer.concat([
    Buffer.from('450000005b2a40004006e1647f0000017f000001', 'hex'),
    Buffer.from('0001000200000000000000005018000000000000', 'hex'),
    Buffer.from(ECHO, 'latin1'),
  ])
  packet.writeUInt16BE(packet.length, 2)
  const tcpdump: string[] = []
  for (let at = 0; at < packet.length; at += 16) {
    const part = packet.subarray(at, at + 16)
    tcpdump.push(`\t0x${offset(at, 4)}:  ${pairs(part, 4)}  ${text(part).replace(/[^ -~]/g, '.')}`)
  }
  const rows: [title: string, input: string | Buffer, args?: string[]][] = [
    ['hexadecimal', hex(ECHO)],
    ['in upper case, with a new line', `${hex(ECHO).toUpperCase()}\n`],
    ['with spaces', spaced],
    ['with colons', spaced.replaceAll(' ', ':')],
    ['with 0x', `0x${hex(ECHO)}`],
    ['bytes of C', spaced.replace(/\b(?=..)/g, '').replace(/(\w\w)/g, '0x$1,')],
    ['over several lines', hex(ECHO).replace(/(.{32})/g, '$1\n')],
    ['what can be typed', ECHO],
    ['base64', Buffer.from(ECHO).toString('base64')],
    ['hexdump -C', dumpLines((at, b) => `${offset(at, 8)}  ${pairs(b, 2)}  |${text(b)}|`)],
    [
      'hexdump -C with its gap',
      dumpLines((at, b) => {
        const [left, right] = [b.subarray(0, 8), b.subarray(8)]
        return `${offset(at, 8)}  ${pairs(left, 2)}  ${pairs(right, 2)}  |${text(b)}|`
      }),
    ],
    [
      'xxd, with digits in its text',
      dumpLines((at, b) => `${offset(at, 8)}: ${pairs(b, 4)}  ${text(b)}`),
    ],
    ['Wireshark', dumpLines((at, b) => `${offset(at, 4)}   ${pairs(b, 2)}   ${text(b)}`)],
    ['tcpdump -X, without IP and TCP', `IP a > b: Flags [P.]\n${tcpdump.join('\n')}\n`],
    ['a log line', `2026-11-20 09:15:30.123 INFO [7] sent ${hex(ECHO)} to 10.0.0.1:8583`],
    ['a log line with pairs', `09:15:30 <- ${spaced} (55 bytes)`],
    ['with a framing around it', `0037${hex(ECHO)}`],
    ['the framing is named', `0037${hex(ECHO)}`, ['--framing', 'nac']],
    ['another framing', hex(`0055${ECHO}`), ['--framing', 'ascii']],
    ['a TPDU', `003c6000010002${hex(ECHO)}`, ['--framing', 'nac-tpdu']],
    ['the form is named', ECHO, ['--as', 'text']],
    ['bytes', Buffer.concat([Buffer.from([0, 55]), Buffer.from(ECHO)])],
  ]
  for (const [title, input, args = []] of rows) {
    const ended = await iso(['decode', '--spec', ASCII, ...args, '--json'], input)
    t.equal(ended.code, 0, `${title}: ${ended.err}`)
    t.match(
      JSON.parse(ended.out),
      { mti: '0800', fields: { 7: '0915083015', 11: '000123', 70: '301' } },
      title,
    )
  }
})

test('several messages in one input', async t => {
  const two = `${hex(ECHO)}\n${purchase}\n`
  const ended = await iso(['decode', '--spec', ASCII, '--json'], two)
  t.match(JSON.parse(ended.out), { messages: [{ mti: '0800' }, { mti: '0200' }] })
  const stream = Buffer.concat(
    [hex(ECHO), purchase].map(one => {
      const framer = compileFraming(CHANNELS.nac.framing)
      return Buffer.from(framer.wrap(fromHex(one) as Uint8Array))
    }),
  )
  const framed = await iso(['decode', '--spec', ASCII, '--json'], stream)
  t.match(JSON.parse(framed.out), { framing: 'nac', messages: [{ mti: '0800' }, { mti: '0200' }] })
})

test('a message for people: aligned, masked, with what it means', async t => {
  const ended = await iso(['decode', '--spec', ASCII, purchase])
  t.equal(ended.code, 0)
  const shows = [
    /^ *0 +4 +mti +0200 +financial request, acquirer, 1987 +message type$/m,
    /^ *\d+ +16 +2 +411111\*{6}1111 +primary account number$/m,
    / 3 +301000 +available funds inquiry, from savings/,
    / 4 +000000260500 +IDR 2,605\.00/,
    / 7 +1120091530 +20 Nov 09:15:30/,
    / 22 +051 +chip, PIN can be entered/,
    / 35 +411111\*{6}1111=\*{17} /,
    / 39 +51 +insufficient funds/,
    / 48 +card 411111\*{6}1111 ref/,
    / 52 +\*{16} +personal identification number data/,
    /^BITMAP\n +1 ·■■■ ··■· ··■■ ■··· {2}2 3 4 7 11 12 13$/m,
    /bytes: financial request/,
  ]
  for (const line of shows) t.match(ended.out, line)
  t.notMatch(ended.all, PAN)
  t.notMatch(ended.all, '0102030405060708')
  t.notMatch(ended.all, '\u001b')
  const json = await iso(['decode', '--spec', ASCII, purchase, '--json'])
  t.notMatch(json.all, PAN)
  const unsafe = await iso(['decode', '--spec', ASCII, purchase, '--unsafe'])
  t.match(unsafe.out, PAN)
  t.match(unsafe.err, /in clear/, 'and says so')
})

test('nested fields, and the secrets in them', async t => {
  const table = join(folder, 'bank.yaml')
  writeFileSync(
    table,
    `table: bank
extends: ${BINARY}
fields:
  55:
    is: LLLVAR b ..255 chip data
    ber-tlv: {}
    unknown: keep
`,
  )
  const chip =
    `5A08${PAN}9F0206000000260500 5F2A020360 9F2701805F20084A4F484E20444F45 DF8101020102`.replaceAll(
      ' ',
      '',
    )
  const made = await iso(['encode', '--spec', table, '--mti', '0200', '11=000001', `55=${chip}`])
  t.equal(made.code, 0, made.err)
  const shown = await iso(['decode', '--spec', table, made.out.trim()])
  t.equal(shown.code, 0, shown.err)
  t.match(shown.out, /55\.5A +411111\*{6}1111 +application PAN/)
  t.match(shown.out, /55\.9F02 +000000260500 +IDR 2,605\.00 +amount, authorised/)
  t.match(shown.out, /55\.9F27 +80 +ARQC/)
  t.match(shown.out, /55\.DF8101 +0102/)
  t.notMatch(shown.all, PAN)
  t.notMatch(shown.all, '4A4F484E')
  const safe = await iso(['redact', '--spec', table, made.out.trim()])
  t.equal(safe.code, 0, safe.err)
  t.equal(safe.out.length, made.out.length)
  t.notMatch(safe.out, PAN)
  t.notMatch(safe.out, '4a4f484e')
  t.match(safe.out, 'df8101020102', 'what is no secret stays')
})

test('line by line, both ways, in order', async t => {
  const bad = hex(ECHO).slice(0, 60)
  const lines = [hex(ECHO), purchase, bad, 'zz', '', `${hex(ECHO)}00`]
  const ended = await iso(['decode', '--spec', ASCII, '--lines'], `${lines.join('\n')}\n`)
  t.equal(ended.code, 1)
  const read = ended.out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)
  t.match(read, [
    { mti: '0800', fields: { 7: '0915083015', 11: '000123', 70: '301' } },
    { mti: '0200', fields: { 2: PAN, 52: '0102030405060708' } },
    { error: { code: 'CODEC_TRUNCATED', offset: Number, path: String }, read: { mti: '0800' } },
    { error: { code: 'CODEC_CONTENT', path: 'line' } },
    { error: { code: 'CODEC_TRUNCATED' } },
    { error: { code: 'CODEC_TRAILING', offset: 55 } },
  ])
  t.equal(read.length, lines.length)
  const back = await iso(['encode', '--spec', ASCII, '--lines'], ended.out)
  const again = back.out.trim().split('\n')
  t.same(again.slice(0, 2), lines.slice(0, 2))
  t.equal(again.length, lines.length)
  for (const line of again.slice(2)) t.match(JSON.parse(line), { error: { code: 'CODEC_VALUE' } })
  const masked = await iso(['decode', '--spec', ASCII, '--lines', '--masked'], `${purchase}\n`)
  t.notMatch(masked.out, PAN)
})

test('thousands of lines through the real program', async t => {
  const many = `${[hex(ECHO), purchase].join('\n')}\n`.repeat(5000)
  const read = await binNadi(['decode', '--spec', ASCII, '--lines'], many)
  t.equal(read.code, 0)
  t.equal(read.out.split('\n').length, 10_001)
  const file = join(folder, 'many.jsonl')
  writeFileSync(file, read.out)
  const back = await binNadi(['encode', '--spec', ASCII, '--lines', file])
  t.ok(back.out === many, 'the same bytes come back')
  const piped = await binNadi(
    ['decode', '--spec', ASCII, '--framing', 'nac'],
    Buffer.from(`0037${hex(ECHO)}`, 'hex'),
  )
  t.equal(piped.code, 0, 'bytes survive the pipe')
})

test('differences', async t => {
  const other = await encoded(ASCII, '0210', [
    ...FIELDS.slice(0, 9),
    '39=00',
    '41=TERM0001',
    '70=301',
  ])
  const ended = await iso(['diff', '--spec', ASCII, purchase, other, '--json'])
  t.equal(ended.code, 1)
  t.match(JSON.parse(ended.out), {
    same: false,
    differences: [
      { path: 'mti', sign: '~', left: '0200', right: '0210' },
      { path: '39', sign: '~', left: '51', right: '00', meaning: 'approved' },
      { path: '48', sign: '-' },
      { path: '49', sign: '-' },
      { path: '52', sign: '-' },
      { path: '70', sign: '+', right: '301' },
    ],
  })
  t.notMatch(ended.all, PAN)
  const same = await iso([
    'diff',
    '--spec',
    ASCII,
    purchase,
    `00000000  ${purchase.replace(/(..)/g, '$1 ')}`,
  ])
  t.match([same.code, same.out], [0, /the same/])
})

test('redacted messages are messages, as long as before, and say nothing', async t => {
  const safe = (await iso(['redact', '--spec', ASCII, purchase])).out.trim()
  t.equal(safe.length, purchase.length)
  const shown = JSON.parse((await iso(['decode', '--spec', ASCII, '--lines'], safe)).out) as {
    fields: Record<string, string>
  }
  const { fields } = shown
  t.match(fields, {
    2: /^411111\d{6}1111$/,
    35: /^411111\d{6}1111=0{17}$/,
    52: /^0{16}$/,
    4: '000000260500',
  })
  t.notMatch(JSON.stringify(shown), PAN)
  t.ok(luhn(fields['2'] ?? ''), 'its check digit is right')
  t.equal(fields['48']?.length, `card ${PAN} ref`.length)
})

test('validation by the overlays of the dialect', async t => {
  const table = join(folder, 'strict.yaml')
  writeFileSync(
    table,
    `table: strict
extends: ${ASCII}
messages:
  "0800":
    mandatory: 7 11 70
    forbidden: 2
    allowed:
      70: [ '001', '002' ]
  "0810":
    mandatory: 11 39
    echoed: 11
`,
  )
  const bad = await iso(['validate', '--spec', table, hex(ECHO), '--json'])
  t.equal(bad.code, 1, bad.err)
  t.match(JSON.parse(bad.out), { valid: false, problems: [{ path: '70', rule: 'allowed' }] })
  const answer = await encoded(ASCII, '0810', ['11=000124', '39=00'])
  const echoed = await iso(['validate', '--spec', table, answer, '--request', hex(ECHO)])
  t.match([echoed.code, echoed.out], [1, /11 +echoed/])
  const good = await iso(['validate', '--spec', table, answer])
  t.match([good.code, good.out], [0, /what its dialect says/])
})

test('from one dialect to another', async t => {
  const ended = await iso(['convert', '--from', ASCII, '--to', BINARY, purchase])
  t.equal(ended.code, 0, ended.err)
  const back = await iso(['convert', '--from', BINARY, '--to', ASCII, ended.out.trim()])
  t.equal(back.out.trim(), purchase)
  const later = await iso(['convert', '--from', ASCII, '--to', 'iso8583-1993-ascii', purchase])
  t.match(later.out, /^31323030/, 'the version is that of the other dialect')
  t.match(later.err, /12 is not carried over: it would be filled up to another value/)
})

test('tables of other programs in and out', async t => {
  const moov = join(folder, 'echo.json')
  const out = await iso(['export', ASCII, '--to', 'moov', '-o', moov])
  t.equal(out.code, 0, out.err)
  t.match(JSON.parse(readFileSync(moov, 'utf8')), { fields: { 2: { type: String } } })
  t.match((await iso(['decode', '--spec', moov, '--json', hex(ECHO)])).out, /"mti": "0800"/)
  const xml = join(folder, 'bank.xml')
  writeFileSync(
    xml,
    `<?xml version="1.0"?>
<isopackager>
  <isofield id="0" length="4" name="MTI" class="org.jpos.iso.IFA_NUMERIC"/>
  <isofield id="1" length="16" name="BITMAP" class="org.jpos.iso.IFA_BITMAP"/>
  <isofield id="7" length="10" name="TIME" class="org.jpos.iso.IFA_NUMERIC"/>
  <isofield id="11" length="6" name="STAN" class="org.jpos.iso.IFA_NUMERIC"/>
  <isofield id="70" length="3" name="CODE" class="org.jpos.iso.IFA_NUMERIC"/>
</isopackager>
`,
  )
  const table = join(folder, 'imported.yaml')
  const imported = await iso(['import', xml, '-o', table])
  t.equal(imported.code, 0, imported.err)
  for (const spec of [xml, table]) {
    const ended = await iso(['decode', '--spec', spec, '--lines'], hex(ECHO))
    t.match(JSON.parse(ended.out), { mti: '0800', fields: { 70: '301' } }, spec)
  }
  const broken = join(folder, 'broken.yaml')
  writeFileSync(broken, 'table: broken\nfields:\n  2: LLVAR nn ..19 pan\n')
  const wrong = await iso(['import', broken])
  t.equal(wrong.code, 1)
  t.match(wrong.err, /broken\.yaml:3/)
})

test('the doctor', async t => {
  const binary = (await iso(['convert', '--from', ASCII, '--to', BINARY, purchase])).out.trim()
  const framed = (name: keyof typeof CHANNELS, one: string) =>
    toHex(compileFraming(CHANNELS[name].framing).wrap(fromHex(one) as Uint8Array))
  const rows: [title: string, dump: string, spec: RegExp, framing: string | undefined][] = [
    ['text', purchase, /^iso8583-1987-ascii$/, undefined],
    ['text over two bytes', framed('nac', purchase), /^iso8583-1987-ascii$/, 'nac'],
    ['binary', binary, /^iso8583-1987-binary$/, undefined],
    ['binary over four digits', framed('ascii', binary), /^iso8583-1987-binary$/, 'ascii'],
    [
      'binary with a length that counts itself',
      framed('amex', binary),
      /^iso8583-1987-binary$/,
      'nac-inclusive',
    ],
    ['little-endian and ETX', framed('le2-etx', purchase), /^iso8583-1987-ascii$/, 'le2-etx'],
    ['BCD length', framed('bcd', binary), /^iso8583-1987-binary$/, 'bcd'],
    // A bare echo is one of EBIPP's too, and a dialect that knows it comes before its table.
    ['a TPDU', `003c6000010002${hex(ECHO)}`, /^(alto-ebipp|iso8583-1987-ascii)$/, 'nac-tpdu'],
    ['a dialect of PLN', framed('nac', hex(PLN_ECHO)), /^pln-2003-11[15]$/, 'nac'],
  ]
  for (const [title, dump, spec, framing] of rows) {
    const ended = await iso(['doctor', dump, '--json'])
    t.equal(ended.code, 0, title)
    const { guesses } = JSON.parse(ended.out) as { guesses: { spec: string; framing?: string }[] }
    t.match(guesses[0]?.spec, spec, title)
    t.equal(guesses[0]?.framing, framing, title)
  }
  const base24 = await iso([
    'doctor',
    'ISO0050000600800822000000000000004000000000000001120021500000001301',
  ])
  t.match(base24.out, /12 bytes before the message type/)
  const nothing = await iso(['doctor', '00112233445566778899aabbccddeeff0011223344556677'])
  t.equal(nothing.code, 1)
  t.match(nothing.out, /Nothing fits; nearest is/)
  const people = await iso(['doctor', framed('nac', purchase)])
  t.match(people.out, /It is iso8583-1987-ascii over nac:\n.*accounts for every byte/)
  t.notMatch(people.all, PAN)
})

/** A host that does with each message what it is told to. */
async function host(on: (socket: Socket, chunk: Buffer) => void) {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', chunk => on(socket, chunk))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise(resolve => server.close(resolve))
  }
  return { address: `127.0.0.1:${port}`, close }
}

test('a message is sent and its answer shown', async t => {
  const answer = await encoded(ASCII, '0810', ['11=000123', '39=00', '70=301'])
  const body = fromHex(answer) as Uint8Array
  const framer = (name: keyof typeof CHANNELS) => compileFraming(CHANNELS[name].framing)
  const rows: [
    title: string,
    over: string,
    on: (socket: Socket) => void,
    code: number,
    says: RegExp,
  ][] = [
    [
      'answered',
      'nac',
      socket => socket.write(framer('nac').wrap(body)),
      0,
      /0810 +network management response/,
    ],
    ['digits', 'ascii', socket => socket.write(framer('ascii').wrap(body)), 0, /39 +00 +approved/],
    [
      'with a TPDU',
      'nac-tpdu:6000010002',
      socket => socket.write(framer('nac-tpdu').wrap(body, Buffer.from('6000020001', 'hex'))),
      0,
      /39 +00 +approved/,
    ],
    [
      'keep-alives do not disturb',
      'cs',
      socket => socket.write(Buffer.concat([Buffer.alloc(8), framer('cs').wrap(body)])),
      0,
      /39 +00 +approved/,
    ],
    ['ended by a pause', 'x25', socket => socket.write(body), 0, /39 +00 +approved/],
    ['ended by the codec', 'pad', socket => socket.write(body), 0, /39 +00 +approved/],
    ['hung up', 'nac', socket => socket.end(), 1, /hung up without an answer/],
    ['silence', 'nac', () => {}, 1, /no answer within 150 ms/],
    [
      'half an answer',
      'nac',
      socket => socket.write(Buffer.from([0, 50, 48])),
      1,
      /only 3 bytes of one/,
    ],
    ['no framing like that', 'ascii', socket => socket.write('garbage'), 1, /not framed like that/],
    [
      'no message',
      'nac',
      socket => socket.write(Buffer.from([0, 2, 48, 48])),
      1,
      /CODEC_TRUNCATED/,
    ],
  ]
  for (const [title, over, on, code, says] of rows) {
    const { address, close } = await host(socket => on(socket))
    const timeout = title === 'silence' || title === 'half an answer' ? '150ms' : '20s'
    const args = ['send', address, hex(ECHO), '--spec', ASCII, '--over', over, '--timeout', timeout]
    const ended = await iso(args)
    await close()
    t.equal(ended.code, code, `${title}: ${ended.all}`)
    t.match(ended.all, says, title)
  }
  const { address, close } = await host((socket, chunk) => socket.write(chunk))
  const echoed = await binNadi([
    'send',
    address,
    hex(ECHO),
    '--spec',
    ASCII,
    '--over',
    'nac',
    '--json',
  ])
  await close()
  t.match(
    JSON.parse(echoed.out),
    { mti: '0800', fields: { 70: '301' } },
    'what came is what was sent',
  )
  const gone = await iso(['send', address, hex(ECHO), '--spec', ASCII, '--over', 'nac'])
  t.match([gone.code, gone.err], [1, /cannot be reached \(ECONNREFUSED\)/])
})

test('what is typed wrongly ends with 2, what cannot be read with 1, and help shows an example', async t => {
  const rows: [args: string[], code: number, says: RegExp][] = [
    [['decode', hex(ECHO)], 2, /--spec/],
    [
      ['decode', '--spec', 'nothing', hex(ECHO)],
      2,
      /there is no dialect and no file nothing; there are .*iso8583-1987-ascii.*pln/,
    ],
    [
      ['decode', '--spec', ASCII, '--framing', 'nothing', hex(ECHO)],
      2,
      /there is no framing nothing; there are ascii/,
    ],
    [['decode', '--spec', ASCII, '--as', 'nothing', hex(ECHO)], 2, /Allowed choices are hex/],
    [['decode', '--spec', ASCII, ''], 2, /there is no message/],
    [['decode', '--spec', ASCII, hex(ECHO).slice(0, -2)], 1, /CODEC_TRUNCATED.*at 70/],
    [['decode', '--spec', ASCII, '--lenient', 'trailing-bytes', '--', `${hex(ECHO)}00`], 0, /70/],
    [['encode', '--spec', ASCII, '{}'], 2, /no "mti"/],
    [['encode', '--spec', ASCII, '[]'], 2, /not a JSON object/],
    [['encode', '--spec', ASCII, 'x'], 2, /not JSON/],
    [['encode', '--spec', ASCII, '--mti', '0800', 'eleven'], 2, /id=value/],
    [['encode', '--spec', ASCII, '--mti', '0800', '11=abc'], 1, /CODEC_VALUE.*at 11/],
    [['encode', '--spec', ASCII, '--mti', '0800', '999=1'], 1, /CODEC_/],
    [['encode', '--spec', ASCII, '--mti', '0800', '11=1', '--out', 'paper'], 2, /--out is paper/],
    [
      ['encode', '--spec', ASCII, '--mti', '0800', '11=1', '--framing', 'nac-tpdu'],
      1,
      /a header of 5 bytes/,
    ],
    [['diff', '--spec', ASCII, hex(ECHO), 'ff'], 1, /CODEC_/],
    [['import', join(folder, 'nothing.xml')], 2, /cannot be read/],
    [['send', 'nowhere', hex(ECHO), '--spec', ASCII, '--over', 'nac'], 2, /host:port/],
    [
      ['send', '127.0.0.1:1', hex(ECHO), '--spec', ASCII, '--over', 'nac', '--timeout', 'soon'],
      2,
      /no duration/,
    ],
    [['doctor', ''], 2, /there is no dump/],
  ]
  for (const [args, code, says] of rows) {
    const ended = await iso(args)
    t.equal(ended.code, code, `${args.join(' ')}: ${ended.all}`)
    t.match(ended.all, says, args.join(' '))
  }
  const all = 'decode encode diff redact validate convert import export doctor send'.split(' ')
  for (const command of all) {
    const help = await iso([command, '--help'])
    t.equal(help.code, 0)
    t.match(
      help.out,
      new RegExp(`Examples?:\\n  .*nadi iso ${command} `),
      `${command} has an example`,
    )
  }
})

test('no example in the help is a lie', async t => {
  for (const command of ['decode', 'encode', 'convert', 'doctor']) {
    const { out } = await iso([command, '--help'])
    const line = /\$ nadi iso (.*[0-9a-f])$/m.exec(out)?.[1] ?? ''
    t.equal((await iso(line.split(' '))).code, 0, line)
  }
})

test('meanings', async t => {
  const beside = { mti: '0200', value: (path: string) => (path === '49' ? '840' : undefined) }
  const rows: [path: string, value: string, means: string | undefined][] = [
    ['3', '500000', 'payment'],
    ['3', '401020', 'transfer, from savings, to checking'],
    ['3', '990000', undefined],
    ['4', '000000000001', 'USD 0.01'],
    ['4', '000123456789', 'USD 1,234,567.89'],
    ['4', '3602000000260500', 'IDR 2,605.00'],
    ['7', '1399000000', undefined],
    ['12', '20261120091530', '20 Nov 2026 09:15:30'],
    ['14', '2812', 'Dec 2028'],
    ['22', '021', 'magnetic stripe, PIN can be entered'],
    ['39', '68', 'response too late'],
    ['39', '116', 'insufficient funds'],
    ['39', '199', 'denied'],
    ['39', '0000', 'approved'],
    ['49', '392', 'JPY'],
    [
      '54',
      '1002360C0000000100001001360D000000000500',
      'available balance IDR 100.00; ledger balance IDR -5.00',
    ],
    ['90', '020000012211200915300000000045100000000000', '0200 stan 000122 of 20 Nov 09:15:30'],
    ['55.95', '8000000000', 'no offline data authentication'],
    ['55.9F34', '420300', 'enciphered PIN, online'],
    ['55.9A', '261120', '20 Nov 2026'],
    ['55.9F1A', '0360', 'Indonesia'],
  ]
  for (const [path, value, means] of rows) {
    t.equal(meaningOf(path, value, beside), means, `${path} ${value}`)
  }
  t.equal(mtiMeaning('0421'), 'reversal advice, acquirer, repeat, 1987')
  t.equal(mtiMeaning('2110'), 'authorization response, acquirer, 2003')
  t.equal(mtiMeaning('9900'), undefined)
})

test('a card number is not shown wherever it hides', async () => {
  const aNumber = fc
    .integer({ min: 13, max: 19 })
    .chain(length =>
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }),
    )
  fc.assert(
    fc.property(
      fc.stringMatching(/^[ -/:-~]*$/),
      aNumber,
      fc.stringMatching(/^[ -/:-~]*$/),
      (a, digits, b) => {
        const number = digits.join('')
        const shown = maskCards(`${a}${number}${b}`)
        if (!luhn(number)) return shown === `${a}${number}${b}`
        return shown.length === a.length + number.length + b.length && !shown.includes(number)
      },
    ),
  )
})

test('hostile input ends in an answer', async () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.string().map(one => Buffer.from(one)),
      ),
      bytes => {
        for (const { frames } of readings(bytes)) if (frames.length > 10_000) return false
        return diagnose([], bytes).length === 0
      },
    ),
    { numRuns: 500 },
  )
  for (const text of [
    '0 '.repeat(20_000),
    'aa:'.repeat(20_000),
    `${'0000: '.repeat(5000)}\n`,
    '{"mti":'.repeat(5000),
  ]) {
    readings(Buffer.from(text))
  }
})

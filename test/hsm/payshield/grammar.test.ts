import { deepStrictEqual, strictEqual } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { isNadiError } from '#base'
import { frame, FrameReader } from '../../../src/hsm/payshield/frame.ts'
import {
  COMMANDS,
  parseRequest,
  parseResponse,
  responseCodeOf,
  writeRequest,
  writeResponse,
} from '../../../src/hsm/payshield/grammar/index.ts'
import type { Command, CommandCode, Values } from '../../../src/hsm/payshield/grammar/index.ts'
import { HostRefusal } from '../../../src/hsm/payshield/host-codes.ts'
import { anyRequest, anyValues, CODES } from './arbitrary.ts'

/** Bytes compare as bytes, whichever class holds them. */
function plain(values: Values): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ]),
  )
}

t.test('what the client writes the simulator reads, for every command', async t => {
  const lmks = fc.option(fc.constantFrom('00', '07', '99'), { nil: undefined })
  for (const code of CODES) {
    const toEnd = (COMMANDS[code] as Command).request.some(field => field.kind === 'to-end')
    fc.assert(
      fc.property(anyRequest(code), lmks, (values, lmk) => {
        const named = toEnd ? undefined : lmk
        const text = writeRequest(code, values as never, named)
        const read = parseRequest(code, text.slice(2))
        deepStrictEqual(plain(read.values as never), plain(values))
        deepStrictEqual([read.lmk, read.trailer], [named, undefined])
      }),
      { numRuns: 40, endOnFailure: true },
    )
    t.pass(`${code}: ${COMMANDS[code].title}`)
  }
})

t.test('what the simulator writes the client reads, for every command', async t => {
  for (const code of CODES) {
    const { response } = COMMANDS[code] as Command
    const both = anyRequest(code).chain(request =>
      anyValues(response, request).map(values => ({ request, values })),
    )
    fc.assert(
      fc.property(both, ({ request, values }) => {
        const text = writeResponse(code, '00', values as never, request as never)
        const read = parseResponse(code, text, request as never)
        strictEqual(read.code, '00')
        deepStrictEqual(plain(read.values as never), plain(values))
      }),
      { numRuns: 40, endOnFailure: true },
    )
    t.pass(code)
  }
})

t.test('a request cut short is refused wherever it is cut, or is a shorter request', async t => {
  for (const code of CODES) {
    fc.assert(
      fc.property(anyRequest(code), values => {
        const text = writeRequest(code, values as never).slice(2)
        for (let length = 0; length < text.length; length++)
          readsOrRefuses(code, text.slice(0, length))
      }),
      { numRuns: 4 },
    )
  }
  t.pass('nothing but a refusal was thrown')
})

t.test('whatever characters come, reading gives values or a refusal', async t => {
  const anyText = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map(n => String.fromCharCode(n)),
    maxLength: 200,
  })
  fc.assert(
    fc.property(fc.constantFrom(...CODES), anyText, (code, text) => {
      readsOrRefuses(code, text)
    }),
    { numRuns: 2000 },
  )
  t.pass('nothing but a refusal was thrown')
})

function readsOrRefuses(code: CommandCode, text: string): void {
  try {
    parseRequest(code, text)
  } catch (error) {
    if (!(error instanceof HostRefusal)) throw error
  }
}

t.test('what is wrong with a request decides the error code', async t => {
  const zpk = 'U1EF828AA8F6B80EB83E19FBC373F3A85'
  const rows: [title: string, code: CommandCode, text: string, wanted: string][] = [
    ['nothing of a key', 'CA', '', '15'],
    ['a key cut short', 'CA', zpk.slice(0, 20), '15'],
    ['a letter that is no scheme', 'CA', `Q${'0'.repeat(32)}`, '26'],
    ['a digit of a key that is none', 'CA', `U${'0'.repeat(31)}G`, '15'],
    ['an account that is no number', 'CA', `${zpk}${zpk}12${'0'.repeat(16)}0101ABCDEFGHIJKL`, '22'],
    ['a PIN block format that is no number', 'CA', `${zpk}${zpk}12${'0'.repeat(16)}XX01`, '23'],
    ['one character too many', 'CA', `${zpk}${zpk}12${'0'.repeat(16)}01011234567890123`, '15'],
    ['an LMK that is no number', 'CA', `${zpk}${zpk}12${'0'.repeat(16)}0101123456789012%X1`, '13'],
    ['a block whose length is no number', 'BU', 'FFFS0X072', '15'],
    ['a block longer than the message', 'BU', 'FFFS00072K0TB00E0001', '15'],
    ['a length flag that is none', 'BU', `004${zpk}`, '05'],
    ['a scheme that is none', 'A0', '0001Q', '26'],
    ['one component', 'A4', '1', '03'],
    ['a mode that is none', 'M6', '9', '02'],
    ['a data format that is none', 'M6', '09', '03'],
    ['an algorithm that is none', 'M6', '0009', '04'],
    ['a padding that is none', 'M6', '00019', '09'],
    ['fewer characters than the length says', 'M6', `00011003${zpk}0010AB`, '06'],
    ['more characters than the length says', 'M6', `00011003${zpk}0001ABC`, '15'],
    ['an odd number of hexadecimal digits', 'M6', `01011003${zpk}0003ABC`, '06'],
    ['data that is not hexadecimal', 'M6', `01011003${zpk}0002XY`, '15'],
    ['a length that is none', 'M6', `00011003${zpk}00G0`, '06'],
    ['an output format that is none', 'M0', '0009', '04'],
    ['less to echo than it says', 'B2', '0005ABCD', '80'],
    ['more to echo than it says', 'B2', '0003ABCD', '15'],
    ['an account without its end', 'CW', `${zpk}4123456789012345`, '15'],
    ['a hash that is none', 'GM', '99', '05'],
    ['an empty chain', 'NK', '000', '52'],
    ['a chain that ends too early', 'NK', '0020002NC', '15'],
    ['a command in a chain that ends too early', 'NK', '0010009NC', '80'],
    ['a trailer longer than 32 characters', 'NC', `\x19${'T'.repeat(33)}`, '15'],
    ['something behind a message without fields', 'RA', 'X', '15'],
    ['a PIN under the LMK that is too short', 'JG', `${zpk}01123456789012012`, '15'],
  ]
  for (const [title, code, text, wanted] of rows) {
    let refused: unknown
    try {
      parseRequest(code, text)
    } catch (error) {
      refused = error
    }
    t.equal(refused instanceof HostRefusal && refused.code, wanted, title)
  }
})

t.test('tails come in any order, and the trailer is told from them', async t => {
  const rows: [title: string, code: CommandCode, text: string, lmk: unknown, trailer: unknown][] = [
    ['LMK before the header of a block', 'A0', '0FFFS%01#P0T2B00E00', '01', undefined],
    ['LMK behind it', 'A0', '0FFFS#P0T2B00E00%01', '01', undefined],
    ['a trailer', 'NC', '\x19the end', undefined, 'the end'],
    ['an LMK and a trailer', 'NC', '%02\x19', '02', ''],
  ]
  for (const [title, code, text, lmk, trailer] of rows) {
    const read = parseRequest(code, text)
    t.same([read.lmk, read.trailer], [lmk, trailer], title)
  }
})

t.test('a value that does not fit its field is told by name and never by content', async t => {
  const rows: [title: string, write: () => string, path: string][] = [
    ['a key cut short', () => writeRequest('MA', { tak: 'U1234', data: new Uint8Array() }), 'tak'],
    ['letters for digits', () => writeRequest('N0', { length: 'abc' }), 'length'],
    ['nothing at all', () => writeRequest('N0', {} as never), 'length'],
    ['another than the choices', () => writeRequest('NO', { mode: '77' as never }), 'mode'],
    ['text for bytes', () => writeRequest('B2', { data: 'secret' as never }), 'data'],
    [
      'more than two bytes can count',
      () => writeRequest('B2', { data: new Uint8Array(65_536) }),
      'data',
    ],
  ]
  for (const [title, write, path] of rows) {
    try {
      write()
      t.fail(title)
    } catch (error) {
      t.ok(isNadiError(error, 'HSM_REQUEST') && error.path === path, title)
      t.notMatch(String(error), /U1234|abc|77|secret/)
    }
  }
})

t.test('an answer that is not the command’s own cannot be read', async t => {
  const request = { lmkCheckValue: '' }
  for (const text of [
    '',
    'ND',
    'ND0',
    'NE00',
    'ND0012',
    `ND00${'0'.repeat(16)}1500-0023X`,
    'ND00XX',
  ]) {
    t.throws(() => parseResponse('NC', text, request as never), { code: 'HSM_RESPONSE' }, text)
  }
  t.same(parseResponse('NC', 'ND68', {}), { code: '68', values: undefined, trailer: undefined })
})

t.test('the second character of the answer goes up by one', async t => {
  const rows = [
    ['A0', 'A1'],
    ['CA', 'CB'],
    ['CY', 'CZ'],
    ['NO', 'NP'],
    ['B2', 'B3'],
    ['M8', 'M9'],
    ['ZZ', 'ZZ'],
    ['Z9', 'Z9'],
    ['A\xff', 'A\xff'],
  ] as const
  for (const [code, wanted] of rows) t.equal(responseCodeOf(code), wanted)
})

t.test('frames are told apart however the stream is cut', async () => {
  const messages = fc.array(
    fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map(n => String.fromCharCode(n)),
      minLength: 1,
      maxLength: 300,
    }),
    { maxLength: 8 },
  )
  fc.assert(
    fc.property(
      messages,
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(message => frame(message)))
        const reader = new FrameReader()
        const got: string[] = []
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1
          reader.push(bytes.subarray(at, at + size), one => got.push(one.toString('latin1')))
          at += size
        }
        deepStrictEqual(got, sent)
        strictEqual(reader.bytesPending, 0)
      },
    ),
  )
})

t.test('a length of zero or above the limit ends the stream', async t => {
  const rows: [bytes: number[], limit: number | undefined, throws: boolean][] = [
    [[0, 0], undefined, true],
    [[0, 9], 8, true],
    [[0xff, 0xff], 8, true],
    [[0xff, 0xff], undefined, false],
    [[0, 8], 8, false],
  ]
  for (const [bytes, limit, throws] of rows) {
    const push = (): void => new FrameReader(limit).push(Uint8Array.from(bytes), () => {})
    if (throws) t.throws(push, { code: 'FRAME_LENGTH' })
    else t.doesNotThrow(push)
  }
  t.throws(() => frame(''), { code: 'FRAME_LENGTH' })
  t.throws(() => frame('x'.repeat(65_536)), { code: 'FRAME_LENGTH' })
  t.equal(frame('x'.repeat(65_535)).length, 65_537)
})

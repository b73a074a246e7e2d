import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import * as fc from 'fast-check'
import t from 'tap'
import { fromHex, toHex } from '#base'
import { compileSpec, type PlainValue } from '#iso8583'
import type { FieldSpec } from '../../../src/iso8583/codec/spec.ts'
import { compileTable, tableSchema, toTable, type TableText } from '#iso8583/tables'
import { aMessageSpec } from './arbitrary.ts'

/** A table of one element, 9, as the given line or block says it. */
function element(line: string, defaults = ''): FieldSpec | string {
  const text = `${defaults}\nfields:\n  9: ${line}\n`
  const { spec, problems } = compileTable([{ path: 'x.yaml', text }])
  return spec ? (spec.fields[0] as FieldSpec) : problems.map(({ text }) => text).join('; ')
}

const ascii = (digits: number) => ({ form: 'prefix', encoding: 'ascii', digits, inclusive: false })
const zeros = { side: 'left', char: '0', trim: false }
const spaces = { side: 'right', char: ' ', trim: false }

t.test('a line says an element', async t => {
  const binary = 'defaults: { digits: bcd-left-0, lengths: bcd }'
  const rows: [line: string, expected: object, defaults?: string][] = [
    [
      'n 6 trace',
      {
        name: 'trace',
        content: 'n',
        data: 'ascii',
        length: { form: 'fixed' },
        size: 6,
        pad: zeros,
      },
    ],
    ['ans 15', { name: '', content: 'ans', size: 15, pad: spaces }],
    ['LLVAR n ..19 product', { length: ascii(2), size: 19, unit: 'characters' }],
    [
      'LLLVAR ans ..999 private data, hidden',
      { name: 'private data', length: ascii(3), mask: 'hidden' },
    ],
    ['LLVAR n 13..19, pan', { size: 19, sizeMin: 13, mask: 'pan' }],
    ['b 64 bits mac', { content: 'b', data: 'binary', size: 8, unit: 'bytes' }],
    ['b 8', { size: 8 }],
    ['x+n 8 fee', { content: 'x+n', size: 9, data: 'ascii', pad: zeros }],
    ['x+n 8 fee', { data: 'sign-bcd', size: 9 }, binary],
    ['n 3', { data: 'bcd-left-0', unit: 'digits', size: 3 }, binary],
    [
      'LLVAR z ..37, track',
      { data: 'bcd-left-0', length: { ...ascii(2), encoding: 'bcd' } },
      binary,
    ],
    ['LLVAR ans ..25', { data: 'ascii', length: { ...ascii(2), encoding: 'bcd' } }, binary],
    [
      'LLVAR ans ..25',
      { data: 'ebcdic-500', length: { ...ascii(2), encoding: 'ebcdic' } },
      'defaults: { text: ebcdic-500 }',
    ],
    [
      'LVAR b ..254, length binary inclusive',
      { length: { form: 'prefix', encoding: 'binary', digits: 1, inclusive: true } },
    ],
    ['LLVAR n ..19, bcd-right-f, counts encoded', { data: 'bcd-right-f', unit: 'encoded' }],
    ['LLVAR b ..40, hex-ascii, counts nibbles', { data: 'hex-ascii', unit: 'nibbles' }],
    ['n 6, exact', { pad: undefined }],
    ['ans 8, trimmed', { pad: { ...spaces, trim: true } }],
    ['ans 8, zeros left trimmed', { pad: { ...zeros, trim: true } }],
    ['ans 8, pad 0x2c right', { pad: { side: 'right', char: ',', trim: false } }],
    ['LLVAR ans ..20, filled', { filled: true, pad: { ...spaces, trim: true } }],
    ['LLVAR cn ..19', { content: 'n', data: 'bcd-right-f', unit: 'digits' }],
    ['rest ans ..500 all of it', { length: { form: 'rest' }, size: 500 }],
    ['ber b ..500', { length: { form: 'ber' } }],
    ['any 0 a bit', { size: 0 }],
    ['until 0x1c ans ..20 name', { length: { form: 'until', terminator: '1C', open: false } }],
    [
      "'until # or end ans ..20 name, hidden'",
      { length: { form: 'until', terminator: '23', open: true }, mask: 'hidden', pad: undefined },
    ],
    [
      "'until # ans ..20, ebcdic-037'",
      { length: { form: 'until', terminator: '7B', open: false }, data: 'ebcdic-037' },
    ],
    [
      'until 0x0d0a n 1..6 count',
      { length: { form: 'until', terminator: '0D0A', open: false }, size: 6, sizeMin: 1 },
    ],
    [`'n 12 "amount, transaction"'`, { name: 'amount, transaction' }],
  ]
  for (const [line, expected, defaults] of rows) t.match(element(line, defaults), expected, line)
})

t.test('a line that cannot be is told with what is allowed', async t => {
  const rows: [line: string, expected: RegExp | string][] = [
    ['LLVR n ..19 pan', /is not an element; write/],
    ['nn 6', /"nn" is not a class; did you mean "an"\?/],
    ['n 6 trace, hiden', /"hiden" is not an option; did you mean "hidden"\?/],
    ['n ..6', 'a length of ..6 varies: write "LLVAR n ..6"'],
    ['LLVAR n 6', 'LLVAR varies: write "LLVAR n ..6"'],
    ['LLVAR n ..100', /a length of 99 is the longest that can be said; the size is 100/],
    ['b 7 bits', '7 bits are no whole bytes'],
    ['n 7 bits', 'bits are counted in class b only'],
    ['n 6, pan, track', /two options say the same thing/],
    ['an 6, bcd-left-0', /class an cannot be written in BCD/],
    ['n 6, binary', /class n cannot be written as binary/],
    ['n 6, length bcd', 'it has no length before it'],
    ['n 6, filled', /only a length before it can say how much/],
    ['b 8, trimmed', 'there is no padding that could be trimmed'],
    ['LLLLLLVAR ans ..9999999', /is larger than 999999/],
    ['until # ans ..20', /a # stands in quotes, or is written as 0x23/],
    ['until 0x1c ans 20', 'what ends at a terminator varies: write "until 0x1c ans ..20"'],
    ['until FS ans ..20', /"FS" is no terminator; write until # or until 0x1c/],
    ['until 0x1 ans ..20', /"0x1" is no terminator/],
    ['until 0x1c ans ..20, filled', /only a length before it can say how much/],
    ['until 0x1c ans ..20, length bcd', 'it has no length before it'],
    ['until 0x1c ans ..0', 'its size is 0'],
    [
      '{ is: LLLVAR b ..99, ber-tlv: { 9F02: until 0x1c n ..12 } }',
      /its length stands behind the tag/,
    ],
    [`n${' '.repeat(2000)}6`, /is not an element/],
  ]
  for (const [line, expected] of rows) t.match(element(line), expected, line.slice(0, 40))
})

/** Everything wrong with a table, as `line: text`. */
function problemsOf(text: string, ...others: TableText[]): string[] {
  const { problems = [] } = compileTable([{ path: 'x.yaml', text }, ...others])
  return problems.map(({ path, text }) => `${path.replace('x.yaml:', '')} ${text}`)
}

t.test('everything that is wrong is told at once, with its line', async t => {
  const text = `tabel: x
bitmap: hexx, secondary
mti: ascii, 1988
defaults: { digits: bcd }
fields:
  2: LLVAR n ..19 account, pam
  0129: n 3
  200: n 3
  48:
    tagged: {}
  55:
    is: LLLVAR b ..255
    ber-tlv: { 9F2: n 12, 9A: LLVAR n ..6 }
    tag: ascii 2
  60: [ n 3 ]
  127:
    is: LLLVAR b ..999
    bitmap: binary, 2 bytes
    bitmapped: { 1: n 1, 17: n 1 }
messages:
  request: { mandatory: 2 }
  0210: { mandatory: 2 3, echoed: 9-7, alowed: { 2: x } }
`
  const problems = problemsOf(text)
  const expected: RegExp[] = [
    /^1 "tabel" is not known here; did you mean "table"\?/,
    /^4 "bcd" is none of them/,
    /^2 "hexx" says nothing about a bitmap/,
    /^3 "1988" says nothing about an MTI; did you mean "1987"\?/,
    /^6 "pam" is not an option; did you mean "pan"\?/,
    /^7 "0129" is not a number/,
    /^10 it has no "is"/,
    /^13 "9F2" is not a BER tag/,
    /^13 its length stands behind the tag/,
    /^14 "tag" stands beside tagged only/,
    /^15 "60" is followed by its line/,
    /^21 "request" is not an MTI; write 0200 or 02.0, or say "mti:" below it/,
    /^22 "alowed" is not known here; did you mean "allowed"\?/,
    /^22 "9-7" runs backward/,
    /^8 200: the bitmap names elements from 2 to 128/,
    /^19 127\.17: the bitmap names elements from 1 to 16/,
  ]
  const contradiction = 'fields: { 2: n 3 }\nmessages: { 0200: { mandatory: 2 4, forbidden: 2 } }'
  t.same(problemsOf(contradiction), [
    '2 messages: element 4 is not in the table',
    '2 messages: 2 is mandatory and forbidden',
  ])
  for (const pattern of expected) {
    t.ok(
      problems.some(problem => pattern.test(problem)),
      `${pattern}`,
    )
  }
})

/** A dialect with one rule about element 38, 48.2 or another. */
function ruled(rule: string, path = '38'): string {
  return `fields:
  3: n 6
  22: n 3
  25: n 2
  35: LLVAR z ..37
  38: an 6
  39: an 2
  48: { is: LLLVAR ans ..99, positional: { 1: an 1, 2: an 1 }, shorter: allowed }
messages:
  0210:
    mandatory: 3
    conditional:
      ${path}: ${rule}
`
}

t.test('what must be there can depend on what else is', async t => {
  const rows: [rule: string, fields: Record<string, PlainValue>, problems: string[], path?: string][] = [
    ['when 39 is 00', { 39: '00' }, ['38 mandatory: the field when 39 is 00']],
    ['when 39 is 00', { 39: '00', 38: 'A' }, []],
    ['when 39 is 00', { 39: '05', 38: 'A' }, []],
    ['when 39 is 00', { 38: 'A' }, []],
    ['when 39 is 00|10, else forbidden', { 39: '10' }, ['38 mandatory: the field when 39 is 00|10']],
    ['when 39 is 00|10, else forbidden', { 39: '05', 38: 'A' }, ['38 forbidden: no such field unless 39 is 00|10']],
    ['when 39 is 00|10, else forbidden', { 38: 'A' }, ['38 forbidden: no such field unless 39 is 00|10']],
    ['forbidden when 39 is not 00', { 39: '05', 38: 'A' }, ['38 forbidden: no such field when 39 is not 00']],
    ['forbidden when 39 is not 00', { 38: 'A' }, []],
    ['forbidden when 39 is not there, else mandatory', { 39: '05' }, ['38 mandatory: the field unless 39 is not there']],
    ['when 22 starts 05|07', { 22: '051' }, ['38 mandatory: the field when 22 starts 05|07']],
    ['when 22 starts 05|07', { 22: '021' }, []],
    ['when 22 does not start 05', { 22: '021' }, ['38 mandatory: the field when 22 does not start 05']],
    ['when 22 does not start 05', {}, []],
    ['when 39 is 00 and 25 is there', { 39: '00' }, []],
    ['when 39 is 00 and 25 is there', { 39: '00', 25: '00' }, ['38 mandatory: the field when 39 is 00 and 25 is there']],
    ['when 39 is 00 and 25 is there or 22 starts 9', { 22: '900' }, ['38 mandatory: the field when 39 is 00 and 25 is there or 22 starts 9']],
    ['when 48.1 is "A"|"x y"', { 48: { 1: 'A' } }, ['38 mandatory: the field when 48.1 is A|"x y"']],
    ['when 25 is there', { 25: '00', 48: { 1: 'A' } }, ['48.2 mandatory: the field when 25 is there'], '48.2'],
    ['when 25 is there', { 25: '00', 48: { 1: 'A', 2: 'B' } }, [], '48.2'],
  ] // prettier-ignore
  for (const [rule, fields, expected, path] of rows) {
    const { spec, problems } = compileTable([{ path: 'x.yaml', text: ruled(rule, path) }])
    t.equal(problems, undefined, rule)
    const codec = compileSpec(spec as NonNullable<typeof spec>)
    const message = codec.parse(
      codec.fromPlain({ mti: '0210', fields: { 3: '000000', ...fields } }),
    )
    const found = codec.validate(message)
    t.same(
      found.map(({ path, rule, expected }) => `${path} ${rule}: ${expected}`),
      expected,
      `${rule}: ${JSON.stringify(fields)}`,
    )
    for (const { code, text } of found) {
      t.equal(code, 'CODEC_RULE')
      t.match(text, /^it (?:is missing: mandatory|must not be there: forbidden) (?:when|unless) /)
    }
    t.same(compileTable([{ path: 'x.yaml', text: toTable(spec as NonNullable<typeof spec>) }]).spec?.overlays, spec?.overlays) // prettier-ignore
  }
})

t.test('a condition that cannot be is told with its line', async t => {
  const rows: [rule: string, expected: string | RegExp, path?: string][] = [
    ['if 39 is 00', /^13 "if 39 is 00" is not a condition; write "when 39 is 00, else forbidden"/],
    ['when', /is not a condition/],
    ['when 39', /^13 "the end" cannot stand behind "39"/],
    ['when 39 is', /"the end" cannot stand behind "is"/],
    ['when 39 equals 00', /"equals" cannot stand behind "39"; write "3 is 00\|01"/],
    ['when 39 is 00 nor 25 is there', /"nor" cannot stand behind "00"/],
    ['when 39 is 00 and', /"the end" cannot stand behind "and"/],
    ['when 39 is 00|', /"00\|" cannot stand behind "is"/],
    ['when 39 is or 00', /"or" cannot stand behind "is"/],
    [`when 39 is "00`, /cannot stand behind "is"/],
    ['when DE39 is 00', /"DE39" cannot stand behind "when"/],
    ['when 39 is 00, else mandatory', /it is mandatory in either case: say so under "mandatory:"/],
    ['[ when 39 is 00 ]', /"38" is followed by its condition/],
    [`when ${'39 is 00 and '.repeat(200)}3 is there`, /is not a condition/],
    ['when 40 is 00', '13 messages.conditional.38: element 40 is not in the table'],
    ['when 48.3 is 0', '13 messages.conditional.38: there is no part 48.3 in the table'],
    ['when 39.1 is 0', '13 messages.conditional.38: there is no part 39.1 in the table'],
    ['when 39 is 00', '13 messages.conditional.40: element 40 is not in the table', '40'],
    ['when 39 is 00', /"DE38" is not an element/, 'DE38'],
    [
      'when 39 is 00',
      '13 messages.conditional.3: it has a condition and is always mandatory or forbidden',
      '3',
    ],
  ]
  for (const [rule, expected, path] of rows) {
    t.match(problemsOf(ruled(rule, path)).join('\n'), expected, rule.slice(0, 40))
  }
  const { spec } = compileTable([{ path: 'x.yaml', text: ruled('when 39 is 00') }])
  if (!spec) return t.fail('it compiles')
  const overlays = spec.overlays.map(overlay => ({ ...overlay, mandatory: ['48.9'] }))
  t.throws(() => compileSpec({ ...spec, overlays }), {
    code: 'CODEC_SPEC',
    path: '48.9',
  })
})

t.test('a table extends others', async t => {
  const base = {
    path: 'base.yaml',
    text: `
title: the base
bitmap: binary, primary only
fields:
  2: LLVAR n ..19 account, pan
  3: n 6
  48: LLLVAR ans ..999 private
  55: { is: LLLVAR b ..255, ber-tlv: { 9A: n 6 date, 9C: n 2 kind } }
`,
  }
  const text = `
table: own
extends: base
defaults: { digits: bcd-left-0 }
fields:
  3: none
  11: n 6 trace
  48: { tag: ascii 2, length: ascii 2, tagged: { '01': ans ..10 first } }
  55: { ber-tlv: { 9C: none, 9F02: n 12 } }
`
  const { spec, problems } = compileTable([{ path: 'own.yaml', text }, base])
  t.equal(problems, undefined)
  t.match(spec, { name: 'own', title: 'own', bitmap: { encoding: 'binary', most: 1 } })
  t.same(
    spec?.fields.map(({ id, data }) => `${id} ${data}`),
    ['2 bcd-left-0', '11 bcd-left-0', '48 ascii', '55 binary'],
  )
  t.match(spec?.fields[2], {
    name: 'private',
    children: { kind: 'tagged', fields: [{ id: '01', name: 'first' }] },
  })
  t.match(spec?.fields[3]?.children, { fields: [{ id: '9A' }, { id: '9F02' }] })

  t.match(problemsOf('extends: bse\nfields: {}', base), [
    /^1 no table is called "bse"; did you mean "base"\?/,
  ])
  const primary = compileTable([
    { path: 'own.yaml', text: 'extends: big\nfields: { 60-70: none, 80: n 3 }' },
    { path: 'big.yaml', text: 'bitmap: hex, primary only\nfields: { 64: b 8, 65: n 3 }' },
  ])
  t.same(
    primary.problems,
    [
      {
        path: 'own.yaml:2',
        text: '80: the bitmap names elements from 2 to 64; is there a further bitmap?',
      },
    ],
    'what is inherited and cannot be announced is left out, what is said is a mistake',
  )
  const wrong = { path: 'wrong.yaml', text: 'fields: { 2: nn 6 }' }
  const inherited = compileTable([{ path: 'x.yaml', text: 'extends: wrong\nfields: {}' }, wrong])
  t.match(
    inherited.problems,
    [{ path: 'wrong.yaml:1' }],
    'an inherited mistake is told where it stands',
  )
})

t.test('hostile texts are told and never hang', async t => {
  const circle = [
    { path: 'a.yaml', text: 'extends: b\nfields: {}' },
    { path: 'b.yaml', text: 'extends: a\nfields: {}' },
  ]
  t.match(compileTable(circle).problems, [{ text: /extend one another in a circle/ }])
  const laughs = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 12; i++)
    laughs.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i === 1 ? '' : i - 1}`)
        .join(', ')}]`,
    )
  const rows: [title: string, text: string, expected: RegExp][] = [
    ['a billion laughs', laughs.join('\n'), /aliases|is not known here/],
    ['brackets without end', 'fields: ' + '['.repeat(200_000), /nested deeper/],
    ['dashes without end', '- '.repeat(100_000), /nested deeper/],
    [
      'a deep map',
      Array.from({ length: 900 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /nested deeper/,
    ],
    ['too long', '#'.repeat(1_000_001), /longer than 1000000/],
    ['not YAML', 'fields: {2: n 6', /./],
    ['a list', '- 2', /a table has "fields:"/],
    ['nothing', '', /a table has "fields:"/],
    ['a complex key', '? {a: b}\n: c', /a key must be plain text/],
    ['twice the same', 'fields: {2: n 3, 2: n 4}', /unique/],
    ['control characters', '\u0000\u0001', /./],
    ['a prototype', 'fields: { __proto__: n 3, constructor: n 3 }', /is not a number/],
  ]
  for (const [title, text, expected] of rows) t.match(problemsOf(text).join('\n'), expected, title)
  t.equal(compileTable([]).problems?.length, 1)
})

t.test('what is written reads back as the same spec, whatever it is', async () => {
  fc.assert(
    fc.property(aMessageSpec(), spec => {
      const text = toTable(spec)
      const back = compileTable([{ path: 'x.yaml', text }])
      assert.deepEqual(back.problems ?? [], [], text)
      assert.deepEqual(back.spec, spec, text)
    }),
    { numRuns: 150 },
  )
})

t.test('any text is a spec or a list of problems', async () => {
  const words = fc.constantFrom(
    'fields:',
    '  2: ',
    'n 6',
    'LLVAR ans ..9',
    '\n',
    '  is: ',
    'ber-tlv:',
    '{',
    '}',
    ', ',
    '"',
    'messages:',
    '    9A: ',
    'extends: x',
  )
  fc.assert(
    fc.property(
      fc.array(fc.oneof(words, fc.string({ maxLength: 4 })), { maxLength: 20 }),
      parts => {
        const { spec, problems } = compileTable([{ path: 'x.yaml', text: parts.join('') }])
        return (spec === undefined) !== (problems === undefined)
      },
    ),
    { numRuns: 500 },
  )
})

const shipped = readdirSync('specs')
  .filter(name => name.endsWith('.yaml'))
  .map(name => ({ path: `specs/${name}`, text: readFileSync(`specs/${name}`, 'utf8') }))

const ascii7 = (text: string) => toHex(Buffer.from(text.replaceAll(' ', ''), 'latin1'))

t.test('the shipped standards', async t => {
  const frames: Record<string, readonly [fields: Record<string, string>, hex: string]> = {
    'iso8583-1987-ascii': [
      { 3: '000000', 4: '000000012345', 28: 'C00000100', 39: '00' },
      ascii7('0210 3000001002000000 000000 000000012345 C00000100 00'),
    ],
    'iso8583-1987-binary': [
      {
        2: '4111111111111111119',
        3: '000000',
        28: 'C00000100',
        70: '301',
        97: 'D0000000000000001',
      },
      `0210 e000001000000000 0400000080000000 19 41111111111111111190 000000 4300000100 0301 440000000000000001`,
    ],
    'iso8583-1993-ascii': [
      { 12: '261122103000', 39: '000', 55: '9F0206000000012345' },
      ascii7('1210 0010000002000200 261122103000 000 009') + '9f0206000000012345',
    ],
    'iso8583-1993-binary': [
      { 24: '200', 52: '0123456789ABCDEF' },
      `1210 0000010000001000 0200 0123456789abcdef`,
    ],
    'iso8583-2003-ascii': [
      { 4: '3600000000012345', 21: 'Aabcdefghijklmno011234' },
      ascii7('2210 1000080000000000 3600000000012345 Aabcdefghijklmno011234'),
    ],
    'iso8583-2003-binary': [
      { 4: '3600000000012345', 55: '5A0841111111111111119A03261122' },
      `2210 1000000000000200 3600000000012345 0015 5a0841111111111111119a03261122`,
    ],
  }
  for (const table of shipped) {
    const { spec, problems } = compileTable([table, ...shipped])
    t.equal(problems, undefined, table.path)
    if (!spec) continue
    t.same(compileTable([{ path: 'x.yaml', text: toTable(spec) }]).spec, spec, 'reads back')
    const codec = compileSpec(spec)
    const sample = frames[spec.name]
    if (!sample) {
      t.equal(spec.name, 'emv-chip-data')
      continue
    }
    t.same(
      spec.fields.map(({ id }) => Number(id)),
      Array.from({ length: 127 }, (_, at) => at + 2),
    )
    for (const [id, mask] of [
      ['2', 'pan'],
      ['35', 'track'],
      ['52', 'pin'],
    ] as const) {
      t.equal(spec.fields.find(field => field.id === id)?.mask, mask)
    }
    const frame = fromHex(sample[1]) as Uint8Array
    const message = codec.parse(frame)
    for (const [id, value] of Object.entries(sample[0]))
      t.equal(message.get(Number(id)), value, `${spec.name} ${id}`)
    t.equal(toHex(message.draft().build()), toHex(frame))
  }
})

t.test('the chip is read in every standard that has it', async t => {
  for (const name of ['iso8583-1993-ascii', 'iso8583-2003-binary']) {
    const table = shipped.find(({ path }) => path.includes(name)) as TableText
    const { spec } = compileTable([table, ...shipped])
    const chip = spec?.fields.find(({ id }) => id === '55')
    t.match(chip?.children, { kind: 'ber-tlv', unknown: 'keep' })
    const tags = chip?.children?.kind === 'ber-tlv' ? chip.children.fields : []
    t.match(
      tags.find(({ id }) => id === '5A'),
      { mask: 'pan', data: 'bcd-right-f' },
    )
    t.match(
      tags.find(({ id }) => id === '57'),
      { mask: 'track' },
    )
  }
})

t.test('the packs read as tables', async t => {
  const path = 'protocols/pln-2003-111/fields.yaml'
  const { spec, problems } = compileTable([{ path, text: readFileSync(path, 'utf8') }])
  t.equal(problems, undefined)
  t.equal(spec?.fields.length, 16)
})

t.test('the schema for editors is that of the checker, and knows the shipped tables', async t => {
  const file = 'schema/iso8583-table.schema.json'
  const now = `${JSON.stringify(tableSchema(), undefined, 2)}\n`
  if (process.env.NADI_WRITE_SCHEMA) writeFileSync(file, now)
  const text = readFileSync(file, 'utf8')
  t.same(JSON.parse(text), JSON.parse(now), 'NADI_WRITE_SCHEMA=1 writes it anew')
  const { pattern } = JSON.parse(text).definitions.line as { pattern: string }
  for (const { text } of shipped) {
    for (const [, line = ''] of text.matchAll(/^ {2,}'?[0-9A-F]+'?: ([^'{#\n].*)$/gm)) {
      t.match(line, new RegExp(pattern))
    }
  }
})

t.test('the worked example of the documentation is right', async t => {
  const doc = readFileSync('docs/describe-a-dialect.md', 'utf8')
  const blocks = [...doc.matchAll(/^```(\w+) ?(\S*)\n([^]*?)^```$/gm)]
  const tables = new Map(
    blocks.flatMap(([, kind, path = '', text = '']) =>
      kind === 'yaml' ? [[path, { path, text }] as const] : [],
    ),
  )
  const wrong = new Set(blocks.flatMap(([, kind, path]) => (kind === 'problems' ? [path] : [])))
  const compiled = (table: TableText) => compileTable([table, ...tables.values(), ...shipped])
  for (const table of tables.values()) {
    if (!wrong.has(table.path)) t.equal(compiled(table).problems, undefined, table.path)
  }
  let message: string | undefined
  for (const [, kind, path = '', text = ''] of blocks) {
    const table = tables.get(path)
    if (kind === 'problems' && table) {
      const { problems = [] } = compiled(table)
      t.same(
        problems.map(({ path, text }) => `${path}: ${text}`),
        text.trim().split('\n'),
      )
    }
    if (kind === 'hex' && table) {
      const { spec } = compiled(table)
      const codec = compileSpec(spec as NonNullable<typeof spec>)
      const frame = codec.parse(fromHex(text) as Uint8Array)
      t.same(codec.validate(frame), [])
      message = JSON.stringify(frame.toPlain())
      t.equal(toHex(codec.fromPlain(frame.toPlain())), text.replace(/\s/g, ''))
    }
    if (kind === 'json') {
      t.same(JSON.parse(message ?? 'null'), JSON.parse(text))
      message = undefined
    }
  }
  t.equal(message, undefined, 'every frame is told')
  const kinds = Map.groupBy(blocks, ([, kind]) => kind)
  t.same(
    [kinds.get('yaml')?.length, kinds.get('hex')?.length, kinds.get('problems')?.length],
    [4, 2, 2],
  )
})

t.test('bitmaps, layouts by message, and what the codec makes of them', async t => {
  const rows: [
    title: string,
    table: string,
    mti: string,
    fields: Record<string, PlainValue>,
    hex: string,
  ][] = [
    [
      'a third bitmap inside of an element',
      'bitmap: binary, tertiary in 65\nfields: { 3: n 6, 130: n 3 }',
      '0200',
      { 3: '000001', 130: '123' },
      `30323030 a000000000000000 8000000000000000 303030303031 4000000000000000 313233`,
    ],
    [
      'a third bitmap behind the second',
      'bitmap: binary, tertiary\nfields: { 3: n 6, 130: n 3 }',
      '0200',
      { 3: '000001', 130: '123' },
      `30323030 a000000000000000 8000000000000000 4000000000000000 303030303031 313233`,
    ],
    [
      'bit 1 is an element',
      'mti: bcd\nbitmap: hex, always\nfields: { 1: n 2 }',
      '0200',
      { 1: '07' },
      `0200 38303030303030303030303030303030 3037`,
    ],
    [
      'another layout in answers',
      `mti: bcd
bitmap: binary, primary only
fields: { 39: an 2, 48: LLLVAR ans ..99 }
messages: { answers: { mti: 02.0, response: '00', fields: { 48: { is: LLLVAR ans ..99, positional: { 1: n 2, 2: ans 3 } } } } }`,
      '0210',
      { 39: '00', 48: { 1: '01', 2: 'abc' } },
      `0210 0000000002010000 3030 303035 3031616263`,
    ],
  ]
  for (const [title, text, mti, fields, hex] of rows) {
    const { spec, problems } = compileTable([{ path: 'x.yaml', text }])
    t.equal(problems, undefined, title)
    if (!spec) continue
    const codec = compileSpec(spec)
    const frame = codec.fromPlain({ mti, fields })
    t.equal(toHex(frame), hex.replaceAll(' ', ''), title)
    t.same(codec.parse(frame).toPlain(), { mti, fields }, title)
    t.same(compileTable([{ path: 'x.yaml', text: toTable(spec) }]).spec?.bitmap, spec.bitmap)
  }
  t.match(problemsOf('bitmap: binary, tertiary in 65\nfields: { 65: b 8 }'), [
    /^2 65: it holds the third bitmap/,
  ])
})

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import t from 'tap'
import { fromHex, toHex } from '#base'
import { compileSpec, type IsoCodec, type PlainValue } from '#iso8583'
import {
  exportMoov,
  fieldSpecOfJposClass,
  type ImportResult,
  importJpos,
  importMoov,
  JPOS_CLASSES,
} from '#iso8583/import'
import { compileTable, toTable } from '#iso8583/tables'
import { aMessageSpec } from '../tables/arbitrary.ts'

/** The elements of an import as our table writes them, and its notes as `line: text`. */
function told(result: ImportResult): { table: string; notes: string[] } {
  if (!result.spec) return { table: '', notes: result.problems.map(line) }
  const table = toTable(result.spec).replace(/^(?:table|title): .*\n/gm, '')
  return { table: `\n${table}`, notes: result.notes.map(line) }
}

const line = ({ path, text }: { path: string; text: string }) =>
  `${path.replace(/^.*:/, '')}: ${text}`

// jPOS ---------------------------------------------------------------------------------------

t.test('a field class of jPOS is a line of our table', async t => {
  const rows: [className: string, length: number, pad: boolean, line: string][] = [
    ['IFA_NUMERIC', 6, false, 'n 6'],
    ['IF_CHAR', 15, false, 'ans 15'],
    ['IFA_LLNUM', 19, false, 'LLVAR n ..19'],
    ['IFA_LLLCHAR', 999, false, 'LLLVAR ans ..999'],
    ['IFA_AMOUNT', 9, false, 'x+n 8'],
    ['IFA_BINARY', 8, false, 'b 8, hex-ascii'],
    ['IFA_LLABINARY', 40, false, 'LLVAR b ..40, hex-ascii'],
    ['IFA_FLLCHAR', 20, false, 'LLVAR ans ..20, filled'],
    ['IFA_LLBNUM', 19, true, 'LLVAR n ..20, bcd-left-0, counts nibbles'],
    ['IFB_NUMERIC', 3, true, 'n 3, bcd-left-0'],
    ['IFB_NUMERIC', 3, false, 'n 3, bcd-right-0'],
    ['IFB_FNUMERIC', 3, false, 'n 3, bcd-right-f'],
    ['IFB_HEX', 5, false, 'h 5, bcd-right-f, counts digits'],
    ['IFB_AMOUNT', 9, true, 'x+n 8, sign-bcd'],
    ['IFB_AMOUNT', 9, false, 'x+n 8, sign-bcd-right-0'],
    ['IFB_AMOUNT2003', 16, true, 'n 16, bcd-left-0, exact'],
    ['IFB_LLHNUM', 19, false, 'LVAR n ..19, bcd-right-0, length binary'],
    ['IFB_LLLHCHAR', 700, false, 'LLVAR ans ..700, length binary'],
    ['IFB_LLLLBINARY', 9999, false, 'LLLLVAR b ..9999, length bcd'],
    ['IFB_LLHEX', 20, false, 'LLVAR b ..40, length bcd, counts nibbles'],
    ['IFB_LLHFBINARY', 20, false, 'LVAR b ..20, length binary, filled'],
    ['IFE_SIGNED_NUMERIC', 5, false, 'n 5, zoned-ebcdic'],
    ['IFE_LLLCHAR', 99, false, 'LLLVAR ans ..99, ebcdic-1047, length ebcdic'],
    ['IFEB_LLNUM', 19, false, 'LLVAR n ..10, bcd-right-f, length ebcdic, counts encoded'],
    ['IF_NOP', 0, false, 'any 0, exact'],
    ['org.jpos.iso.IFB_BINARY ', 8, false, 'b 8'],
    ['IF_FSTCHAR', 20, false, 'until 0x5c ans ..20'],
    ['IF_FSTBINARY', 20, false, 'until 0xff b ..20'],
  ]
  for (const [className, length, pad, expected] of rows) {
    const field = fieldSpecOfJposClass(className, { id: '2', name: '', length, pad })
    const { spec } = compileTable([{ path: 'x', text: `fields: { 2: '${expected}' }` }])
    t.same(field, spec?.fields[0], `${className} ${length} ${pad}`)
  }
  t.equal(fieldSpecOfJposClass('IF_TCHAR', { id: '2', name: '', length: 1, pad: false }), undefined)
  const tokens: [className: string, token: string, line: string | undefined][] = [
    ['IF_TCHAR', '#', 'until # ans ..999999'],
    ['IF_TCHAR', '\r\n', 'until 0x0d0a ans ..999999'],
    ['IF_TCHAR', '12345', undefined],
    ['IF_FSTCHAR', '|', 'until | ans ..9'],
    ['IF_FSTBINARY', '1c', 'until 0x1c b ..9'],
    ['IF_FSTBINARY', '#', undefined],
  ]
  for (const [className, token, expected] of tokens) {
    const field = fieldSpecOfJposClass(className, {
      id: '2',
      name: '',
      length: 9,
      pad: false,
      token,
    })
    const { spec } = compileTable([{ path: 'x', text: `fields: { 2: '${expected}' }` }])
    t.same(field, spec?.fields[0], `${className} ${token}`)
  }
})

t.test('every class makes a field that compiles', async t => {
  for (const className of Object.keys(JPOS_CLASSES)) {
    const token = className === 'IF_TCHAR' ? { token: '#' } : {}
    const jpos = { id: '2', name: 'x', length: 8, pad: false, ...token }
    const field = fieldSpecOfJposClass(className, jpos)
    const bitmap = { encoding: 'binary', bytes: 8, extension: 'auto', most: 2 } as const
    const mti = { encoding: 'ascii', versions: [] } as const
    const spec = {
      name: 'x',
      title: 'x',
      headerBytes: 0,
      mti,
      bitmap,
      fields: [field],
      overlays: [],
    }
    t.doesNotThrow(() => compileSpec(spec as Parameters<typeof compileSpec>[0]), className)
  }
})

const HEAD = `<?xml version="1.0"?>
<!DOCTYPE isopackager PUBLIC "-//jPOS//DTD" "http://nowhere.invalid/generic-packager-1.0.dtd">
<isopackager>
<isofield id="0" length="4" name="MTI" class="org.jpos.iso.IFA_NUMERIC"/>
<isofield id="1" length="16" name="BIT MAP" class="org.jpos.iso.IFA_BITMAP"/>
`
/** Line 6 is the first of `fields`. */
function jpos(fields: string): { table: string; notes: string[] } {
  const { table, notes } = told(importJpos('x.xml', `${HEAD}${fields}\n</isopackager>`))
  return { table: table.replace(/^defaults:\n(?: .*\n)+/m, ''), notes }
}
const table = (fields: string) => `\nmti: ascii\nbitmap: hex-ascii, secondary\nfields:\n${fields}`

t.test('a packager of jPOS becomes a table', async t => {
  const sub = 'org.jpos.iso.packager.GenericSubFieldPackager'
  const rows: [title: string, xml: string, fields: string, notes: (string | RegExp)[]][] = [
    [
      'masks come from the standard',
      '<isofield id="2" length="19" name="PAN" class="org.jpos.iso.IFA_LLNUM"/><isofield id="35" length="37" name="TRACK 2" class="org.jpos.iso.IFA_LLNUM"/>',
      '  2: LLVAR n ..19 PAN, pan\n  35: LLVAR z ..37 TRACK 2, track\n',
      [],
    ],
    [
      'the last of two holds, and spaces do not matter',
      '<isofield id="3" length="6" name=" A\n  B " class=" org.jpos.iso.IFA_NUMERIC "/>\n<isofield id="3" length="8" name="C" class="IFA_NUMERIC"/>',
      '  3: n 8 C\n',
      ['8: id 3 is there twice; this one, the last, holds'],
    ],
    [
      'what jPOS does not load is taken as far as it can be',
      '<isofield id="56" length="255" name="x" class="org.jpos.iso.IFB_LLCHAR"/>',
      '  56: LLVAR ans ..99 x\n',
      [
        '6: the length 255 of 56 is too long for IFB_LLCHAR, so jPOS does not load it; it is taken as 99',
      ],
    ],
    [
      'what cannot be said is told',
      '<isofield id="4" length="9" name="x" class="a.b.IF_TCHAR"/><isofield id="7" length="9" name="z" class="IFMC_TCC"/><isofield id="8" length="9" name="t" token="#" class="IF_TCHAR"/>\n<isofield id="5" length="9" name="x" class="my.own.Thing"/>\n<isofield id="6" length="3" name="y" class="IF_CHAR"><isofieldvalidator class="x"/></isofield><isovalidator class="z"/>',
      '  6: ans 3 y\n  8: "until # ans ..999999 t"\n',
      [
        '6: IF_TCHAR of 4 has no token that ends it; it is left out',
        /^6: IFMC_TCC of 7 cannot be said: whether it is there shows only in the character/,
        '7: class "Thing" of 5 is not known; the element is left out',
        /^8: <isovalidator> is passed over/,
      ],
    ],
    [
      'parts one after the other',
      `<isofieldpackager id="43" length="40" name="place" class="org.jpos.iso.IFA_LLCHAR" packager="${sub}" emitBitmap="false" firstField="0">
<isofield id="0" length="25" name="name" class="org.jpos.iso.IF_CHAR" trim="true"/><isofield id="1" length="3" name="country" class="org.jpos.iso.IFA_NUMERIC"/></isofieldpackager>`,
      '  43:\n    is: LLVAR ans ..40 place\n    shorter: allowed\n    positional:\n      0: ans 25 name, trimmed\n      1: n 3 country\n',
      [],
    ],
    [
      'parts with their own bitmap, whose bit 1 is a part',
      `<isofieldpackager id="127" length="999" name="x" class="org.jpos.iso.IFA_LLLBINARY" packager="${sub}" bitmapField="0"><isofield id="0" length="16" name="b" class="org.jpos.iso.IFB_BITMAP"/>
<isofield id="1" length="2" name="one" class="org.jpos.iso.IF_CHAR"/></isofieldpackager>`,
      '  127:\n    is: LLLVAR b ..999 x\n    bitmap: binary, always\n    bitmapped:\n      1: ans 2 one\n',
      [],
    ],
    [
      'a header before the bitmap',
      `<isofieldpackager id="55" length="255" name="x" class="org.jpos.iso.IFE_LLLBINARY" packager="org.jpos.iso.packager.GenericPackager" emitBitmap="true" bitmapField="0" firstField="0" headerLength="1">
<isofield id="0" length="4" name="b" class="org.jpos.iso.IFE_BITMAP"/><isofield id="2" length="3" name="two" class="org.jpos.iso.IFE_NUMERIC"/></isofieldpackager>`,
      '  55:\n    is: LLLVAR b ..255 x\n    bitmap: hex-ebcdic, always, 4 bytes\n    header: 1 byte\n    bitmapped:\n      2: n 3 two, ebcdic-1047\n',
      [],
    ],
    [
      'tags behind a length that counts them',
      `<isofieldpackager id="48" length="999" name="x" class="org.jpos.iso.IFA_LLLBINARY" packager="org.jpos.iso.packager.EuroSubFieldPackager">
<isofield id="1" length="18" name="one" class="org.jpos.iso.IFEP_LLCHAR"/></isofieldpackager>`,
      '  48:\n    is: LLLVAR b ..999 x\n    tag: ascii 2\n    length: ascii 2\n    order: length first, counting the tag\n    unknown: error\n    tagged:\n      "01": ans ..18 one\n',
      [],
    ],
    [
      'tags of four characters, unknown ones kept',
      `<isofieldpackager id="48" length="99" name="x" token="0000" class="org.jpos.iso.IFA_LLLCHAR" packager="org.jpos.tlv.packager.TaggedSequencePackager">
<isofield id="1" length="99" token="####" name="any" class="org.jpos.tlv.packager.IFTA_LLLCHAR"/><isofield id="2" length="9" token="0012" name="when" class="org.jpos.tlv.packager.IFTA_LLLNUM"/></isofieldpackager>`,
      '  48:\n    is: LLLVAR ans ..99 x\n    tag: ascii 4\n    length: ascii 3\n    unknown: keep\n    tagged:\n      "0012": n ..9 when\n',
      [],
    ],
    [
      'tags of a packager that says their sizes',
      `<isofieldpackager id="62" length="99" name="x" class="org.jpos.iso.IFA_LLLCHAR" packager="org.jpos.iso.packager.GenericTaggedFieldsPackager" tagSize="3" lenSize="2" swapTagAndLen="true" tagMapper="x"><isofield id="7" length="9" name="seven" class="org.jpos.iso.IFA_TTTLLLCHAR"/></isofieldpackager>`,
      '  62:\n    is: LLLVAR ans ..99 x\n    tag: ascii 3\n    length: ascii 2\n    order: length first\n    unknown: keep\n    tagged:\n      "007": ans ..9 seven\n',
      [],
    ],
    [
      'the chip and datasets',
      `<isofieldpackager id="55" length="255" name="chip" class="org.jpos.iso.IFA_LLLBINARY" packager="org.jpos.tlv.packager.bertlv.BERTLVBinaryPackager"/>
<isofieldpackager id="104" length="999" name="d" class="org.jpos.iso.IFA_LLLBINARY" packager="org.jpos.iso.packager.DatasetPackager"><isofield id="1" length="2" name="one" class="org.jpos.iso.IF_CHAR"/></isofieldpackager>`,
      '  55:\n    is: LLLVAR b ..255 chip\n    unknown: keep\n    ber-tlv: {}\n  104:\n    is: LLLVAR b ..999 d\n    unknown: keep\n    datasets:\n      01-70:\n        tlv: {}\n      71-FE:\n        dbm:\n          1: ans 2 one\n',
      [],
    ],
    [
      'a packager of someone',
      '<isofieldpackager id="60" length="9" name="x" class="org.jpos.iso.IFA_LLLCHAR" packager="my.own.Packager"/>',
      '  60: LLLVAR ans ..9 x\n',
      ['6: packager "Packager" is not known; its parts are left together'],
    ],
  ]
  for (const [title, xml, fields, notes] of rows) {
    const { table: text, notes: found } = jpos(xml)
    t.equal(
      text.replaceAll(`'`, '"'),
      table(fields)
        .replace(/^( +)"?(\d+)"?:/gm, '$1$2:')
        .replaceAll(/^( +)(0\d+):/gm, '$1$2:'),
      title,
    )
    t.match(found, notes, title)
    t.equal(found.length, notes.length, title)
  }
})

t.test('what a packager says of the whole message', async t => {
  const rows: [xml: string, expected: string][] = [
    [
      '<isopackager headerLength="9"><isofield id="0" length="4" name="m" class="IFB_NUMERIC"/><isofield id="1" length="16" name="b" class="IFB_BITMAP"/>',
      'header: 9 bytes\nmti: bcd\nbitmap: binary, secondary',
    ],
    [
      '<isopackager><isofield id="0" length="4" name="m" class="IFE_NUMERIC"/><isofield id="1" length="24" name="b" class="IFE_BITMAP"/>',
      'mti: ebcdic-1047\nbitmap: hex-ebcdic, tertiary',
    ],
    [
      '<isopackager thirdBitmapField="65"><isofield id="0" length="4" name="m" class="IFA_NUMERIC"/><isofield id="1" length="16" name="b" class="IFB_BITMAP"/><isofield id="65" length="8" name="b" class="IFB_BITMAP"/>',
      'mti: ascii\nbitmap: binary, tertiary in 65',
    ],
    [
      '<isopackager><isofield id="0" length="4" name="m" class="IFA_NUMERIC"/><isofield id="1" length="8" name="b" class="IFB_BITMAP"/>',
      'mti: ascii\nbitmap: binary, primary only',
    ],
    [
      '<isopackager emitBitmap="false"><isofield id="0" length="4" name="m" class="IFA_NUMERIC"/>',
      'mti: ascii\nbitmap: none, primary only',
    ],
    [
      '<isopackager><isofield id="0" length="4" name="m" class="IFA_NUMERIC"/><isofield id="1" length="19" name="pan" class="IFA_FLLNUM"/>',
      'mti: ascii\nbitmap: hex-ascii, always',
    ],
  ]
  for (const [xml, expected] of rows) {
    const { table: text } = told(importJpos('x.xml', `${xml}</isopackager>`))
    t.match(text, expected)
  }
})

t.test('hostile XML is told and never hangs', async t => {
  const laughs = `<!DOCTYPE isopackager [<!ENTITY a "ha">${Array.from({ length: 20 }, (_, i) => `<!ENTITY b${i} "&b${i - 1};&b${i - 1};">`).join('')}]>`
  const rows: [title: string, xml: string, expected: RegExp][] = [
    ['nothing', '', /it has no element/],
    ['no XML', 'fields: {}', /./],
    ['another document', '<html/>', /<html> is not <isopackager>/],
    ['not closed', '<isopackager>\n<isofield', /^[12]: unclosed|unexpected end/],
    [
      'a billion laughs',
      `${laughs}<isopackager><isofield id="2" length="1" name="&b19;" class="IF_CHAR"/></isopackager>`,
      /invalid character entity/,
    ],
    [
      'an entity from a file',
      '<!DOCTYPE isopackager [<!ENTITY x SYSTEM "file:///etc/passwd">]><isopackager>&x;</isopackager>',
      /invalid character entity/,
    ],
    [
      'too deep',
      `<isopackager>${'<isofieldpackager id="2">'.repeat(50_000)}`,
      /nested deeper than 16/,
    ],
    [
      'too many',
      `<isopackager>${'<isofield id="2"/>'.repeat(30_000)}</isopackager>`,
      /more than 20000 elements/,
    ],
    ['too long', ' '.repeat(4_000_001), /longer than/],
    ['an unclosed attribute', `<isopackager a="${'x'.repeat(1_000_000)}`, /./],
  ]
  for (const [title, xml, expected] of rows) {
    t.match(told(importJpos('x.xml', xml)).notes.join('\n'), expected, title)
  }
  const numbers = importJpos(
    'x.xml',
    '<isopackager><isofield id="2" length="99999999999" class="IF_CHAR"/><isofield id="x"/></isopackager>',
  )
  t.match(numbers.notes?.map(line), [/x="?|id="x" is not a number/, /it has no id/].slice(0, 1))
})

t.test('any XML of the vocabulary is a spec or a list of problems', async () => {
  const word = fc.constantFrom(
    '<isopackager>',
    '</isopackager>',
    '<isofield id="3" length="6" class="IFA_NUMERIC"/>',
    '<isofieldpackager id="4" length="99" class="IFA_LLCHAR" packager="x.GenericSubFieldPackager">',
    '</isofieldpackager>',
    '<isofield id="1" length="16" class="IFB_BITMAP"/>',
    '<!--',
    '-->',
    '<![CDATA[',
    '&lt;',
    '<',
    '"',
    '<isofield id="0" length="-1" class="IFEP_LLCHAR" token="##"/>',
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), parts => {
      const { spec, problems } = importJpos('x.xml', `<isopackager>${parts.join('')}</isopackager>`)
      return (spec === undefined) !== (problems === undefined)
    }),
    { numRuns: 500 },
  )
})

// jPOS messages: only where the user has its packagers, which may not be shipped with us -------

const folder = process.env.NADI_JPOS_PACKAGERS
t.test(
  'messages that jPOS packed',
  { skip: folder ? false : 'NADI_JPOS_PACKAGERS names no folder' },
  async t => {
    const packagers =
      folder && existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.xml')) : []
    const codecs = new Map<string, IsoCodec>()
    for (const name of packagers) {
      const { spec, problems } = importJpos(
        name,
        readFileSync(join(folder as string, name), 'latin1'),
      )
      t.equal(problems, undefined, name)
      if (!spec) continue
      codecs.set(name, compileSpec(spec))
      t.same(compileTable([{ path: name, text: toTable(spec) }]).spec, spec, `${name} reads back`)
    }
    type Vector = {
      packager: string
      hex: string
      roundtrip: boolean
      fields: Record<string, string | { hex: string }>
    }
    const lines = readFileSync('test/iso8583/import/jpos-messages.jsonl', 'utf8').trim().split('\n')
    for (const [index, json] of lines.entries()) {
      const { packager, hex, roundtrip, fields } = JSON.parse(json) as Vector
      const codec = codecs.get(packager)
      if (!codec) continue
      const plain = codec.parse(fromHex(hex) as Uint8Array).toPlain()
      const values = Object.entries(fields).map(([id, value]) => [
        id,
        typeof value === 'string' ? value : value.hex.toUpperCase(),
      ])
      assert.deepEqual(
        flat({ 0: plain.mti, ...plain.fields }),
        Object.fromEntries(values),
        `line ${index + 1}`,
      )
      if (roundtrip) assert.equal(toHex(codec.fromPlain(plain)), hex, `line ${index + 1}`)
    }
  },
)

/** Values by path, tags without leading zeros, as jPOS has them. */
function flat(value: PlainValue, path = ''): Record<string, string> {
  if (typeof value === 'string') return { [path]: value }
  const entries = Object.entries(value).flatMap(([id, inner]) => {
    const own = path === '' ? id : `${path}.${id.replace(/^0+(?=.)/, '')}`
    return Object.entries(flat(inner, own))
  })
  return Object.fromEntries(entries)
}

// moov -----------------------------------------------------------------------------------------

const MOOV = `{
	"name": "bank",
	"fields": {
		"0": { "type": "String", "length": 4, "enc": "ASCII", "prefix": "ASCII.Fixed" },
		"1": { "type": "Bitmap", "enc": "HexToASCII", "prefix": "Hex.Fixed" },
		"3": { "type": "Numeric", "length": 6, "description": "code", "enc": "ASCII", "prefix": "ASCII.Fixed", "padding": { "type": "Left", "pad": "0" } },
		"2": { "type": "String", "length": 19, "description": "account", "enc": "ASCII", "prefix": "ASCII.LL" },
		"41": { "type": "String", "length": 8, "enc": "EBCDIC1047", "prefix": "EBCDIC.Fixed", "padding": { "type": "Right", "pad": " " } },
		"52": { "type": "Binary", "length": 8, "enc": "HexToASCII", "prefix": "Hex.Fixed" },
		"53": { "type": "Hex", "length": 48, "enc": "Binary", "prefix": "Binary.L" },
		"54": { "type": "String", "length": 20, "enc": "BCD", "prefix": "BCD.LL" },
		"62": { "type": "String", "length": 9, "enc": "LBCD", "prefix": "Hex.L" },
		"43": { "type": "Composite", "length": 40, "prefix": "ASCII.Fixed", "tag": { "sort": "StringsByInt" }, "subfields": {
			"10": { "type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.Fixed" },
			"2": { "type": "String", "length": 38, "enc": "ASCII", "prefix": "ASCII.Fixed" } } },
		"48": { "type": "Composite", "length": 999, "prefix": "ASCII.LLL", "tag": { "length": 2, "enc": "ASCII", "padding": { "type": "Left", "pad": "0" }, "sort": "StringsByInt", "skipUnknownTLVTags": true, "prefUnknownTLV": "ASCII.LL" }, "subfields": {
			"1": { "type": "String", "length": 12, "enc": "ASCII", "prefix": "ASCII.LL" } } },
		"55": { "type": "Composite", "length": 255, "prefix": "ASCII.LLL", "tag": { "enc": "BerTLVTag", "sort": "StringsByHex" }, "subfields": {
			"9F02": { "type": "Binary", "length": 6, "enc": "Binary", "prefix": "BerTLV" },
			"9A": { "type": "Binary", "length": 3, "enc": "Binary", "prefix": "BerTLV" } } },
		"127": { "type": "Composite", "length": 999, "prefix": "Binary.LL", "bitmap": { "type": "Bitmap", "length": 2, "enc": "Binary", "prefix": "Binary.Fixed", "disableAutoExpand": true }, "subfields": {
			"1": { "type": "Numeric", "length": 2, "enc": "ASCII", "prefix": "ASCII.Fixed" } } }
	}
}`

t.test('a spec of moov becomes a table', async t => {
  const result = importMoov('bank.json', MOOV)
  const { table: text, notes } = told(result)
  t.same(notes, [])
  t.equal(
    text,
    `
mti: ascii
bitmap: hex-ascii, secondary
fields:
  2: LLVAR ans ..19 account, pan
  3: n 6 code
  41: ans 8, ebcdic-1047, trimmed
  43:
    is: b 40
    positional:
      2: ans 38, exact
      10: ans 2, exact
  48:
    is: LLLVAR b ..999
    tag: ascii 2
    length: ascii 2
    unknown: keep
    tagged:
      01: ans ..12
  52: b 8, pin, hex-ascii
  53: LVAR b ..48, length binary
  54: LLVAR n ..20, bcd-left-0, length bcd
  55:
    is: LLLVAR b ..255
    unknown: error
    ber-tlv:
      9A: b ..3
      9F02: b ..6
  62: LLVAR n ..9, bcd-right-0, length hex-ascii
  127:
    is: LLVAR b ..999, length binary
    bitmap: binary, always, 2 bytes
    bitmapped:
      1: n 2, exact
`,
  )
  // From moov's own tests: two tags of a chip behind a length of three digits.
  const codec = compileSpec(result.spec as NonNullable<typeof result.spec>)
  const frame = Buffer.concat([
    Buffer.from('08000000000000000200', 'latin1'),
    fromHex('3031349a032107209f0206000000000501') as Uint8Array,
  ])
  const message = codec.parse(frame)
  t.same([message.at('55.9A'), message.at('55.9F02')], ['210720', '000000000501'])
  t.equal(toHex(codec.fromPlain(message.toPlain())), toHex(frame))
})

t.test('what is exported imports as the same spec', async t => {
  const { spec } = importMoov('bank.json', MOOV)
  const { text, notes } = exportMoov(spec as NonNullable<typeof spec>)
  t.same(notes, [])
  t.same(importMoov('bank.json', text).spec, spec)
  for (const name of readdirSync('specs')) {
    const texts = readdirSync('specs').map(file => ({
      path: file,
      text: readFileSync(`specs/${file}`, 'utf8'),
    }))
    const table = texts.find(({ path }) => path === name)
    const { spec } = compileTable([...(table ? [table] : []), ...texts])
    const first = importMoov('x.json', exportMoov(spec as NonNullable<typeof spec>).text)
    const again = importMoov(
      'x.json',
      exportMoov(first.spec as NonNullable<typeof first.spec>).text,
    )
    const { notes } = exportMoov(spec as NonNullable<typeof spec>)
    const lost = notes.filter(
      ({ path, text }) => /^\d+$/.test(path) && text.endsWith('the element is left out'),
    )
    t.equal((first.spec?.fields.length ?? 0) + lost.length, spec?.fields.length, name)
    t.same(again.spec, first.spec, `${name}: once in moov's words, it stays the same`)
  }
})

t.test('any spec can be exported, and what moov has not is noted', async t => {
  fc.assert(
    fc.property(aMessageSpec(), spec => {
      const { text, notes } = exportMoov(spec)
      const back = importMoov('x.json', text)
      assert.equal(back.problems, undefined)
      const kept = Object.keys((JSON.parse(text) as { fields: object }).fields).filter(
        id => Number(id) > 1,
      ).length
      assert.ok(kept === spec.fields.length || notes.length > 0)
    }),
    { numRuns: 150 },
  )
  const spec = compileTable([
    {
      path: 'x',
      text: `
header: 2 bytes
mti: ascii, 1987
fields:
  4: ans 3
  28: x+n 8
  40: LVAR ans ..9, length hex-bcd
  48: { is: LLLVAR ans ..99, tag: ascii 2, length: ascii 2, order: length first, tagged: { 'AB': n 2 } }
  104: { is: LLLVAR b ..99, datasets: { 71: { dbm: { 1: n 2 } } } }
messages: { 0200: { mandatory: 4 } }
`,
    },
  ]).spec
  t.same(
    exportMoov(spec as NonNullable<typeof spec>).notes.map(({ path, text }) => `${path}: ${text}`),
    [
      '4: moov takes the padding away when it reads',
      '28: moov does not know the sign of x+n; it is text there',
      '40: moov has not: such a length; the element is left out',
      '48: moov has no such tags; the element is written without its parts',
      '104: moov has no datasets; the element is written without its parts',
      'header: moov has no header before the MTI',
      'mti: moov accepts any version',
      'messages: moov has no rules by message type; they are left out',
    ],
  )
})

t.test('hostile JSON is told and never hangs', async t => {
  const field = (text: string) => `{ "fields": {\n"2": ${text} } }`
  const rows: [title: string, json: string, expected: RegExp][] = [
    ['nothing', '', /^1: it is not JSON/],
    ['a comma too many', '{ "fields": {\n"2": {},\n} }', /^3: it is not JSON/],
    ['another document', '{ "name": "x" }', /it has no "fields"/],
    ['a list', '[]', /it has no "fields"/],
    ['deep', '['.repeat(100_000) + ']'.repeat(100_000), /nested deeper|not JSON/],
    ['too long', `"${'x'.repeat(2_000_000)}"`, /longer than/],
    ['twice the same', '{ "fields": { "2": {}, "2": {} } }', /unique/],
    ['no number', '{ "fields": { "Field000": {} } }', /"Field000" is not the number of an element/],
    ['an unknown type', field('{ "type": "Strng" }'), /^2: type "Strng" of 2 is not known/],
    [
      'an unknown prefix',
      field('{ "type": "String", "prefix": "ASCI.LL" }'),
      /^2: the prefix ASCI.LL of 2 cannot be said/,
    ],
    [
      'an unknown encoding',
      field('{ "type": "String", "prefix": "ASCII.LL", "enc": "Moon" }'),
      /^2: the encoding Moon of 2 is not known/,
    ],
    ['a prototype', '{ "fields": { "__proto__": { "type": "String" } } }', /is not the number/],
  ]
  for (const [title, json, expected] of rows) {
    t.match(told(importMoov('x.json', json)).notes.join('\n'), expected, title)
  }
})

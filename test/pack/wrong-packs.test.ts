import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { compilePack, readSamples, type PackFiles, type Problem } from '#pack'
import { loadPacks } from '../../src/config/packs.ts'
import { A, B, PROTOCOLS, sources } from './packs.ts'

/**
 * Each row breaks the real pack in one place. The problem must be told at that place's own line
 * (found here by the text that was put in, or by another where the two must agree), once, in words that say what is allowed.
 */
type Row = [title: string, file: string, from: string, to: string, text: RegExp, told?: string]

const rows: Row[] = [
  // YAML itself
  ['not YAML', 'pack.yaml', 'match: [kind', 'match: ]kind', /flow/],
  [
    'a key twice',
    'pack.yaml',
    "  '0006': declined partner-blocked",
    "  '0005': declined partner-blocked",
    /unique/i,
  ],
  ['an alias', 'pack.yaml', 'policy: advise', 'policy: *advise', /./],
  // sections
  [
    'an unknown section',
    'pack.yaml',
    'title: PLN',
    'titel: PLN',
    /"titel" is not known here; there are title/,
  ],
  [
    'a section of the wrong shape',
    'pack.yaml',
    'match: [kind, trace, sentAt, bank, terminal, product]',
    'match: all',
    /match must be a list/,
  ],
  // field table
  [
    'a field that is no field',
    'fields.yaml',
    'n 12 partner central',
    'n twelve partner central',
    /is not an element; write/,
  ],
  [
    'an unknown class',
    'fields.yaml',
    'n 12 partner central',
    'num 12 partner central',
    /"num" is not a class/,
  ],
  [
    'an element that cannot be',
    'fields.yaml',
    '  40: n 3',
    '  65: n 3',
    /the bitmap names elements from 2 to 64/,
  ],
  [
    'an unknown bitmap',
    'fields.yaml',
    'bitmap: hex, primary only',
    'bitmap: octal',
    /"octal" says nothing about a bitmap; there are binary, hex/,
  ],
  // framing
  [
    'an unknown length',
    'pack.yaml',
    'length: 2 bytes big-endian',
    'length: 3 octets',
    /is not a form of length; there are 2 bytes/,
  ],
  [
    'an unknown count',
    'pack.yaml',
    'counts: body',
    'counts: everything',
    /counts is "everything"; there are body/,
  ],
  [
    'a trailer counted that is not there',
    'pack.yaml',
    'counts: body',
    'counts: body trailer',
    /there is none/,
  ],
  [
    'a frame without end',
    'pack.yaml',
    'frameBytesMax: 4096',
    'frameBytesMax: 99999999',
    /goes from 20 to/,
  ],
  [
    'a framing incomplete',
    'pack.yaml',
    'framing: { length: 2 bytes big-endian, counts: body, frameBytesMax: 4096 }',
    'framing: { counts: body, frameBytesMax: 4096 }',
    /"length" is missing/,
  ],
  [
    'a framing with more',
    'pack.yaml',
    'counts: body,',
    'counts: body, preamble: 2,',
    /"preamble" is not known here/,
  ],
  // conversation and recovery
  [
    'neither yes nor no',
    'pack.yaml',
    'signOn: yes',
    'signOn: maybe',
    /signOn is "maybe"; there are yes, no/,
  ],
  [
    'a time that is no number',
    'pack.yaml',
    'echoIdleMs: 60000',
    'echoIdleMs: 60s',
    /echoIdleMs is "60s"; it goes from 1/,
  ],
  [
    'an unknown policy',
    'pack.yaml',
    'policy: advise',
    'policy: hope',
    /policy is "hope"; there are reverse, advise, check/,
  ],
  ['no attempts', 'pack.yaml', 'attempts: 2', 'attempts: 0', /goes from 1 to 99/],
  [
    'recovery of an unknown product',
    'pack.yaml',
    '  pln-prepaid: { policy',
    '  pdam: { policy',
    /"pdam" is not known here/,
  ],
  [
    'a policy without its message',
    'pack.yaml',
    'pln-prepaid: { policy: advise',
    'pln-prepaid: { policy: check',
    /^pln-prepaid: check sends a status, and there is none among its messages: describe it, or/,
  ],
  // products and kinds
  [
    'a product twice',
    'pack.yaml',
    '99504: pln-nontaglis',
    '99504: pln-prepaid',
    /"pln-prepaid" has two codes/,
  ],
  [
    'an unknown kind',
    'pack.yaml',
    '  echo: {',
    '  ping: {',
    /"ping" is not a kind of message; there are sign-on/,
  ],
  [
    'a type that is no type',
    'pack.yaml',
    'request: 2100',
    'request: 21',
    /"21" is not a message type/,
  ],
  [
    'a type used twice',
    'pack.yaml',
    'payment: { request: 2200, response: 2210 }',
    'payment: { request: 2100, response: 2210 }',
    /"2100" is already inquiry/,
  ],
  [
    'a mark that cannot be read',
    'pack.yaml',
    'where: 40 is 301',
    'where: 40=301',
    /must read like "40 is 301"/,
  ],
  // match
  [
    'a key part that is no path',
    'pack.yaml',
    'match: [kind, trace,',
    'match: [kind, stan,',
    /"stan" cannot be part of a key/,
  ],
  [
    'a key part that is money',
    'pack.yaml',
    'match: [kind, trace,',
    'match: [kind, amountMinor,',
    /cannot be part of a key/,
  ],
  // layouts
  [
    'an unknown path',
    'pack.yaml',
    '- customer.meter? n11',
    '- customer.number? n11',
    /"customer.number" is not a path.*customer.id/,
  ],
  [
    'an unknown path in a list',
    'pack.yaml',
    '- penaltyMinor rupiah n9',
    '- fineMinor rupiah n9',
    /"bills\[\].fineMinor" is not a path.*bills\[\].penaltyMinor/,
  ],
  [
    'an unknown format',
    'pack.yaml',
    'token.number n20',
    'token.number 20n',
    /"20n" is not a format; there are n12/,
  ],
  [
    'a format of the wrong kind',
    'pack.yaml',
    'adminMinor rupiah n9',
    'adminMinor n9',
    /is for digits, text, but this is money/,
  ],
  [
    'money as a date',
    'pack.yaml',
    '- vatMinor rupiah n10',
    '- vatMinor YYYYMMDD',
    /is for date, but this is money/,
  ],
  ['an integer too wide', 'pack.yaml', 'token.kwhMax n5', 'token.kwhMax n16', /too wide/],
  [
    'codes of different width',
    'pack.yaml',
    'one of 2200=payment',
    'one of 2200=payment 24=reversal',
    /differ in width/,
  ],
  [
    'a line that is no line',
    'pack.yaml',
    '- token.option n1',
    '- token.option',
    /is not a line of a layout; write/,
  ],
  [
    'a count of what is no list',
    'pack.yaml',
    'count of token.unsold n1',
    'count of token.option n1',
    /is not a list/,
  ],
  [
    'a list of what is no list',
    'pack.yaml',
    'token.unsold? 0..9 of unsold',
    'token.option? 0..9 of unsold',
    /is not a list/,
  ],
  [
    'a list of an unknown layout',
    'pack.yaml',
    'token.unsold? 0..9 of unsold',
    'token.unsold? 0..9 of sold',
    /no layout is called "sold"; there are/,
  ],
  [
    'a rest that is not last',
    'pack.yaml',
    '- original.bank n7',
    '- original.bank n..7\n    - original.trace n12',
    /takes the rest, so it must be the last/,
  ],
  [
    'a layout that is no list',
    'pack.yaml',
    '  postpaid-asked: # 19\n    - switcher an7\n    - customer.id n12',
    '  postpaid-asked: customer.id n12',
    /postpaid-asked must be a list/,
  ],
  [
    'a layout too long for its element',
    'pack.yaml',
    '- bills 1..4 of bill',
    '- bills 1..9 of bill',
    /layout "postpaid-told" has 1120 characters, and element 48 has 999/,
    'approved: { answer, 4: amountMinor rupiah 360+e0+n12, 48: postpaid-told }',
  ],
  // messages
  [
    'an unknown product',
    'pack.yaml',
    '  pln-postpaid:\n    inquiry:',
    '  pln-postpay:\n    inquiry:',
    /"pln-postpay" is not a product; there are network, pln-postpaid/,
  ],
  [
    'an unknown kind of message',
    'pack.yaml',
    '    sign-on sign-off echo:',
    '    sign-on sign-off ping:',
    /"ping" is not a kind of message/,
  ],
  [
    'an element that the table lacks',
    'pack.yaml',
    '    33: partner\n    40: kind',
    '    34: partner\n    40: kind',
    /element 34 is not in the field table/,
  ],
  [
    'an element of an unknown layout',
    'pack.yaml',
    '48: prepaid-asked }',
    '48: prepaid-ask }',
    /no layout is called "prepaid-ask"; there are network/,
  ],
  [
    'an unknown set',
    'pack.yaml',
    'request: { network }',
    'request: { netwerk }',
    /no set is called "netwerk"; there are head/,
  ],
  [
    'neither an element nor a set',
    'pack.yaml',
    'request: { network }',
    'request: { network: all }',
    /"network" is neither an element nor a set/,
  ],
  [
    'a format that does not fit its element',
    'pack.yaml',
    '    12: sentAt YYYYMMDDhhmmss\n    33: partner\n',
    '    11: sentAt YYYYMMDDhhmmss\n    33: partner\n',
    /does not fit element 11, which has 12/,
  ],
  [
    'an answer without an outcome',
    'pack.yaml',
    '      approved: { network-answer }',
    '      approved: { network }',
    /no element says the outcome/,
  ],
  [
    'the outcome in two places',
    'pack.yaml',
    '  network-answer:\n    network:\n    39: outcome',
    '  network-answer:\n    network:\n    63: outcome',
    /outcome stands in element 63 elsewhere/,
    '  answer:\n    head:\n    39: outcome',
  ],
  [
    'a variant missing',
    'pack.yaml',
    '      declined: { network-answer, 48?: network }\n',
    '      # none\n',
    /"declined" is missing/,
  ],
  [
    'an unknown variant',
    'pack.yaml',
    '      declined: { network-answer, 48?: network }',
    '      refused: { network-answer, 48?: network }',
    /"refused" is not known here; there are request, approved, declined/,
  ],
  // codes
  [
    'an unknown meaning',
    'pack.yaml',
    "'0013': declined amount-invalid",
    "'0013': refused amount-invalid",
    /"refused" is not a meaning; there are approved/,
  ],
  [
    'an unknown reason',
    'pack.yaml',
    "'0013': declined amount-invalid",
    "'0013': declined bad-amount",
    /"bad-amount" is not a reason; there are/,
  ],
  [
    'an exception that cannot be read',
    'pack.yaml',
    'stands on reversal',
    'stands for reversal',
    /must read "stands on <kinds of message>"/,
  ],
  [
    'an exception for an unknown kind',
    'pack.yaml',
    'stands on reversal',
    'stands on refund',
    /"refund" is not a kind of message/,
  ],
  [
    'a rule of an unknown meaning',
    'pack.yaml',
    'declined on advice: unknown',
    'refused on advice: unknown',
    /"refused" is not a meaning/,
  ],
  [
    'a reason said by an unknown code',
    'pack.yaml',
    "  unavailable: '0005'",
    "  unavailable: '0055'",
    /"0055" is not in the table of codes/,
  ],
  [
    'an unknown reason said',
    'pack.yaml',
    "  unavailable: '0005'",
    "  not-now: '0005'",
    /"not-now" is not a reason/,
  ],
]

for (const [title, file, from, to, text, place = to] of rows) {
  t.test(`told with its line: ${title}`, async t => {
    const packs = sources()
    const files = packs.get(A) as Record<string, string>
    const before = files[file] as string
    t.ok(before.includes(from), 'the pack has what is to be broken')
    const broken = before.replace(from, to)
    packs.set(A, { ...files, [file]: broken })
    const problems = problemsOf(A, packs)
    const first = lineOf(broken, broken.indexOf(place))
    const last = first + place.trimEnd().split('\n').length - 1
    const told = problems.filter(
      one => text.test(one.text) && isAt(one, `${A}/${file}`, first, last),
    )
    t.equal(told.length, 1, JSON.stringify(problems, undefined, 1))
  })
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

/** A problem of what is missing stands at the map that misses it, up to a line before. */
function isAt({ path }: Problem, file: string, first: number, last: number): boolean {
  const line = Number(path.slice(file.length + 1))
  return path.startsWith(`${file}:`) && line >= first - 3 && line <= last
}

function problemsOf(name: string, packs: ReadonlyMap<string, PackFiles>): readonly Problem[] {
  const result = compilePack(name, packs)
  return 'problems' in result ? result.problems : []
}

t.test('all problems are told at once, each once', async t => {
  const packs = sources()
  const files = packs.get(A) as Record<string, string>
  const broken = (files['pack.yaml'] as string)
    .replace('signOn: yes', 'signOn: maybe')
    .replace('policy: advise', 'policy: hope')
    .replaceAll('customer.powerVa n9', 'customer.watts n9')
    .replace('    12: sentAt YYYYMMDDhhmmss', '    12: sentAt HHMM')
    .replace("'0013': declined amount-invalid", "'0013': refused amount-invalid")
  packs.set(A, { ...files, 'pack.yaml': broken })
  const problems = problemsOf(A, packs)
  const texts = problems.map(({ path, text }) => `${path} ${text}`)
  t.equal(new Set(texts).size, texts.length)
  for (const word of ['maybe', 'hope', 'watts', 'HHMM', 'refused']) {
    t.ok(
      texts.some(one => one.includes(`"${word}"`) || one.includes(word)),
      word,
    )
  }
  t.equal(texts.filter(one => one.includes('watts')).length, 5, 'each line of its own')
})

t.test('a reason without a code is told', async t => {
  const packs = sources()
  const files = packs.get(A) as Record<string, string>
  const broken = (files['pack.yaml'] as string)
    .replace(/\n {2}'0047'.*/, '')
    .replace(/\n {2}other:.*/, '')
  packs.set(A, { ...files, 'pack.yaml': broken })
  const texts = problemsOf(A, packs).map(({ text }) => text)
  t.ok(texts.some(text => /no code says "over-quota"/.test(text)))
  t.ok(texts.some(text => /"other" is missing/.test(text)))
})

t.test('what a pack inherits is told at the line where it stands', async t => {
  const packs = sources()
  const files = packs.get(A) as Record<string, string>
  const line = '- customer.meter? n11'
  const broken = (files['pack.yaml'] as string).replace(line, '- customer.metre? n11')
  packs.set(A, { ...files, 'pack.yaml': broken })
  const [problem, ...more] = problemsOf(B, packs)
  t.same(more, [])
  t.equal(problem?.path, `${A}/pack.yaml:${lineOf(broken, broken.indexOf('customer.metre'))}`)
})

t.test('a pack that extends nothing, itself, or in a circle', async t => {
  const texts: [files: Record<string, string>, text: RegExp][] = [
    [{ a: 'extends: c' }, /no pack is called "c"; there are none/],
    [{ a: 'extends: a' }, /"a" extends itself/],
    [{ a: 'extends: b', b: 'extends: a' }, /extends itself/],
    [{ a: '' }, /a pack must be a map/],
    [{ a: '- 1' }, /a pack must be a map/],
    [{ a: 'title: nothing else' }, /"fields" is missing/],
    [{ a: 'fields: nowhere' }, /no field table is called "nowhere"; there are/],
    [{ b: 'title: x' }, /there is no pack.yaml/],
    [{ a: `title: ${'['.repeat(40)}${']'.repeat(40)}` }, /nested deeper than 16/],
    [{ a: `title: ${'x'.repeat(1_000_001)}` }, /longer than/],
  ]
  for (const [files, text] of texts) {
    const packs = new Map(
      Object.entries(files).map(([name, yaml]): [string, PackFiles] => [
        name,
        { 'pack.yaml': yaml },
      ]),
    )
    const problems = problemsOf('a', packs)
    t.ok(
      problems.some(one => text.test(one.text)),
      `${text}`,
    )
  }
})

t.test('wrong samples are told with their line', async t => {
  const { problems, samples } = readSamples(
    's.yaml',
    "- title: one\n  frame: '2800'\n  message: { kind: echo, amount: 1 }\n- title: two\n- text\n- title: three\n  frame: x\n  message: { amountMinor: 1.5 }\n",
  )
  t.same(
    problems.map(({ path }) => path),
    ['s.yaml:3', 's.yaml:4', 's.yaml:4', 's.yaml:5', 's.yaml:8'],
  )
  t.equal(samples.length, 2)
})

t.test('packs are read from their folders, and problems name the file', async t => {
  const names = [...loadPacks(PROTOCOLS).packs.keys()]
  t.ok(names.includes(A) && names.includes(B))
  t.match(loadPacks('/nowhere/at/all').problems, [{ path: '/nowhere/at/all', text: /ENOENT/ }])
  const folder = mkdtempSync(join(tmpdir(), 'nadi-packs-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'one'))
  writeFileSync(join(folder, 'one', 'pack.yaml'), 'title: one\nframing: 2 bytes\n')
  writeFileSync(join(folder, 'README.md'), 'not a pack')
  const { packs, problems } = loadPacks(folder)
  t.equal(packs.size, 0)
  t.ok(
    problems.some(
      ({ path, text }) =>
        path === join(folder, 'one/pack.yaml:2') && /framing must be a map/.test(text),
    ),
  )
})

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Problem } from '#pack'
import { run } from '../../src/cli/program.ts'
import { paintFor } from '../../src/cli/terminal.ts'
import { PROTOCOLS } from '../pack/packs.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'nadi-pack-'))
process.once('exit', () => rmSync(FOLDER, { recursive: true, force: true }))

type Ended = { readonly code: number; readonly out: string; readonly err: string }

async function nadi(...args: string[]): Promise<Ended> {
  let out = ''
  let err = ''
  const code = await run(args, {
    out: text => void (out += `${text}\n`),
    err: text => void (err += `${text}\n`),
    env: { NADI_VAR: join(FOLDER, 'var') },
    paint: paintFor(false),
    interactive: false,
    ask: async () => '',
    readAll: async () => '',
  })
  return { code, out, err }
}

type Checked = {
  readonly ok: boolean
  readonly problems: readonly Problem[]
  readonly packs: readonly { readonly pack: string; readonly samples: number }[]
}

async function checked(...packs: string[]): Promise<Checked & { code: number }> {
  const { code, out } = await nadi('--json', 'pack', 'check', ...packs)
  return { code, ...(JSON.parse(out) as Checked) }
}

/** A shipped pack, somewhere else, with something changed in one of its files. */
function changed(name: string, as: string, file: string, from: string, to: string): string {
  const folder = join(FOLDER, as)
  cpSync(join(PROTOCOLS, name), folder, { recursive: true })
  const path = join(folder, file)
  const text = readFileSync(path, 'utf8')
  if (!text.includes(from)) throw new Error(`${name}/${file} has no ${from}`)
  writeFileSync(path, text.replace(from, to))
  return folder
}

t.test('every shipped pack is good, and its samples are read and written', async t => {
  const { code, problems, packs } = await checked()
  t.same(problems, [])
  t.equal(code, 0)
  t.ok(packs.length >= 12)
  t.ok(
    packs.every(({ samples }) => samples >= 10),
    'each has samples',
  )
})

t.test('everything wrong is told at once, with file and line', async t => {
  const code = changed('digiflazz', 'codes', 'samples.yaml', '"rc":"00","sn"', '"rc":"03","sn"')
  const amount = changed('pln-1987-jtl', 'layout', 'samples.yaml', 'trace: 000', 'trace: 100')
  const rows: [title: string, folder: string, says: RegExp[]][] = [
    ['a sample that says something else', code, [/samples\.yaml:\d+: sample "top-up delivered": /]],
    ['a value that is not on the wire', amount, [/samples\.yaml:\d+: .*trace: "1/, /from byte/]],
    [
      'two keys that are not known, and a format that does not exist',
      changed(
        'bpjs-soap',
        'keys',
        'pack.yaml',
        'products:',
        'colour: red\nshape: round\nproducts:',
      ),
      [/pack\.yaml:\d+: "colour" is not known/, /pack\.yaml:\d+: "shape" is not known/],
    ],
  ]
  for (const [title, folder, says] of rows) {
    const { code: exit, err } = await nadi('pack', 'check', folder)
    t.equal(exit, 1, title)
    for (const one of says) t.match(err, one, title)
  }
  const all = await checked(code, amount)
  t.equal(all.ok, false)
  t.ok(all.problems.length >= 3)
})

t.test(
  'a folder without samples or README is told so, and a pack that is not there is usage',
  async t => {
    const folder = changed('rajabiller', 'bare', 'README.md', 'Rajabiller', 'Rajabiller')
    rmSync(join(folder, 'samples.yaml'))
    rmSync(join(folder, 'README.md'))
    const { err, code } = await nadi('pack', 'check', folder)
    t.equal(code, 1)
    t.match(err, /samples\.yaml:1: there is no samples/)
    t.match(err, /README\.md:1: there is no README/)
    t.match(await nadi('pack', 'check', 'nobody'), { code: 2, err: /there is no pack nobody/ })
  },
)

const SKELETONS: readonly (readonly string[])[] = [
  ['--transport', 'iso8583'],
  ['--transport', 'http'],
  ['--transport', 'http', '--body', 'form'],
  ['--transport', 'http', '--body', 'xml', '--product', 'telkom'],
  ['--transport', 'http', '--body', 'soap'],
]
for (const [index, options] of SKELETONS.entries()) {
  t.test(`a new pack (${options.join(' ')}) is good at once`, async t => {
    const made = await nadi('pack', 'new', `begun-${index}`, ...options, '--in', FOLDER)
    t.match(made, { code: 0, err: '' })
    const { code, packs } = await checked(join(FOLDER, `begun-${index}`))
    t.equal(code, 0)
    t.match(packs, [{ pack: `begun-${index}`, samples: /^(9|11)$/, problems: [], notes: [] }])
    const text = readFileSync(join(FOLDER, `begun-${index}`, 'pack.yaml'), 'utf8')
    t.match(text, /FILL IN/)
    const again = await nadi('pack', 'new', `begun-${index}`, ...options, '--in', FOLDER)
    t.match(again, { code: 2, err: /is there already/ })
  })
}

t.test('a name that is none, and a body where there is none, are usage', async t => {
  for (const args of [
    ['../x', '--transport', 'http'],
    ['Air', '--transport', 'http'],
    ['air', '--transport', 'iso8583', '--body', 'json'],
    ['air', '--transport', 'ftp'],
    ['air'],
  ])
    t.equal((await nadi('pack', 'new', ...args, '--in', FOLDER)).code, 2, args.join(' '))
})

t.test('pack test: exit codes, the report, and what makes no sense', async t => {
  const report = join(FOLDER, 'report.md')
  const good = await nadi(
    'pack',
    'test',
    'pdam-nusoap',
    '--patience',
    '400ms',
    '--only',
    'one-bill',
    '--only',
    'asks',
    '--report',
    report,
  )
  t.match(good, { code: 0, out: /passed {2}pdam one-bill: paid; they have it paid/ })
  t.match(good.out, /2 passed, 0 failed, 0 not tried/)
  t.match(readFileSync(report, 'utf8'), /^# Conformance of pdam-nusoap\n[^]*## 2\. pdam: asks/)
  const { code, out } = await nadi(
    '--json',
    'pack',
    'test',
    'pdam-nusoap',
    '--patience',
    '400ms',
    '--only',
    'asks',
  )
  t.equal(code, 0)
  t.match(JSON.parse(out), { pack: 'pdam-nusoap', ok: true, cases: [{ name: 'asks' }] })
  // Nobody listens there.
  const nobody = ['--against', 'http://127.0.0.1:9', '--customer', 'pdam=1234567']
  const none = await nadi('pack', 'test', 'pdam-nusoap', '--patience', '200ms', ...nobody)
  t.equal(none.code, 1)
  const rows: [args: string[], says: RegExp][] = [
    [['pdam-nusoap', '--against', '127.0.0.1:9'], /must be a URL/],
    [['pln-2003-111', '--against', 'http://127.0.0.1:9'], /no address/],
    [['pdam-nusoap', '--customer', '12345'], /PRODUCT=NUMBER/],
    [['pdam-nusoap', '--credentials', join(FOLDER, 'none.yaml')], /cannot be read/],
    [['pdam-nusoap', '--patience', 'soon'], /no duration/],
    [['pdam-nusoap', '--as', 'biller'], /Allowed choices are partner/],
    [['nobody'], /there is no pack nobody/],
  ]
  for (const [args, says] of rows)
    t.match(await nadi('pack', 'test', ...args), { code: 2, err: says }, args.join(' '))
})

t.test('pack test --as partner says what to send, and judges when time is up', async t => {
  const args = ['--as', 'partner', '--for', '300ms', '--only', 'one-bill', '--product', 'pdam']
  const { code, out, err } = await nadi('pack', 'test', 'pdam-nusoap', ...args)
  t.equal(code, 1, 'nobody came')
  t.match(err, /listening on http:\/\/127\.0\.0\.1:\d+/)
  t.match(out, /pdam +9999\d+900 +one bill, all well/)
  t.match(out, /left {2}pdam one-bill: not tried/)
})

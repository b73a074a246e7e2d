import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { PackFolders } from '#config'
import type { Problem } from '#pack'
import { runSimulator } from '#sim'
import { speaking } from '../../src/cli/pack/test-pack.ts'
import { PROTOCOLS } from '../pack/packs.ts'
import { nadiIn } from './nadi.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'nadi-pack-'))
process.once('exit', () => rmSync(FOLDER, { recursive: true, force: true }))

const nadi = nadiIn(FOLDER)

type Checked = {
  readonly ok: boolean
  readonly problems: readonly Problem[]
  readonly packs: readonly { readonly pack: string; readonly samples: number }[]
}

async function checked(...packs: string[]): Promise<Checked & { code: number }> {
  const { code, out } = await nadi('--json', 'pack', 'check', ...packs)
  return { code, ...(JSON.parse(out) as Checked) }
}

/** Of a sandbox: not those of the samples. */
const LAB_OF: Readonly<Record<string, Record<string, string>>> = {
  'pdam-nusoap': { sandi: 'a-secret-of-theirs' },
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
    [['pdam-nusoap', '--as', 'biller'], /Allowed choices are partner, api-partner/],
    [['nobody'], /there is no pack nobody/],
  ]
  for (const [args, says] of rows)
    t.match(await nadi('pack', 'test', ...args), { code: 2, err: says }, args.join(' '))
})

t.test('pack test --against a counterpart that is somewhere else', async t => {
  const rows: [name: string, product: string, ends: number[]][] = [
    ['pln-2003-115', 'pln-postpaid', [101, 102, 103, 104, 105]],
    ['pdam-nusoap', 'pdam', [201, 202, 203, 204, 205]],
  ]
  for (const [name, product, ends] of rows) {
    const folders = new PackFolders(PROTOCOLS)
    const folder = folders.find(name)
    if (!folder) throw new Error(`there is no ${name}`)
    const { pack } = speaking(folders, folder, LAB_OF[name])
    const biller = await runSimulator({ pack, host: '127.0.0.1', port: 0, say: () => {} })
    t.teardown(() => biller.close())
    const http = 'transport' in pack
    const report = join(FOLDER, `${name}.md`)
    const credentials = join(FOLDER, `${name}-credentials.yaml`)
    const given = Object.entries(LAB_OF[name] ?? {}).map(([key, value]) => `${key}: ${value}\n`)
    writeFileSync(credentials, given.join(''))
    const against = http ? `http://${biller.address}` : biller.address
    const numbers = ends.map(end => `--customer ${product}=999900000${end}`).join(' ')
    const test = `pack test ${name} --against ${against} --product ${product}`
    const secret = http ? ` --credentials ${credentials}` : ''
    const line = `${test} ${numbers} --patience 2s --report ${report}${secret}`
    const { code, out, err } = await nadi(...line.split(' '))
    t.equal(code, 0, `${out}${err}`)
    t.match(out, new RegExp(`passed {2}${product} conversation: paid\\n`))
    t.match(out, new RegExp(`passed {2}${product} pays-twice: `))
    t.match(out, /\d passed, 0 failed, 0 not tried/)
    const text = readFileSync(report, 'utf8')
    t.ok(text.includes(biller.address), 'the report says against whom')
    t.notMatch(text, /a-secret-of-theirs/)
    const paid = [...biller.biller.book.entries()].filter(({ state }) => state === 'paid')
    t.ok(paid.length >= 2 && paid.length <= ends.length, 'and it was: their book shows it')
    if (!http) continue
    const bare = `${test} --customer ${product}=999900000301 --only conversation --patience 1s`
    const wrong = await nadi(...bare.split(' '))
    t.equal(wrong.code, 1, 'with the credentials of the samples they let nobody in')
  }
})

t.test('pack test --as partner says what to send, and judges when time is up', async t => {
  const args = ['--as', 'partner', '--for', '300ms', '--only', 'one-bill', '--product', 'pdam']
  const { code, out, err } = await nadi('pack', 'test', 'pdam-nusoap', ...args)
  t.equal(code, 1, 'nobody came')
  t.match(err, /listening on http:\/\/127\.0\.0\.1:\d+/)
  t.match(out, /pdam +9999\d+900 +one bill, all well/)
  t.match(out, /left {2}pdam one-bill: not tried/)

  const shop = ['--as', 'api-partner', '--for', '300ms', '--only', 'answer-cut']
  const api = await nadi('pack', 'test', 'pdam-nusoap', ...shop, '--patience', '200ms')
  t.equal(api.code, 1, 'nobody came')
  t.match(
    api.err,
    /listening on http:\/\/127\.0\.0\.1:\d+\nkey test-[0-9a-f]{8}, secret [0-9a-f]{64}/,
  )
  t.match(api.out, /pdam +9999\d+801 +paid; our answer is lost with its connection/)
  t.match(api.out, /left {2}pdam answer-cut: not tried/)
})

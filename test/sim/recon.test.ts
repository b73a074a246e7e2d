import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import {
  businessDate,
  isNadiError,
  localTime,
  SystemClock,
  SystemRandom,
  VirtualClock,
} from '#base'
import { PackFolders } from '#config'
import { testPack } from '#conformance'
import { Book, PLAIN_CSV, readReconFormat, reconTexts, runSimulator, type NewPayment } from '#sim'
import { NO_LOG } from '#telemetry'
import { speaking } from '../../src/cli/pack/test-pack.ts'
import { PROTOCOLS } from '../pack/packs.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'nadi-recon-'))
process.once('exit', () => rmSync(FOLDER, { recursive: true, force: true }))

const NAME = 'pln-2003-115'
const FILE = join(PROTOCOLS, NAME, 'recon.yaml')

t.test("the day's files hold what was paid, bill by bill, as PLN's reader wants them", async t => {
  const folders = new PackFolders(PROTOCOLS)
  const folder = folders.find(NAME)
  if (!folder) throw new Error('no pack')
  const { pack, spoken } = speaking(folders, folder)
  const running = await runSimulator({
    pack,
    host: '127.0.0.1',
    port: 0,
    controlPort: 0,
    reconFolder: FOLDER,
    reconFormat: readReconFormat(FILE, readFileSync(FILE, 'utf8')),
    say: () => {},
  })
  t.teardown(() => running.close())
  const [host = '', port] = running.address.split(':')
  const report = await testPack({
    pack,
    spoken,
    patienceMs: 2_000,
    place: { tag: 'tcp', host, port: Number(port) },
    customers: { 'pln-postpaid': ['999900000901'], 'pln-prepaid': ['999900000101'] },
    only: ['conversation'],
    atOnce: 1,
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: NO_LOG,
  })
  t.same(
    report.cases.map(({ end, remarks }) => [end, ...remarks].join()),
    ['paid', 'paid'],
  )
  const answer = await fetch(`http://${running.controlAddress}/recon`, { method: 'POST' })
  t.match(await answer.json(), { files: [{ lines: 4 }, { lines: 1 }] })
  const date = businessDate(Date.now())
  const entries = [...running.biller.book.entries()]
  const partner = entries[0]?.partner ?? ''
  t.match(partner, /^\d{7}$/)
  const [postpaid, prepaid] = ['50501', '50502'].map(code => `${partner}-${code}-99-${date}.ftr`)
  t.same(readdirSync(FOLDER).toSorted(), [postpaid, prepaid])

  const lines = readFileSync(join(FOLDER, postpaid ?? ''), 'utf8').split('\n')
  t.equal(lines[0], `H|${partner}|50501|${date}`)
  t.equal(lines.length, 1 + 4 + 1 + 1, 'header, four months, trailer, the end')
  const rows = lines.slice(1, 5).map(line => line.split('|'))
  t.ok(rows.every(row => row.length === 15 && row[5] === '999900000901'))
  t.equal(new Set(rows.map(row => row[6])).size, 4, 'each month once')
  const paid = entries.find(({ account }) => account.startsWith('pln-postpaid/'))
  // The bills and their late fees together are what was paid.
  const due = rows.reduce((sum, row) => sum + BigInt(row[8] ?? 0) + BigInt(row[12] ?? 0), 0n)
  t.equal(due * 100n, paid?.amountMinor)
  t.equal(lines[5], `T|4|${due}`)

  const [, token = ''] = readFileSync(join(FOLDER, prepaid ?? ''), 'utf8').split('\n')
  const row = token.split('|')
  t.equal(row.length, 18)
  t.match(row[15], /^\d{20}$/, 'the token')
  const bought = entries.find(({ account }) => account.startsWith('pln-prepaid/'))
  t.equal(BigInt(row[7] ?? 0), bought?.amountMinor)
})

const NOW_MS = Date.UTC(2026, 10, 20, 5)

function paidIn(book: Book, key: string, more: Partial<NewPayment>): void {
  book.pay({
    key,
    account: 'pdam/999900000100',
    trace: '000001',
    sentAt: '20261120120000',
    bank: '4510017',
    terminal: 'LOKET1',
    reference: 'R,1\n2',
    amountMinor: 16_250_000n as NewPayment['amountMinor'],
    periods: 0,
    atMs: NOW_MS,
    ...more,
  })
}

t.test('what was reversed, and what was paid on another day, is not in it', async t => {
  const book = new Book()
  paidIn(book, 'a', {})
  paidIn(book, 'b', { atMs: NOW_MS + 86_400_000 })
  paidIn(book, 'c', {})
  const reversed = book.find('c')
  if (reversed) book.reverse(reversed, NOW_MS)
  const [file, ...others] = reconTexts(book, PLAIN_CSV, '20261120')
  t.same(others, [])
  t.equal(file?.name, 'partner-20261120.csv')
  t.equal(
    file?.text,
    'time,product,customer,reference,audit number,bank,terminal,amount\n' +
      // What would be read as another cell or line is a blank.
      '20261120120000,pdam,999900000100,R 1 2,000001,4510017,LOKET1,162500\n',
  )
  t.same(reconTexts(book, PLAIN_CSV, '20261118'), [])
  // A partner's name is no way out of the folder.
  paidIn(book, 'd', { partner: '../../x' })
  t.match(reconTexts(book, PLAIN_CSV, '20261120')[1]?.name, /^[A-Za-z0-9._-]+$/)
})

t.test('each day is written when it is over, and never again', async t => {
  const folders = new PackFolders(PROTOCOLS)
  const rows: [name: string, files: (date: string) => string[]][] = [
    ['pdam-nusoap', date => [`partner-${date}.csv`]],
    ['pln-2003-115', date => [`4519001-50501-99-${date}.ftr`]],
  ]
  for (const [name, filesOf] of rows) {
    const folder = folders.find(name)
    if (!folder) throw new Error(`there is no ${name}`)
    const { pack } = speaking(folders, folder)
    const reconFolder = mkdtempSync(join(FOLDER, 'days-'))
    // Twelve minutes to midnight in Jakarta.
    const startMs = Date.UTC(2026, 10, 20, 16, 48)
    const clock = new VirtualClock(startMs)
    const own = join(PROTOCOLS, name, 'recon.yaml')
    const running = await runSimulator({
      pack,
      host: '127.0.0.1',
      port: 0,
      reconFolder,
      ...(existsSync(own) && { reconFormat: readReconFormat(own, readFileSync(own, 'utf8')) }),
      clock,
      say: () => {},
    })
    const { book } = running.biller
    const isPln = name.startsWith('pln')
    const who = isPln ? { partner: '4519001', account: 'pln-postpaid/999900000101' } : {}
    const bits = isPln ? { periods: 1 } : {}
    const paid = (key: string, atMs: number): void =>
      paidIn(book, key, { ...who, ...bits, sentAt: localTime(atMs), atMs })
    const minute = 60_000
    paid('a', startMs)
    await clock.runUntil(startMs + 11 * minute)
    t.same(readdirSync(reconFolder), [], 'the day is not over')
    await clock.runUntil(startMs + 12 * minute - 1)
    t.same(readdirSync(reconFolder), [], 'not by a millisecond')
    paid('b', startMs + 12 * minute)
    await clock.runUntil(startMs + 12 * minute)
    t.same(readdirSync(reconFolder), filesOf('20261120'), 'midnight')
    const text = readFileSync(join(reconFolder, filesOf('20261120')[0] ?? ''), 'utf8')
    t.match(text, '20261120234800')
    t.notMatch(text, '20261121000000', 'what was paid at midnight is of the next day')
    await clock.runUntil(startMs + 3 * 86_400_000)
    const days = ['20261120', '20261121'].flatMap(filesOf)
    t.same(readdirSync(reconFolder).toSorted(), days, 'a day without payments has no file')
    t.equal(readFileSync(join(reconFolder, filesOf('20261120')[0] ?? ''), 'utf8'), text)
    await running.close()
    paid('c', startMs + 3 * 86_400_000)
    await clock.runUntil(startMs + 6 * 86_400_000)
    t.same(readdirSync(reconFolder).toSorted(), days, 'and none is written after its end')
  }
})

t.test('every pack whose format is known has it in its folder', async t => {
  const formats = readdirSync(PROTOCOLS).filter(name =>
    existsSync(join(PROTOCOLS, name, 'recon.yaml')),
  )
  t.same(formats, ['pln-2003-111', 'pln-2003-115'])
  for (const name of formats) {
    const format = readReconFormat(name, readFileSync(join(PROTOCOLS, name, 'recon.yaml'), 'utf8'))
    t.same(
      format.map(({ products, columns }) => [products?.join(), columns.length]),
      [
        ['pln-postpaid', 15],
        ['pln-prepaid', 18],
        ['pln-nontaglis', 8],
      ],
    )
  }
})

const wrongs: [title: string, text: string, says: RegExp][] = [
  ['no YAML', '- name: [', /./],
  ['a name that leads out', "- { name: '../x', columns: [trace] }", /name/],
  ['no columns', "- { name: 'x', columns: [] }", /columns/],
  ['a path that is none', "- { name: 'x', columns: [customer.colour] }", /customer\.colour/],
  ['money without a unit', "- { name: 'x', columns: [amountMinor] }", /rupiah or/],
  ['a unit of a text', "- { name: 'x', columns: [trace rupiah] }", /trace rupiah/],
  ['a key that is not known', "- { name: 'x', columns: [trace], zip: yes }", /zip/],
]
for (const [title, text, says] of wrongs) {
  t.test(`refused: ${title}`, async t => {
    try {
      readReconFormat('recon.yaml', text)
      t.fail('it was read')
    } catch (error) {
      t.ok(isNadiError(error, 'CONF_INVALID'))
      t.match(String(error), says)
    }
  })
}

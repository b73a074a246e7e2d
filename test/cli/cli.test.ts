import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { fromJson } from '#base'
import type { StoryView, TxnView } from '#admin'
import { run } from '../../src/cli/program.ts'
import { paintFor } from '../../src/cli/terminal.ts'
import { type Lab, ROOT, startLab, TOKEN } from '../admin/lab.ts'

type Ended = { code: number | null; out: string; err: string; all: string }

const folder = mkdtempSync(join(tmpdir(), 'nadi-cli-'))
const tokenFile = join(folder, 'token')
writeFileSync(tokenFile, `${TOKEN}\n`)
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

const ENV = { USER: 'ani', NADI_VAR: join(folder, 'var') }

/** A command line in this process, with a terminal that only remembers. */
async function nadi(args: readonly string[], env: Env = {}, input = ''): Promise<Ended> {
  let out = ''
  let err = ''
  const code = await run(args, {
    out: text => void (out += `${text}\n`),
    err: text => void (err += `${text}\n`),
    env: { ...ENV, ...env },
    paint: paintFor(false),
    interactive: false,
    ask: async () => '',
    readAll: async () => input,
  })
  return { code, out, err, all: out + err }
}

type Env = Record<string, string>

/** bin/nadi as an operator runs it, but for what this machine's environment says. */
function binNadi(args: readonly string[], env: Env = {}, input = ''): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const { PATH = '' } = process.env
    const child = spawn(join(ROOT, 'bin/nadi'), args, { env: { PATH, ...ENV, ...env } })
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

const ECHO = '28000010000081810000202611200605000745190013010LOKET0000000001007SWX0001'

test('what is typed wrongly ends with 2, help with 0', async t => {
  const rows: [args: string, code: number, says: RegExp][] = [
    ['', 2, /Usage: nadi/],
    ['--help', 0, /First steps:/],
    ['help pay', 0, /Examples?:\n  \$ nadi pay pln-postpaid/],
    ['txn show --help', 0, /Example:/],
    ['--version', 0, /^\d+\.\d+\.\d+$/m],
    ['fly', 2, /unknown command 'fly'/],
    ['txn', 2, /Usage: nadi txn/],
    ['txn fly', 2, /unknown command 'fly'/],
    ['txn show', 2, /missing required argument 'id'/],
    ['txn show short', 2, /no txn id: short/],
    ['txn show 0D2ZDH8SG000 --unsafe', 2, /--unsafe needs --reason/],
    ['txn list --since yesterday', 2, /--since cannot be yesterday/],
    ['txn list --limit 0', 2, /no whole number: 0/],
    ['txn list extra', 2, /too many arguments/],
    ['txn resolve 0D2ZDH8SG000 --as declined --reason x', 2, /Allowed choices are paid, reversed/],
    ['txn resolve 0D2ZDH8SG000 --as paid', 2, /required option '--reason/],
    ['status --fast', 2, /unknown option '--fast'/],
    ['status --admin http:// --token-file nowhere', 2, /token file nowhere cannot be read/],
    ['partner deposit 4519001 much --reason x', 2, /no amount: much/],
    ['pay pln-postpaid', 2, /missing required argument 'customer'/],
    ['pay pln-postpaid abc', 2, /no customer number: abc/],
    ['pay pln-water 999900000015', 2, /there is no product pln-water; there are pln-postpaid/],
    ['inquire pln-postpaid 999900000015 --partner 1', 2, /there is no partner 1/],
    ['inquire pln-postpaid 999900000015 --to here', 2, /no address: here/],
    ['sim nothing --port 0', 2, /there is no pack nothing; there are .*pln-2003-111/],
    ['sim pln-2003-115 --port 0 --delay slow', 2, /no duration|--delay cannot be/],
    ['iso decode 2800', 2, /required option '--pack/],
    ['iso decode --pack nothing 2800', 2, /there is no pack nothing/],
  ]
  for (const [args, code, says] of rows) {
    const ended = await nadi(args.split(' ').filter(each => each !== ''))
    t.equal(ended.code, code, `nadi ${args}`)
    t.match(ended.all, says, `nadi ${args}`)
  }
})

test('bin/nadi hands arguments, input, output and the exit code through', async t => {
  const hex = Buffer.from(ECHO).toString('hex')
  const rows: [args: string, input: string, code: number, out: RegExp, err: RegExp][] = [
    ['--version', '', 0, /^\d+\.\d+\.\d+\n$/, /^$/],
    ['fly', '', 2, /^$/, /^error: unknown command 'fly'/],
    ['check', '', 0, /^The configuration is good/, /^$/],
    ['status', '', 1, /^$/, /^nadi: ADMIN_UNREACHABLE/],
    ['iso decode --pack pln-2003-111 --json -', hex, 0, /"kind": "echo request"/, /^$/],
  ]
  await Promise.all(
    rows.map(async ([args, input, code, out, err]) => {
      const ended = await binNadi(args.split(' '), {}, `${input}\n`)
      t.equal(ended.code, code, args)
      t.match(ended.out, out, args)
      t.match(ended.err, err, args)
      t.notMatch(ended.all, '\u001b', 'no colour where nobody looks')
    }),
  )
})

test('check says everything that is wrong with the configuration', async t => {
  const good = await nadi(['check'])
  t.equal(good.code, 0)
  t.match(good.out, /The configuration is good: \d+ packs, 3 listeners, 2 links, 5 products/)
  const goodJson = await nadi(['check', '--json'])
  t.match(fromJson(goodJson.out), { ok: true, problems: [], packs: Number, links: 2 })

  const conf = join(folder, 'conf')
  cpSync(join(ROOT, 'conf'), conf, { recursive: true })
  const products = join(conf, 'products.yaml')
  writeFileSync(products, readFileSync(products, 'utf8').replace('5s', 'soon'))
  const link = join(conf, 'links', 'pln.yaml')
  writeFileSync(link, readFileSync(link, 'utf8').replace('port: 18583', 'port: far'))
  const bad = await nadi(['check', '--conf', conf])
  t.equal(bad.code, 1)
  t.match(bad.err, /links\/pln\.yaml:\d+.*far/)
  t.match(bad.err, /products\.yaml:\d+.*soon/)
  t.match(bad.err, /2 problems: the configuration is wrong/)
  const badJson = await nadi(['check', '--json'], { NADI_CONF: conf })
  t.equal(badJson.code, 1)
  t.match(fromJson(badJson.out), { ok: false, problems: [{ path: String, text: String }] })
  const status = await nadi(['status', '--conf', conf])
  t.equal(status.code, 1)
  t.match(status.err, /the configuration is wrong/)
})

test('a daemon that does not answer is said so, with what to do', async t => {
  const never = await nadi(['status'])
  t.equal(never.code, 1)
  t.match(never.err, /ADMIN_UNREACHABLE.*nadi start/)

  // A port that was just free: nobody listens there.
  const server = createServer(socket => socket.resume().end('220 smtp.example.org\r\n'))
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const admin = `127.0.0.1:${port}`
  const stranger = await nadi(['status', '--admin', admin, '--token-file', tokenFile])
  t.equal(stranger.code, 1)
  t.match(stranger.err, /ADMIN_UNREACHABLE/)
  await new Promise(resolve => {
    server.close(resolve)
  })
  const nobody = await nadi(['status', '--admin', admin, '--token-file', tokenFile])
  t.equal(nobody.code, 1)
  t.match(nobody.err, new RegExp(`ADMIN_UNREACHABLE.*ECONNREFUSED from ${admin}`))
  t.notMatch(nobody.all, TOKEN)
  const noSwitch = await nadi(['pay', 'pln-postpaid', '999900000015', '--to', admin])
  t.equal(noSwitch.code, 1)
  t.match(noSwitch.err, /PARTNER_LINE.*nothing was sent.*ECONNREFUSED/)
})

test('frames are decoded by hand', async t => {
  const text = await nadi(['iso', 'decode', '--pack', 'pln-2003-111', ECHO])
  t.equal(text.code, 0)
  t.match(text.out, /41 +0LOKET0000000001/)
  t.match(text.out, /72 bytes: echo request/)
  const hex = Buffer.from(ECHO).toString('hex')
  const piped = await nadi(
    ['iso', 'decode', '--pack', 'pln-2003-111', '-', '--json'],
    {},
    `${hex}\n`,
  )
  t.match(fromJson(piped.out), { length: 72, kind: 'echo request', fields: [{ path: 'mti' }] })
  const broken = await nadi(['iso', 'decode', '--pack', 'pln-2003-111', ECHO.slice(0, 50)])
  t.equal(broken.code, 1)
  t.match(broken.err, /CODEC_TRUNCATED/)
})

test('a simulator runs until it is told to stop', async t => {
  const args = ['sim', 'pln-2003-115', '--port', '0', '--book', join(folder, 'sim', 'a.book')]
  const child = spawn(join(ROOT, 'bin/nadi'), [...args, '--delay', 'deadline=5s'])
  const said = await new Promise<string>(resolve => {
    child.stdout.setEncoding('utf8').once('data', resolve)
  })
  t.match(said, /simulated pln-2003-115 listens on 127\.0\.0\.1:\d+/)
  const code = await new Promise(resolve => {
    child.once('exit', resolve)
    child.kill('SIGTERM')
  })
  t.equal(code, 0)
})

test('an operator and a partner at a running switch', async t => {
  const lab: Lab = await startLab()
  t.teardown(() => lab.close())
  const env = { NADI_ADMIN: lab.admin, NADI_TOKEN_FILE: tokenFile }
  const type = (...args: string[]): Promise<Ended> => nadi(args, env)
  const data = async <T>(...args: string[]): Promise<T> => {
    const ended = await type(...args, '--json')
    t.equal(ended.err, '', args.join(' '))
    return fromJson(ended.out) as T
  }
  const paymentOf = async (customer: string): Promise<TxnView> => {
    const txns = await data<TxnView[]>('txn', 'list', '--kind', 'payment', '--customer', customer)
    return txns[0] as TxnView
  }
  const to = ['--to', lab.listener]

  await t.test('a postpaid bill: asked for, shown, paid, and the receipt', async t => {
    const bill = await type('inquire', 'pln-postpaid', '999900000015', ...to)
    t.equal(bill.code, 0)
    t.match(bill.out, /Nov 2026 +Rp 130\.500 +Rp 0 +Rp 130\.500/)
    t.match(bill.out, /and 1 more/)
    const { code, out } = await type('pay', 'pln-postpaid', '999900000015', ...to)
    t.equal(code, 0)
    t.match(out, /to pay +Rp 263\.000/)
    for (const line of [
      /STRUK PEMBAYARAN TAGIHAN LISTRIK/,
      /NAMA +: PELANGGAN UJI SATU/,
      /TOTAL BAYAR +: Rp +263\.000/,
      /ANDA MASIH MEMILIKI TUNGGAKAN 1 BULAN/,
    ])
      t.match(out, line)
    const again = await type('pay', 'pln-postpaid', '999900000015', ...to)
    t.equal(again.code, 1, 'what is paid cannot be paid again')
    t.match(again.all, /already paid/)
  })

  await t.test('a part of the bills, and a token', async t => {
    const part = await type('pay', 'pln-postpaid', '999900000901', '--bills', '2', '--yes', ...to)
    t.equal(part.code, 0)
    t.match(part.out, /paying the first 2 of 4/)
    t.match(part.out, /TUNGGAKAN 7 BULAN/)
    const none = await type('pay', 'pln-prepaid', '99000000010', ...to)
    t.equal(none.code, 2)
    t.match(none.err, /--amount/)
    type Sold = { result: string; receipt: string[]; answer: { adminMinor: bigint } }
    const sold = await data<Sold>('pay', 'pln-prepaid', '99000000010', '--amount', '100.000', ...to)
    t.match(sold, { result: 'paid', answer: { adminMinor: 250000n, amountMinor: 10250000n } })
    t.ok(sold.receipt.includes('STROOM/TOKEN   : 1234 5678 9012 3456 7890'))
    const wrong = await type('pay', 'pln-prepaid', '99000000010', '--amount', '12.345', ...to)
    t.equal(wrong.code, 1)
    t.match(wrong.err, /Not paid: 0013/)
    const unknown = await type('pay', 'pln-postpaid', '888800000015', ...to)
    t.equal(unknown.code, 1)
    t.match(unknown.err, /No bill: 0014 unknown subscriber/)
  })

  await t.test('when no answer comes, the partner is told so, and finds out', async t => {
    const rows: [args: string[], code: number, says: RegExp][] = [
      [
        ['pln-postpaid', '999900000910'],
        1,
        /not known yet.*nadi txn list --kind payment --customer/s,
      ],
      [['pln-postpaid', '999900000907', '--reverse-on-timeout'], 1, /Reversed: Rp /],
      [['pln-postpaid', '999900000908', '--reverse-on-timeout'], 0, /Paid|STRUK/],
      [
        ['pln-prepaid', '99990000922', '--amount', '50000', '--advise-on-timeout'],
        0,
        /STROOM\/TOKEN +: (\d{4} ){4}\d{4}/,
      ],
    ]
    await Promise.all(
      rows.map(async ([args, code, says]) => {
        const ended = await type('pay', ...args, ...to)
        t.equal(ended.code, code, args.join(' '))
        t.match(ended.out, /No answer in time/)
        t.match(ended.all, says, args.join(' '))
      }),
    )
    const quiet = await type('inquire', 'pln-postpaid', '999900000906', '--timeout', '50ms', ...to)
    t.equal(quiet.code, 1)
    t.match(quiet.err, /PARTNER_NO_ANSWER/)
  })

  await t.test(
    'the story of a payment fits a terminal of 100 columns and hides the name',
    async t => {
      const { id } = await paymentOf('999900000015')
      const shown = await type('txn', 'show', id.toLowerCase(), '--frames', '--hex')
      t.equal(shown.code, 0)
      for (const line of shown.out.split('\n')) t.ok(line.length <= 100, line)
      t.notMatch(shown.out, /PELANGGAN/)
      for (const line of [
        /payment Rp 260\.500 {2}PAID/,
        /├──── 2200 ────▶│ +│ {2}payment · Rp 260\.500 · trace \d{12}/,
        /● +│ {2}admitted → sending/,
        /hold +deposit +-Rp 263\.000/,
        /│◀──── 2210 ────┤ {2}payment · 0000 approved/,
        /approved → paid/,
        /48\.customer\.name +P\*{8} U\*\* S\*{3}/,
        /it is final, nothing is owed/,
        /payable:pln +\+Rp 260\.500/,
      ])
        t.match(shown.out, line)
      const clear = await type('txn', 'show', id, '--frames', '--unsafe', '--reason', 'a test')
      t.match(clear.out, /PELANGGAN UJI SATU/)
      t.match(clear.out, /this is on record/)
      t.match(lab.auditLines().at(-1), {
        act: 'txn.reveal',
        subject: id,
        by: 'ani',
        reason: 'a test',
      })
      const story = await data<StoryView>('txn', 'show', id)
      t.match(story, { id, state: 'paid', timeline: [{ what: 'frame' }] })
    },
  )

  await t.test('an operator decides about a suspect payment', async t => {
    let suspect = await paymentOf('999900000910')
    while (suspect.state !== 'suspect') suspect = await paymentOf('999900000910')
    const list = await type('txn', 'list', '--state', 'open')
    t.match(list.out, new RegExp(`${suspect.id}.*suspect.*a person must decide`))
    const status = await type('status')
    t.match(status.out, /suspect +1/)
    const reason = 'PLN has no such payment'
    const done = await type('txn', 'resolve', suspect.id, '--as', 'reversed', '--reason', reason)
    t.equal(done.code, 0)
    t.match(done.out, /REVERSED/)
    t.match(done.out, /resolved → reversed/)
    t.match(done.out, /by ani: PLN has no such payment/)
    const again = await type('txn', 'resolve', suspect.id, '--as', 'paid', '--reason', reason)
    t.equal(again.code, 1)
    t.match(again.err, /TXN_NOT_SUSPECT/)
  })

  await t.test('money: deposits, balances, the audit', async t => {
    const booked = await type(
      'partner',
      'deposit',
      '4519001',
      'Rp 1.000',
      '--reason',
      'x',
      '--key',
      'k1',
    )
    t.equal(booked.code, 0)
    t.match(booked.out, /Booked Rp 1\.000\. The deposit of 4519001 is Rp /)
    const again = await type(
      'partner',
      'deposit',
      '4519001',
      '1000',
      '--reason',
      'x',
      '--key',
      'k1',
    )
    t.match(again.out, /Booked before/)
    const back = await type('partner', 'deposit', '--reason', 'x', '4519001', '--', '-1000')
    t.match(back.out, /Booked -Rp 1\.000/)
    const unknown = await type('partner', 'deposit', '1', '1000', '--reason', 'x')
    t.equal(unknown.code, 1)
    t.match(unknown.err, /PARTNER_NOT_FOUND/)
    const balance = await type('ledger', 'balance', '--partner', '4519001')
    t.match(balance.out, /All together: Rp 0/)
    const audit = await type('ledger', 'audit')
    t.equal(audit.code, 0)
    t.match(audit.out, /The ledger agrees with the journal/)
  })

  await t.test('data for programs has stable names', async t => {
    const rows: [args: string, shape: object][] = [
      ['status', { node: { name: 'lab-1' }, ready: true, uptimeMs: Number }],
      [
        'txn list --limit 1',
        [{ id: String, state: String, amountMinor: BigInt, openedAtMs: Number }],
      ],
      ['txn list --state unknown', []],
      ['link list', [{ name: 'pln', state: 'up', inFlight: Number }]],
      ['partner list', [{ id: '4519001', depositMinor: BigInt }]],
      ['product list', [{ code: 'pln-postpaid', recovery: 'reverse' }]],
      ['ledger balance', [{ partner: '4519001', account: String, balanceMinor: BigInt }]],
      ['ledger audit', { agrees: true, totalMinor: 0n }],
    ]
    await Promise.all(
      rows.map(async ([args, shape]) => t.match(await data(...args.split(' ')), shape, args)),
    )
    for (const args of ['link list', 'partner list', 'product list', 'txn list --since 1h'])
      t.match(await type(...args.split(' ')), { code: 0, err: '' }, args)
    const wrong = join(folder, 'wrong')
    writeFileSync(wrong, 'wrong')
    const refused = await type('status', '--token-file', wrong)
    t.equal(refused.code, 1)
    t.match(refused.err, /ADMIN_UNAUTHORIZED/)
  })
})

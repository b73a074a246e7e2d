import { execFile } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { toJson } from '#base'
import { Daemon, ROOT } from './daemon.ts'
import { FAST, until } from './lab.ts'
import { freePort } from './process.ts'

/** The lab's aggregator over HTTP, as `npm start` runs it: its own process, callbacks, and `nadi pay`. */

const API = `{ bank: '4519999', switcher: SWX0001, terminal: 0LOKET0000000001,
  keys: [{ id: lab, secret: { file: partners/lab.key } }] }`.replaceAll('\n', '')

type Sold = {
  readonly result: string
  readonly payment: { readonly id: string; readonly serial?: string; readonly reason?: string }
  readonly receipt: readonly string[]
}

test('a biller over HTTP in the lab', async t => {
  const [billerPort, controlPort, callbackPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const simulator = `{ pack: iak, host: 127.0.0.1, port: ${billerPort}, controlPort: ${controlPort},
    callbackUrl: 'http://127.0.0.1:${callbackPort}/iak', credentials: { apiKey: { file: iak.key } },
    scenarioDelays: { deadline: 1500ms } }`.replaceAll('\n', '')
  const daemon = await Daemon.start({
    billerPort: await freePort(),
    set: [
      ...FAST,
      `lab.simulators=[${simulator}]`,
      `links.iak.url=http://127.0.0.1:${billerPort}`,
      `listeners.callbacks.port=${callbackPort}`,
      // Only a callback can be so quick.
      'products.pulsa-telkomsel.recovery.spacing=1m',
    ],
    prepare: varFolder => {
      writeFileSync(join(varFolder, 'iak.key'), 'a-key-of-this-test\n', { mode: 0o600 })
      // In the files, where `nadi pay` finds it too.
      const partners = join(varFolder, '../conf/partners.yaml')
      const text = readFileSync(partners, 'utf8')
        .replace(/products: .*/, 'products: [pulsa-telkomsel, pdam]')
        .replace('name: Partner 1', `name: Partner 1\n  api: ${API}`)
      writeFileSync(partners, text)
    },
  })
  t.teardown(() => daemon.end())
  const api = /partners +([\d.]+:\d+) +HTTP/.exec(daemon.process?.said ?? '')?.[1] ?? ''
  const env = {
    ...process.env,
    NADI_VAR: daemon.varFolder,
    NADI_CONF: join(daemon.folder, 'conf'),
  }
  const pay = async (...args: string[]): Promise<{ code: number; sold: Sold; all: string }> => {
    const given = ['pay', ...args, '--to', api, '--json', '--partner', '4519001']
    return new Promise(resolve => {
      execFile(join(ROOT, 'bin/nadi'), given, { env }, (error, out, err) => {
        const sold = out === '' ? {} : JSON.parse(out)
        resolve({ code: error ? Number(error.code) : 0, sold, all: out + err })
      })
    })
  }
  const deposit = async (): Promise<bigint> => (await daemon.balances('4519001'))['deposit'] ?? 0n
  const book = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${controlPort}/book`)).text()
  await until('the biller is there', () =>
    book().then(
      () => true,
      () => false,
    ),
  )

  await t.test('in process, and then a callback tells', async t => {
    const { code, sold } = await pay('pulsa-telkomsel', '999900000960', '--amount', '10.000')
    t.match({ code, result: sold.result }, { code: 0, result: 'paid' })
    t.match(sold.payment.serial, /^\d+$/)
    t.match(sold.receipt.join('\n'), new RegExp(`${sold.payment.serial}[^]*TERIMA KASIH`))
    const story = toJson(await daemon.story(sold.payment.id))
    t.match(story, /late-approved/)
    t.notMatch(story, /"kind": *"status"/, 'nobody had to ask')
    t.match(await book(), /999900000960/)
  })

  await t.test('in process, and then it has failed', async t => {
    const before = await deposit()
    const { code, sold } = await pay('pulsa-telkomsel', '999900000962', '--amount', '10.000')
    t.match({ code, result: sold.result }, { code: 1, result: 'declined' })
    t.equal(await deposit(), before, 'the money is back')
  })

  await t.test('a bill, asked and paid', async t => {
    const { code, sold } = await pay('pdam', '999900000015')
    t.match({ code, result: sold.result }, { code: 0, result: 'paid' })
    const again = await pay('pdam', '999900000015')
    t.match({ code: again.code, result: again.sold.result }, { code: 1, result: 'declined' })
  })

  await t.test('what cannot be bought', async t => {
    const before = await deposit()
    const odd = await pay('pulsa-telkomsel', '081234567890', '--amount', '12.345')
    t.match({ code: odd.code, result: odd.sold.result }, { code: 1, result: 'declined' })
    const unsaid = await pay('pulsa-telkomsel', '081234567890')
    t.match([unsaid.code, unsaid.all], [2, /say how much with --amount/])
    const nobody = await pay('pdam', '123456789012')
    t.match({ code: nobody.code, result: nobody.sold.result }, { code: 1, result: 'declined' })
    t.equal(await deposit(), before)
  })

  await t.test('credentials stay where they belong', async t => {
    const file = join(daemon.varFolder, 'sim/iak.credentials')
    t.equal(statSync(file).mode & 0o777, 0o600)
    t.notMatch(toJson(daemon.log()), /a-key-of-this-test/)
    t.match(await daemon.audit(), { agrees: true, heldMinor: 0n, problems: [] })
  })
})

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { fromJson, SystemClock } from '#base'
import { KeyMemory, MemoryKeyRecords } from '#keys'
import type {
  CheckedKeyView,
  ComponentView,
  HandedKeyView,
  KeyStoryView,
  ZoneKeyView,
} from '#admin'
import { run } from '../../src/cli/program.ts'
import { askHidden, fromDigits } from '../../src/cli/secret-input.ts'
import { paintFor } from '../../src/cli/terminal.ts'
import { startLab, TOKEN } from '../admin/lab.ts'
import { aHsm, aStore } from './conformance.ts'

const folder = mkdtempSync(join(tmpdir(), 'nadi-key-cli-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const tokenFile = join(folder, 'token')
writeFileSync(tokenFile, TOKEN)

const C1 = '0123456789ABCDEFFEDCBA9876543210'
const C2 = '89ABCDEF01234567F8E3C7A15B2D4960'

const hsm = await aHsm(t)
const memory = new KeyMemory()
const store = await aStore(
  t,
  { open: async () => new MemoryKeyRecords(memory) },
  new SystemClock(),
  {
    hsm,
  },
)
const lab = await startLab({ keys: store, zones: new Set(['bank']) })
t.teardown(() => lab.close())

type Ended = { code: number; out: string; err: string; all: string }

/** `typed` is what a person types where nothing is shown. */
async function nadi(line: string, { input = '', typed = '', user = 'ani' } = {}): Promise<Ended> {
  let out = ''
  let err = ''
  const args = [...line.split(' '), '--admin', lab.admin, '--token-file', tokenFile]
  const code = await run(
    args.map(arg => arg.replaceAll('_', ' ')),
    {
      out: text => void (out += `${text}\n`),
      err: text => void (err += `${text}\n`),
      env: { USER: user, NADI_VAR: folder },
      paint: paintFor(false),
      interactive: typed !== '',
      ask: async () => '',
      askSecret: async () => Buffer.from(typed),
      readAll: async () => input,
      input: (async function* () {
        yield Buffer.from(input)
      })(),
    },
  )
  return { code, out, err, all: out + err }
}

async function json<T>(line: string, given = {}): Promise<T> {
  const { code, out, err } = await nadi(`${line} --json`, given)
  if (code !== 0) throw new Error(`${line}: ${err}`)
  return fromJson(out) as T
}

const BECAUSE = '--reason ticket_4711'

t.test('a ceremony from the ZMK to a working key', async t => {
  const first = await json<ComponentView>(`key components begin bank ZMK --kind TDES2 ${BECAUSE}`, {
    typed: C1.replace(/.{4}/g, '$& '),
  })
  t.match(first, { checkValue: '08D7B4', half: { parts: 2, entered: [{ by: 'ani' }] } })
  const { id } = first.half
  const same = await nadi(`key components enter ${id} ${BECAUSE}`, { typed: C2 })
  t.match([same.code, same.err], [1, /KEY_DUAL_CONTROL/])
  const wrong = `key components enter ${id} ${BECAUSE} --check-value 123456`
  t.match(await nadi(wrong, { typed: C2, user: 'budi' }), { code: 1, err: /KEY_CHECK_VALUE/ })
  t.match((await nadi('key components list')).out, /ZMK +TDES2 +1 of 2 +ani/)

  const file = join(folder, 'component')
  writeFileSync(file, `${C2}\n`)
  chmodSync(file, 0o644)
  const enter = `key components enter ${id.toLowerCase()} ${BECAUSE} --operator budi --file`
  t.match(await nadi(`${enter} ${file}`), { code: 2, err: /can be read by others/ })
  chmodSync(file, 0o600)
  const second = await json<ComponentView>(`${enter} ${file}`)
  const zmk = second.key as ZoneKeyView
  t.match(zmk, { type: 'ZMK', state: 'pending', by: 'ani, budi', origin: 'components' })
  t.match((await nadi(`key activate ${zmk.id} ${BECAUSE}`)).out, /active +components/)

  const sent = await json<HandedKeyView>(`key rotate bank ZPK ${BECAUSE}`)
  t.match(sent, { wrapped: /^RB/, under: zmk.id, key: { state: 'pending' } })
  const again = await nadi(`key import bank ZPK - ${BECAUSE}`, { input: `${sent.wrapped}\n` })
  t.match(again, { code: 1, err: /KEY_KNOWN/ })
  await json(`key activate ${sent.key.id} ${BECAUSE}`)
  const next = await json<ZoneKeyView>(`key generate bank ZPK --activate ${BECAUSE}`)
  const text = (await nadi('key list --zone bank')).out
  for (const part of [/KEY +ZONE +TYPE/, /ZPK .* active/, /ZPK .* previous/, next.checkValue])
    t.match(text, part)
  const away = await nadi(`key export ${next.id} ${BECAUSE} --scheme X`)
  t.match(away.out, /Under the ZMK [0-9A-Z]{8}, for the partner:\nX[0-9A-F]{32}\nCheck value/)

  await json(`key revoke ${next.id} --reason it_was_seen --operator citra`)
  const story = await json<KeyStoryView>(`key show ${next.id}`)
  t.match(story.acts.at(-1), { act: 'revoke', by: 'citra', why: 'it was seen' })
  t.equal((await json<ZoneKeyView[]>('key list')).length, 2)
  t.equal((await json<ZoneKeyView[]>('key list --all')).length, 3)
  t.equal((await json<ZoneKeyView[]>('key list --state revoked')).length, 1)

  const checked = await json<CheckedKeyView[]>('key check')
  t.ok(checked.every(({ result, otherLmk }) => result === 'good' && !otherLmk))
  t.match((await nadi(`key migrate ${BECAUSE}`)).out, /0 moved to the LMK \w+, 2 were there/)

  const drawn = await json<ComponentView>(`key components begin lab ZMK --draw ${BECAUSE}`)
  t.match(drawn.component, /^[0-9A-F]{32}$/)
  t.match(await nadi(`key components cancel ${drawn.half.id} ${BECAUSE}`), { code: 0 })

  const lines = lab.auditLines()
  const acts = new Set(lines.map(({ act }) => act))
  for (const act of [
    'component',
    'activate',
    'rotate',
    'import',
    'generate',
    'export',
    'revoke',
    'check',
    'migrate',
    'cancel',
  ])
    t.ok(acts.has(`key.${act}`), act)
  t.ok(lines.every(({ by, reason }) => by !== '' && reason !== ''))
  const kept = JSON.stringify([lines, memory.acts, memory.book, [...memory.all.values()]])
  for (const secret of [C1, C2, drawn.component as string])
    t.notMatch(kept.toUpperCase(), secret, 'no component is anywhere')
  const told = JSON.stringify([story, await json('key list --all'), checked])
  for (const { block } of memory.book.keys) t.notOk(told.includes(block), 'no block is told')
})

t.test('a bad key ends the check with 1', async t => {
  const [key] = memory.book.keys
  const change = { put: [{ ...key!, checkValue: '000000' }], acts: [] }
  const records = new MemoryKeyRecords(memory)
  t.equal(await records.commit(memory.book.version, change), true)
  await new Promise(resolve => setTimeout(resolve, 10))
  t.match(await nadi('key check'), { code: 1, out: / other/ })
})

t.test(
  'what is typed wrongly ends with 2, what is refused with 1, and nothing is echoed',
  async t => {
    const rows: [line: string, code: number, says: RegExp, given?: object][] = [
      ['key', 2, /Usage: nadi key/],
      ['key fly', 2, /unknown command 'fly'/],
      ['key generate bank ZPK', 2, /required option '--reason/],
      ['key show short', 2, /no key id: short/],
      ['key show AAAAAAAA', 1, /KEY_NOT_FOUND/],
      [`key generate nobank ZPK ${BECAUSE}`, 1, /zone.*a link or listener: bank, lab/],
      [`key generate bank ABC ${BECAUSE}`, 1, /ADMIN_BAD_REQUEST.*type/],
      [`key generate bank ZPK --kind HMAC128 ${BECAUSE}`, 1, /HSM_REQUEST/],
      [`key activate AAAAAAAA ${BECAUSE}`, 1, /KEY_NOT_FOUND/],
      [`key components begin bank ZMK ${BECAUSE}`, 2, /typed at a terminal/],
      [`key components begin bank ZMK ${BECAUSE}`, 2, /even number/, { typed: `${C1}0` }],
      [`key components begin bank ZMK ${BECAUSE}`, 2, /even number/, { typed: `G${C1.slice(1)}` }],
      [`key components begin bank ZMK ${BECAUSE} --file -`, 2, /no component/, { input: ' \n' }],
      [`key components begin bank ZMK ${BECAUSE} --file -`, 1, /HSM_REQUEST/, { input: C1 + C1 }],
      [
        `key components begin bank ZMK ${BECAUSE} --file -`,
        2,
        /too long/,
        { input: C1.repeat(50) },
      ],
      [`key components begin bank ZMK ${BECAUSE} --parts 1`, 1, /ADMIN_BAD_REQUEST/, { typed: C1 }],
      [`key components begin bank ZMK ${BECAUSE} --draw --file -`, 2, /exclude/],
      [`key components enter AAAAAAAA ${BECAUSE}`, 1, /KEY_NOT_FOUND/, { typed: C1 }],
    ]
    for (const [line, code, says, given] of rows) {
      const ended = await nadi(line, given)
      t.equal(ended.code, code, line, { ended })
      t.match(ended.all, says, line)
      t.notMatch(ended.all, C1.slice(1, 20), line)
    }
    const bare = await startLab()
    t.teardown(() => bare.close())
    const path = '/v1/keys'
    const headers = { authorization: `Bearer ${TOKEN}` }
    const [host, port] = bare.admin.split(':')
    const status = await new Promise(resolve => {
      httpRequest({ host, port, path, headers, agent: false }, answer => {
        answer.resume()
        resolve(answer.statusCode)
      }).end()
    })
    t.equal(status, 409, 'without an HSM there are no keys')
  },
)

t.test('a component is typed with nothing shown', async t => {
  const modes: boolean[] = []
  const stdin = Object.assign(new PassThrough(), { setRawMode: (on: boolean) => modes.push(on) })
  let shown = ''
  const ask = (): Promise<Uint8Array> =>
    askHidden(stdin as never, text => void (shown += text), 'Component: ')
  const asked = ask()
  stdin.write('0123x\x7f ')
  stdin.write('AB\r')
  t.equal(Buffer.from(await asked).toString(), '0123 AB')
  t.equal(shown, 'Component: \n')
  const broken = ask()
  stdin.write('01\x03')
  await t.rejects(broken, { name: 'UsageError' })
  t.same(modes, [true, false, true, false], 'the terminal is left as it was')
  t.same([...fromDigits(Buffer.from('0aF-f 01\n'))], [0x0a, 0xff, 0x01])
})

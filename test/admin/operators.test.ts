import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { fromJson, NadiError, SystemRandom, VirtualClock } from '#base'
import { Approvals, type ComponentView, type WaitingActView } from '#admin'
import { KeyMemory, MemoryKeyRecords } from '#keys'
import { run } from '../../src/cli/program.ts'
import { paintFor } from '../../src/cli/terminal.ts'
import { aHsm, aStore, START_MS } from '../keys/conformance.ts'
import { startLab, TOKEN } from './lab.ts'

const folder = mkdtempSync(join(tmpdir(), 'nadi-operators-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const random = new SystemRandom()

/** What `nadi operator token` made, as the configuration has it. */
async function operator(name: string): Promise<{ name: string; tokenDigest: string }> {
  const file = join(folder, name)
  const { code, out } = await nadi(`operator token ${name} ${file} --json`)
  t.equal(code, 0)
  t.equal(statSync(file).mode & 0o777, 0o600)
  const { sha256: tokenDigest } = JSON.parse(out) as { sha256: string }
  const digest = createHash('sha256').update(readFileSync(file, 'utf8').trim()).digest('hex')
  t.equal(tokenDigest, digest)
  return { name, tokenDigest }
}

type Ended = { code: number; out: string; err: string }
type Given = { as?: string; user?: string; typed?: string }
let address = ''

async function nadi(line: string, { as, user = 'root', typed = '' }: Given = {}): Promise<Ended> {
  let out = ''
  let err = ''
  const token = as === undefined ? [] : ['--admin', address, '--token-file', join(folder, as)]
  const code = await run([...line.split(' ').map(word => word.replaceAll('_', ' ')), ...token], {
    out: text => void (out += `${text}\n`),
    err: text => void (err += `${text}\n`),
    env: { USER: user, NADI_VAR: folder },
    paint: paintFor(false),
    interactive: typed !== '',
    ask: async () => '',
    askSecret: async () => Buffer.from(typed),
    readAll: async () => '',
  })
  return { code, out, err }
}

const C1 = '0123456789ABCDEFFEDCBA9876543210'
const C2 = '89ABCDEF01234567F8E3C7A15B2D4960'
const BECAUSE = '--reason ticket_4711'

t.test('each acts under the name of their own token, and what takes two takes two', async t => {
  const operators = [await operator('ani'), await operator('budi')]
  const hsm = await aHsm(t)
  const memory = new KeyMemory()
  const clock = new VirtualClock(START_MS)
  const open = async () => new MemoryKeyRecords(memory)
  const store = await aStore(t, { open }, clock, { hsm })
  const needed = new Set(['key.activate', 'key.export', 'partner.deposit'])
  const approvals = new Approvals(needed, clock, random)
  const zones = new Set(['bank'])
  const lab = await startLab({ token: undefined, operators, approvals, keys: store, zones })
  t.teardown(() => lab.close())
  address = lab.admin

  await t.test('a token of nobody lets in nobody', async t => {
    writeFileSync(join(folder, 'shared'), TOKEN)
    writeFileSync(join(folder, 'digest'), operators[0]?.tokenDigest ?? '')
    writeFileSync(join(folder, 'none'), '')
    for (const as of ['shared', 'digest', 'none'])
      t.match(await nadi('key list', { as }), { code: 1, err: /ADMIN_UNAUTHORIZED/ }, as)
    t.equal((await nadi('key list', { as: 'ani' })).code, 0)
    for (const authorization of ['', 'Bearer ', 'Basic YW5pOg==', `bearer ${TOKEN}`]) {
      const answer = await fetch(`http://${address}/v1/keys`, { headers: { authorization } })
      t.equal(answer.status, 401, authorization)
    }
  })

  await t.test('two components take two tokens, whatever names are said', async t => {
    const begin = `key components begin bank ZMK --kind TDES2 ${BECAUSE} --json`
    const begun = await nadi(`${begin} --operator dewi`, { as: 'ani', typed: C1 })
    const { half } = fromJson(begun.out) as ComponentView
    t.match(half.entered, [{ by: 'ani' }], 'the token says who, not the option')
    const enter = `key components enter ${half.id} ${BECAUSE} --json`
    for (const name of ['budi', 'eko'])
      t.match(
        await nadi(`${enter} --operator ${name}`, { as: 'ani', typed: C2, user: name }),
        { code: 1, err: /KEY_DUAL_CONTROL/ },
        `not as ${name} either`,
      )
    const { out } = await nadi(enter, { as: 'budi', typed: C2 })
    const { key } = fromJson(out) as ComponentView
    t.match(key, { by: 'ani, budi', state: 'pending' })
  })

  await t.test('one asks, another one approves; who asked cannot', async t => {
    const [zmk] = await store.list({ type: 'ZMK' }, false)
    const asked = await nadi(`key activate ${zmk?.id} ${BECAUSE}`, { as: 'ani', user: 'root' })
    t.match(asked, { code: 1, err: /ADMIN_APPROVAL.*nadi act approve [0-9A-F]{10}/ })
    t.match(await store.list({ type: 'ZMK' }, false), [{ state: 'pending' }], 'nothing is done')
    const { out } = await nadi('act list --json', { as: 'budi' })
    const [waiting, ...more] = fromJson(out) as WaitingActView[]
    t.same(more, [])
    t.match(waiting, { act: 'key.activate', subject: zmk?.id, by: 'ani', reason: 'ticket 4711' })
    t.notOk(out.includes(zmk?.block ?? '-'))
    const id = waiting?.id ?? ''
    const approve = `act approve ${id.toLowerCase()} --reason check_value_compared`
    for (const name of ['ani', 'budi'])
      t.match(
        await nadi(`${approve} --operator ${name}`, { as: 'ani' }),
        { code: 1, err: /KEY_DUAL_CONTROL/ },
        'the token says who',
      )
    t.equal((await nadi(approve, { as: 'budi' })).code, 0)
    t.match(await nadi(approve, { as: 'budi' }), { code: 1, err: /ADMIN_NO_SUCH_ACT/ }, 'once')
    const { acts } = await store.show(zmk?.id ?? '')
    t.match(acts.at(-1), {
      act: 'activate',
      by: 'ani',
      why: 'ticket 4711 (approved by budi: check value compared)',
    })
    const lines = lab.auditLines().filter(({ act }) => act === 'key.activate')
    t.match(lines, [
      { by: 'ani', account: 'root', outcome: 'begun' },
      { by: 'ani', account: 'root', outcome: 'ADMIN_APPROVAL' },
      { by: 'ani', approvedBy: 'budi', approval: 'check value compared', outcome: 'begun' },
      { by: 'ani', approvedBy: 'budi', outcome: 'done' },
    ])
    for (const line of lines) t.notMatch(line, { approvedBy: 'ani' })
  })

  await t.test('what comes to the same takes two, too', async t => {
    const now = `key generate bank ZAK --activate ${BECAUSE}`
    t.match(await nadi(now, { as: 'budi' }), { code: 1, err: /ADMIN_APPROVAL/ })
    const byHand = `key rotate bank ZPK ${BECAUSE}`
    t.match(await nadi(byHand, { as: 'budi' }), { code: 1, err: /ADMIN_APPROVAL/ })
    t.same(await store.list({ type: 'ZPK' }, true), [], 'and nothing is made before')
    const later = await nadi(`key generate bank ZAK ${BECAUSE} --json`, { as: 'budi' })
    t.match(fromJson(later.out), { state: 'pending', by: 'budi' })
    const money = `partner deposit 4519001 1000 ${BECAUSE}`
    t.match(await nadi(money, { as: 'ani' }), { code: 1, err: /ADMIN_APPROVAL/ })
    const { out } = await nadi('act list --json', { as: 'ani' })
    const waiting = fromJson(out) as WaitingActView[]
    t.same(
      waiting.map(({ act }) => act),
      ['key.generate', 'key.rotate', 'partner.deposit'],
    )
    const refuse = `act refuse ${waiting[0]?.id} --reason not_agreed`
    t.match(await nadi(refuse, { as: 'ani' }), { code: 0, out: /asked by budi, is not done/ })
    const hand = await nadi(`act approve ${waiting[1]?.id} ${BECAUSE}`, { as: 'ani' })
    t.match(hand, { code: 0, out: /"wrapped": "RB/ })
    t.match(await nadi(`act approve 00 ${BECAUSE}`, { as: 'ani' }), { code: 2 })
    t.match(await nadi(`act refuse 0000000000 ${BECAUSE}`, { as: 'ani' }), {
      code: 1,
      err: /ADMIN_NO_SUCH_ACT/,
    })
  })

  await t.test('each act is on record under a name that nobody chose', async t => {
    for (const { by, reason } of lab.auditLines()) {
      t.ok(['ani', 'budi'].includes(by as string))
      t.ok(reason)
    }
    for (const { by } of memory.acts) t.ok(['ani', 'budi', 'nadi'].includes(by))
  })
})

t.test('what nobody approves expires, and there is a limit', async t => {
  const clock = new VirtualClock(START_MS)
  const approvals = new Approvals(new Set(['a']), clock, random)
  t.equal(approvals.needs(['b', 'a']), true)
  t.equal(approvals.needs(['b']), false)
  const act = { act: 'a', subject: 's', by: 'ani', reason: 'r' }
  const { id } = approvals.add(act, async () => {})
  await clock.runUntil(START_MS + 4 * 3_600_000)
  t.same(approvals.list, [])
  t.throws(() => approvals.take(id, 'budi'), { code: 'ADMIN_NO_SUCH_ACT' })
  for (let count = 0; count < 100; count++) approvals.add(act, async () => {})
  t.throws(() => approvals.add(act, async () => {}), NadiError)
})

t.test('a token is made once', async t => {
  const file = join(folder, 'citra')
  t.match(await nadi(`operator token citra ${file}`), {
    code: 0,
    out: /citra: \{ sha256: \w{64} \}/,
  })
  const before = readFileSync(file, 'utf8')
  t.match(await nadi(`operator token citra ${file}`), { code: 2, err: /EEXIST/ })
  t.equal(readFileSync(file, 'utf8'), before)
  t.match(await nadi(`operator token Citra! ${file}`), { code: 2 })
})

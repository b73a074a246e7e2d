import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { SystemClock, SystemRandom } from '#base'
import type { CheckedKeyView, ZoneKeyView } from '#admin'
import { type Config, loadConfig } from '#config'
import { payShieldSimulator } from '#hsm'
import { MemoryKeyRecords } from '#keys'
import { NO_LOG } from '#telemetry'
import { openKeys } from '../../src/daemon/keys.ts'
import { Daemon, ROOT } from '../e2e/daemon.ts'

const root = mkdtempSync(join(tmpdir(), 'nadi-keys-conf-'))
t.teardown(() => rmSync(root, { recursive: true, force: true }))
let folders = 0

const LAB = /^hsm:\n(?: .*\n)*/m
const around = { clock: new SystemClock(), random: new SystemRandom(), log: NO_LOG }
const ANI = { by: 'ani', why: 'ticket 4711' }
const WHO = { by: 'ani', reason: 'ticket 4711' }

/** The lab's configuration with another `hsm:` section. */
function configWith(section: string): ReturnType<typeof loadConfig> {
  const folder = join(root, String(folders++))
  const confFolder = join(folder, 'conf')
  cpSync(join(ROOT, 'conf'), confFolder, { recursive: true })
  mkdirSync(join(folder, 'var'))
  const nadi = join(confFolder, 'nadi.yaml')
  const text = readFileSync(nadi, 'utf8')
  writeFileSync(nadi, text.replace(LAB, section))
  const protocolsFolder = join(ROOT, 'protocols')
  return loadConfig({ confFolder, protocolsFolder, varFolder: join(folder, 'var'), env: {} })
}

function good(section: string): Config {
  const result = configWith(section)
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  return result.config
}

t.test('the daemon makes an LMK once, and keeps keys over a restart', async t => {
  const daemon = await Daemon.start({ billerPort: 1 })
  t.teardown(() => daemon.end())
  const lmk = join(daemon.varFolder, 'lmk')
  t.equal(statSync(lmk).mode & 0o777, 0o600)
  const made = readFileSync(lmk)
  t.equal(made.length, 32)
  const of = { zone: 'pln', type: 'ZPK', activate: true, ...WHO }
  const key = await daemon.post<ZoneKeyView>('/v1/keys', of)
  t.match(key, { zone: 'pln', state: 'active', kind: 'TDES2' })
  await daemon.kill('SIGTERM')
  await daemon.start()
  t.same(readFileSync(lmk), made)
  const { keys } = await daemon.post<{ keys: CheckedKeyView[] }>('/v1/keys/check', WHO)
  t.same(
    keys.map(({ id, result }) => [id, result]),
    [[key.id, 'good']],
  )
  const metrics = await (await fetch(`http://${daemon.adminAddress}/metrics`)).text()
  for (const line of [
    'nadi_hsm_up 1',
    'nadi_keys{zone="pln",type="ZPK",state="active"} 1',
    'nadi_key_acts_total{act="check"} 1',
  ])
    t.ok(metrics.split('\n').includes(line), line)
  const audit = readFileSync(join(daemon.varFolder, 'audit.log'), 'utf8')
  t.match(audit, /"act":"key.generate","subject":"pln","by":"ani","reason":"ticket 4711"/)

  await daemon.kill('SIGTERM')
  rmSync(lmk)
  await t.rejects(daemon.start(), 'without its LMK it does not begin anew in silence')
  t.match(daemon.log().at(-1), { error: /HSM_LMK.*the LMK that the stored keys are under/ })
})

t.test('each keeper as it is configured', async t => {
  t.equal(await openKeys(good(''), new MemoryKeyRecords(), around), undefined, 'none')

  const simulator = payShieldSimulator({ host: '127.0.0.1', port: 0 })
  const { address } = await simulator.start()
  t.teardown(() => simulator.stop())
  const port = address.split(':')[1]
  const box = `hsm:\n  keeper: payshield\n  host: 127.0.0.1\n  port: ${port}\n  lmkScheme: variant\n`
  const keys = await openKeys(good(box), new MemoryKeyRecords(), around)
  t.teardown(() => keys?.close())
  t.match(await keys?.hsm.status(), { up: true, test: true })
  const { hsm, store } = keys!
  const made = await hsm.generateKey('ZMK')
  const text = made.key.split('/').at(-1) as string
  const of = { zone: 'lab', type: 'ZMK', wrapped: text, under: 'lmk' } as const
  const checkValue = made.checkValue
  const zmk = await store.importKey({ ...of, checkValue, activate: true }, ANI)
  t.match(zmk, { checkValue, kind: 'TDES2', origin: 'imported' }, 'as its console prints it')
  const sent = await store.rotate({ zone: 'lab', type: 'ZPK' }, { scheme: 'X' }, ANI)
  t.match(sent.wrapped, /^X[0-9A-F]{32}$/)
  await store.activate(sent.key.id, ANI)
  t.equal(store.zone('lab').active('ZPK'), sent.key.block)
  const drawn = store.components.begin(
    { zone: 'lab', type: 'ZMK', parts: 2 },
    { clear: 'generate' },
    ANI,
  )
  await t.rejects(drawn, { code: 'HSM_NOT_PERMITTED' }, 'components are for its console')

  t.match(await store.care.migrate(ANI), { moved: 0 }, 'nothing is under another LMK')
  const elsewhere = new MemoryKeyRecords()
  const { version, keys: none } = await elsewhere.load()
  t.same(none, [])
  const other = { ...sent.key, lmk: '26860400' }
  t.equal(await elsewhere.commit(version, { put: [other], acts: [] }), true)
  const moved = await openKeys(good(box), elsewhere, around)
  t.teardown(() => moved?.close())
  await t.rejects(
    moved!.store.care.migrate(ANI),
    { code: 'HSM_NOT_PERMITTED', hint: /under a new LMK at the console of the box/ },
    'a box moves its keys itself',
  )
  t.match((await elsewhere.load()).keys, [{ lmk: '26860400', block: other.block }], 'none moved')
  t.match(
    JSON.stringify(configWith(`${box}  lmkBefore: { file: lmk.before }\n`)),
    /lmkBefore is no setting/,
  )

  const token = 'hsm:\n  keeper: pkcs11\n  library: /usr/lib/x.so\n  token: nadi\n  key: lmk\n'
  const { hsm: read } = good(`${token}  pin: { credential: pin }\n  lmkBefore: { env: OLD }\n`)
  t.match(read?.keeper, {
    tag: 'pkcs11',
    token: { library: '/usr/lib/x.so', token: 'nadi', key: 'lmk', pin: { from: 'credential' } },
    before: { tag: 'soft', lmk: { from: 'environment', name: 'OLD' } },
  })
})

t.test('what is wrong with the section is said', async t => {
  const rows: [section: string, says: RegExp][] = [
    ['hsm:\n  keeper: paper\n', /hsm/],
    ['hsm:\n  keeper: soft\n', /lmk/],
    ['hsm:\n  keeper: soft\n  lmk: {}\n', /wanted is one of \{ file: PATH \}/],
    ['hsm:\n  keeper: soft\n  lmk: { file: a, env: B }\n', /wanted is one of \{ file: PATH \}/],
    ['hsm:\n  keeper: soft\n  lmk: { file: ../conf/lmk }\n', /lies beside the configuration/],
    ['hsm:\n  keeper: soft\n  lmk: { file: a }\n  overlap: 1\n', /overlap cannot be/],
    ['hsm:\n  keeper: soft\n  lmk: { file: a }\n  port: 1\n', /port is no setting/],
    ['hsm:\n  keeper: payshield\n  host: 127.0.0.1\n', /lmkScheme/],
  ]
  for (const [section, says] of rows) {
    const result = configWith(section)
    t.match(JSON.stringify('problems' in result && result.problems), says, section)
  }
})

import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Clock, SystemClock, VirtualClock } from '#base'
import { PostgresKeyRecords } from '#keys'
import { Database, startEmbedded } from '#postgres'
import { NO_LOG } from '#telemetry'
import {
  aHsm,
  ANI,
  aStore,
  keepsTheKeysPromise,
  random,
  refused,
  type Shared,
  START_MS,
  until,
} from './conformance.ts'

const varFolder = fs.mkdtempSync(join(tmpdir(), 'nadi-keys-pg-'))
const server = await startEmbedded({ varFolder, clock: new SystemClock(), random, log: NO_LOG })
t.teardown(async () => {
  await server.destroy()
  fs.rmSync(varFolder, { recursive: true, force: true })
})
let schemas = 0

async function aDatabase(t: Test, schema = `keys_${++schemas}`): Promise<Database> {
  const database = await Database.open({ connection: server.connection, log: NO_LOG, schema })
  t.teardown(() => database.close())
  return database
}

async function fresh(t: Test): Promise<Shared> {
  const { schema } = await aDatabase(t)
  return {
    async open(clock: Clock) {
      return new PostgresKeyRecords({ database: await aDatabase(t, schema), clock, log: NO_LOG })
    },
  }
}

void t.test('Postgres keeps the promise', async t => {
  keepsTheKeysPromise(t, fresh)
})

void t.test('rows and acts are written together or not at all', async t => {
  const clock = new VirtualClock(START_MS)
  const database = await aDatabase(t)
  const records = new PostgresKeyRecords({ database, clock, log: NO_LOG })
  const store = await aStore(t, { open: async () => records }, clock, { hsm: await aHsm(t) })
  const first = await store.generate({ zone: 'bank', type: 'ZPK', activate: true }, ANI)
  const { version } = await records.load()
  const act = { atMs: 1, act: 'x', subject: first.id, zone: 'bank', type: 'ZPK', ...ANI }
  const twice = { ...first, id: 'BBBBBBBB' }
  await refused(
    t,
    'KEY_STORE',
    records.commit(version, { put: [twice], acts: [act] }),
    'two active',
  )
  const open = { ...first, state: 'revoked' as const }
  await refused(
    t,
    'KEY_STORE',
    records.commit(version, { put: [open], acts: [act] }),
    'revoked, kept',
  )
  t.equal(await records.commit(version + 1, { acts: [act] }), false, 'another version')
  t.equal((await records.load()).version, version)
  t.same(
    (await records.acts(first.id)).map(({ act: name }) => name),
    ['generate'],
  )
})

void t.test('a listener that breaks is replaced, and nothing is missed', async t => {
  const clock = new SystemClock()
  const shared = await fresh(t)
  const hsm = await aHsm(t)
  const one = await aStore(t, shared, clock, { hsm })
  const other = await aStore(t, shared, clock, { hsm })
  const database = await aDatabase(t)
  const listening = `FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`
  const count = async (): Promise<number> => {
    const { rows } = await database.pool.query<{ n: number }>(
      `SELECT count(*)::int AS n ${listening}`,
    )
    return rows[0]?.n ?? 0
  }
  await until(async () => (await count()) >= 2)
  await database.pool.query(`SELECT pg_terminate_backend(pid) ${listening}`)
  const made = await one.generate({ zone: 'bank', type: 'ZPK', activate: true }, ANI)
  await until(() => other.zone('bank').active('ZPK') === made.block)
  await until(async () => (await count()) >= 2)
  const next = await one.generate({ zone: 'bank', type: 'ZPK', activate: true }, ANI)
  await until(() => other.zone('bank').active('ZPK') === next.block)
  t.same(other.zone('bank').accepted('ZPK'), [next.block, made.block])
})

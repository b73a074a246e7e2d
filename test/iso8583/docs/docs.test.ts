/**
 * The page about the API is a program: run against the sources, and against what is built for
 * publishing, where its types are checked, too.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t from 'tap'
import { programOf } from './examples.ts'

const PAGE = 'docs/iso8583-api.md'
const ROOT = resolve('.')
const folder = mkdtempSync(join(tmpdir(), 'nadi-docs-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

/** Node as a user has it: without what a test runner loads into every process. */
function node(args: readonly string[], cwd: string) {
  return spawnSync('env', ['-i', `PATH=${process.env['PATH']}`, process.execPath, ...args], { cwd })
}

/** A project that has the package as a dependency, and the shipped tables beside it. */
function appWith(name: string, nadi: string): string {
  const app = join(folder, name)
  mkdirSync(join(app, 'node_modules'), { recursive: true })
  symlinkSync(nadi, join(app, 'node_modules/nadi'))
  symlinkSync(join(ROOT, 'specs'), join(app, 'specs'))
  writeFileSync(join(app, 'package.json'), JSON.stringify({ type: 'module' }))
  writeFileSync(join(app, 'program.ts'), programOf(PAGE))
  return app
}

function run(app: string, ...options: string[]): { out: unknown; err: string } {
  const { stdout, stderr } = node([...options, 'program.ts'], app)
  const out: unknown = stdout.length === 0 ? undefined : JSON.parse(stdout.toString())
  return { out, err: stderr.toString() }
}

/** What the compiler has to say: nothing when all is right. */
function tsc(...options: string[]): string {
  const bin = join(ROOT, 'node_modules/typescript/bin/tsc')
  const { stdout, stderr, status } = node([bin, ...options], ROOT)
  return status === 0 ? '' : `${stdout.toString()}${stderr.toString()} ended with ${status}`
}

const TYPES = { typeRoots: [join(ROOT, 'node_modules/@types')], types: ['node'] }

t.test('every line of the page gives what it says', async t => {
  t.ok(programOf(PAGE).split('\ncompare(').length > 30, 'it promises something')
  const { out, err } = run(appWith('source', ROOT), '--conditions=source')
  t.same(out, [], err)
})

t.test('so does the package as it is built', async t => {
  const nadi = join(folder, 'nadi')
  mkdirSync(nadi)
  copyFileSync('package.json', join(nadi, 'package.json'))
  symlinkSync(join(ROOT, 'node_modules'), join(nadi, 'node_modules'))
  const project = join(folder, 'tsconfig.json')
  const compilerOptions = { outDir: join(nadi, 'dist'), rootDir: ROOT, sourceMap: false, ...TYPES }
  const files = [join(ROOT, 'src/iso8583/index.ts')]
  const config = { extends: join(ROOT, 'tsconfig.build.json'), compilerOptions, files, include: [] }
  writeFileSync(project, JSON.stringify(config))
  t.equal(tsc('-p', project), '', 'it builds')

  const app = appWith('built', nadi)
  const strict = { strict: true, noEmit: true, target: 'es2024', module: 'nodenext', ...TYPES }
  writeFileSync(
    join(app, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: strict, files: ['program.ts'] }),
  )
  t.equal(tsc('-p', app), '', 'the examples have the types that it declares')
  const { out, err } = run(app)
  t.same(out, [], err)
})

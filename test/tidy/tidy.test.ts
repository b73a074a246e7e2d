import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import t from 'tap'
import { ERRORS } from '#base'
import { METRICS } from '#telemetry'
import * as rules from './rules.ts'
import { lineOf, readSources, type Source, toSource } from './source.ts'

const src = readSources('src')
const all = [...src, ...readSources('test'), ...readSources('bench')]

/** One broken rule, as it is shown: `src/link/link.ts:3 …`. */
type Broken = string

/** Runs a rule over files, and says all that breaks it at once. */
function holds(
  title: string,
  files: readonly Source[],
  rule: (file: Source) => readonly Broken[],
): void {
  t.test(title, async t => {
    t.same(
      files.flatMap(file => rule(file).map(text => `${file.path}:${text}`)),
      [],
    )
  })
}

function allowed(list: Readonly<Record<string, string>>, path: string): boolean {
  return Object.keys(list).some(entry =>
    entry.endsWith('/') ? path.startsWith(entry) : path === entry,
  )
}

function levelOf(folder: string): number {
  return rules.ORDER.findIndex(level => level.includes(folder))
}

/** What is wrong with one folder importing another; undefined when nothing is. */
function arrow(from: string, to: string): string | undefined {
  const never = rules.NEVER.find(rule => rule.from.includes(from) && rule.to.includes(to))
  if (never) return `${from} may not see ${to}: ${never.because}`
  if (levelOf(to) < 0) return `there is no folder ${to} in the order`
  if (levelOf(to) < levelOf(from)) return undefined
  if (rules.ALSO.some(rule => rule.from === from && rule.to.includes(to))) return undefined
  return `${from} may not see ${to}: it does not stand above it in the order`
}

t.test('the rules notice what they are for', async t => {
  const file = toSource(
    'src/link/x.ts',
    [
      "import { a } from '#base'",
      "import type {\n  B,\n} from '#message'",
      "export * from './b.ts'",
      "const c = await import('node:fs') // import { d } from '#txn'",
      'const s = `${`${Math.random()}`} setTimeout ${{ a: "setInterval" }.a}` /* Date.now() */',
      "const r = /['\"`] Date.now/.test('//') || 4 / 2 / Date.now()",
    ].join('\n'),
  )
  t.same(
    file.imports.map(({ from, typeOnly, line }) => [from, typeOnly, line]),
    [
      ['#base', false, 1],
      ['#message', true, 2],
      ['./b.ts', false, 5],
      ['node:fs', false, 6],
    ],
  )
  t.same(file.code.match(rules.REAL_TIME_AND_CHANCE), ['Math.random', 'Date.now'])
  t.match(arrow('link', 'message'), /they move frames/)
  t.match(arrow('txn', 'pack'), /does not stand above/)
  t.match(arrow('base', 'switch'), /does not stand above/)
  t.match(arrow('switch', 'nowhere'), /no folder/)
  t.same(
    [arrow('link', 'iso8583'), arrow('cli', 'config'), arrow('daemon', 'cli')],
    [undefined, undefined, undefined],
  )
})

t.test('every folder stands in the order and has a face', async t => {
  const folders = [...new Set(src.map(({ folder }) => folder))]
  t.same(
    folders.filter(folder => levelOf(folder) < 0),
    [],
  )
  t.same(
    folders.filter(
      folder => !(folder in rules.FACELESS) && !existsSync(join('src', folder, 'index.ts')),
    ),
    [],
  )
})

holds('imports point upward in the order only', src, ({ folder, imports }) =>
  imports.flatMap(({ from, line }) => {
    const to = /^#(.+)$/.exec(from)?.[1]
    const wrong = to && to !== folder ? arrow(folder, to) : undefined
    return wrong ? [`${line} ${wrong}`] : []
  }),
)

holds('folders are entered by their face; inside, siblings are named', src, file =>
  file.imports.flatMap(({ from, line }) => {
    if (from === `#${file.folder}`) return [`${line} ${from} is this folder's own face`]
    if (!from.startsWith('.')) return []
    const target = join(dirname(file.path), from)
    if (!target.startsWith(`src/${file.folder}/`))
      return [`${line} ${from} leaves the folder: use #name`]
    if (!from.endsWith('.ts')) return [`${line} ${from} does not end in .ts`]
    return target === `src/${file.folder}/index.ts` ? [`${line} siblings do not use the face`] : []
  }),
)

const pure = src.filter(({ folder }) => (rules.PURE as readonly string[]).includes(folder))
holds('pure folders do no I/O', pure, ({ imports, code }) => [
  ...imports
    .filter(
      ({ from }) =>
        !/^[.#]/.test(from) && !(rules.PURE_MODULES as readonly string[]).includes(from),
    )
    .map(({ from, line }) => `${line} imports ${from}`),
  ...[...code.matchAll(/\bprocess\.|\bfetch\(|\bconsole\./g)].map(
    ({ 0: word, index }) => `${lineOf(code, index)} uses ${word}`,
  ),
])

holds(
  'the database is touched by postgres.ts and postgres/ only',
  src,
  ({ path, folder, imports }) =>
    folder === 'postgres' ||
    basename(path) === 'postgres.ts' ||
    dirname(path).endsWith('/postgres') ||
    allowed(rules.MAY_TOUCH_DATABASE, path)
      ? []
      : imports
          .filter(({ from }) => (rules.DATABASE_MODULES as readonly string[]).includes(from))
          .map(({ from, line }) => `${line} imports ${from}`),
)

holds('time and chance are handed in', src, ({ path, code, imports }) =>
  allowed(rules.MAY_TOUCH_TIME, path)
    ? []
    : [
        ...[...code.matchAll(rules.REAL_TIME_AND_CHANCE)].map(
          ({ 0: word, index }) => `${lineOf(code, index)} uses ${word}`,
        ),
        ...imports
          .filter(({ from }) => from.startsWith('node:timers'))
          .map(({ from, line }) => `${line} imports ${from}`),
      ],
)

holds('nothing is exported as default', all, ({ code }) =>
  [...code.matchAll(/^export default\b|\bas default\b/gm)].map(
    ({ index }) => `${lineOf(code, index)}`,
  ),
)

holds(`a source file has ${rules.LINES_MAX} lines at most`, src, ({ path, text }) => {
  const lines = text.split('\n').length - 1
  return lines <= rules.LINES_MAX || allowed(rules.MAY_BE_LONG, path) ? [] : [`${lines} lines`]
})

holds('nothing is left to do, and no path of one machine is named', all, ({ path, text }) =>
  path.startsWith('test/tidy/')
    ? []
    : [...text.matchAll(/\b(?:TODO|FIXME|XXX)\b|\/(?:work|home|root)\/\w/g)].map(
        ({ 0: word, index }) => `${lineOf(text, index)} ${word}`,
      ),
)

t.test('exceptions that nobody needs any more are taken out', async t => {
  const exists = (entry: string): boolean => existsSync(entry) || !existsSync(dirname(entry)) // a folder that is still to come
  for (const list of [rules.MAY_TOUCH_TIME, rules.MAY_TOUCH_DATABASE, rules.MAY_BE_LONG])
    t.same(
      Object.keys(list).filter(entry => !exists(entry)),
      [],
    )
})

t.test('every error code is used, and told in ERRORS.md with its text', async t => {
  const used = new Set(
    src
      .filter(({ path }) => path !== 'src/base/errors.ts')
      .flatMap(({ bare }) => bare.match(/(?<=')[A-Z0-9]+_[A-Z0-9_]+(?=')/g) ?? []),
  )
  const thrown = src.flatMap(({ bare }) => bare.match(/(?<=NadiError\(\s*')\w+/g) ?? [])
  t.same(
    Object.keys(ERRORS).filter(code => !used.has(code)),
    [],
    'codes that nobody uses',
  )
  t.same(
    [...new Set(thrown)].filter(code => !(code in ERRORS)),
    [],
    'codes that are not in ERRORS',
  )

  const told = [
    ...readFileSync('ERRORS.md', 'utf8').matchAll(
      /^\| ([A-Z]+_[A-Z_]+) *\| (.*?) *\| (yes|no) *\| (.+?) *\|$/gm,
    ),
  ]
  t.same(
    told.map(([, code, text, again]) => `${code} ${again} ${text}`).toSorted(),
    Object.entries(ERRORS)
      .map(([code, { retry, text }]) => `${code} ${retry ? 'yes' : 'no'} ${text}`)
      .toSorted(),
    'ERRORS.md says what ERRORS says',
  )
})

t.test('every metric is set somewhere', async t => {
  const text = src
    .filter(({ path }) => path !== 'src/telemetry/metrics.ts')
    .map(({ bare }) => bare)
    .join('\n')
  t.same(
    Object.keys(METRICS).filter(name => !new RegExp(`\\b${name}\\b`).test(text)),
    [],
  )
})

t.test('the lock file names no registry', async t => {
  t.notMatch(readFileSync('package-lock.json', 'utf8'), /"resolved"|https?:\/\/[^"]*\.tgz/)
})

import {
  chmodSync,
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
import * as fc from 'fast-check'
import t from 'tap'
import { SeededRandom } from '#base'
import type { HttpPack, Pack, Problem } from '#pack'
import type { Packs } from '../../src/config/checks.ts'
import type { Config } from '../../src/config/config.ts'
import { loadConfig, placesFrom } from '../../src/config/load.ts'
import { type ConfigPlaces, readConfig } from '../../src/config/read.ts'
import { ensureSecret, type KeptSecret } from '../../src/config/secrets.ts'
import * as values from '../../src/config/values.ts'

const root = mkdtempSync(join(tmpdir(), 'nadi-config-'))
t.teardown(() => rmSync(root, { recursive: true, force: true }))
let folders = 0

const products = ['pln-postpaid', 'pln-prepaid', 'pln-nontaglis']
const packNames = ['pln-2003-111', 'pln-2003-115']
const pack = (name: string): [string, Pack] => [
  name,
  {
    name,
    products,
    conversation: {},
    carries: (kind: string) => kind !== 'status',
  } as unknown as Pack,
]
const iak = {
  name: 'iak',
  products: ['pulsa-telkomsel', 'pdam'],
  credentials: [],
  callback: {},
  carries: () => true,
}
const PACKS: Packs & { problems: Problem[] } = {
  loaded: new Map(packNames.map(pack)),
  http: new Map([['iak', iak as unknown as HttpPack]]),
  names: [...packNames, 'iak'],
  problems: [],
}

type Change = (folder: string) => void

/** The lab's configuration, copied, changed and read. */
function read(
  change: Change | undefined,
  more: Partial<ConfigPlaces> = {},
): ReturnType<typeof readConfig> {
  const folder = join(root, String(folders++))
  cpSync('conf', join(folder, 'conf'), { recursive: true })
  mkdirSync(join(folder, 'var'))
  change?.(folder)
  const places = {
    confFolder: join(folder, 'conf'),
    protocolsFolder: join(folder, 'protocols'),
    varFolder: join(folder, 'var'),
    env: {},
    ...more,
  }
  return readConfig(places, PACKS)
}

/** `conf/admin.yaml «port: 1» what is wrong`: the line as it stands there, for its number would age. */
function problemsOf(result: ReturnType<typeof readConfig>): string[] {
  if (!('problems' in result)) return []
  return result.problems.map(({ path, text }) => {
    const [, file = '', line] = /^(\/.*\.yaml)(?::(\d+))?$/.exec(path) ?? []
    const content = line ? readFileSync(file, 'utf8').split('\n')[Number(line) - 1] : undefined
    const shown = content === undefined ? path : `${file} «${content.trim().slice(0, 50)}»`
    return `${shown.replace(/^.*\/conf\//, 'conf/')} ${text}`
  })
}

function configOf(result: ReturnType<typeof readConfig>): Config {
  if ('problems' in result) throw new Error(problemsOf(result).join('\n'))
  return result.config
}

/** Replaces a text that must be there, once, in a file of conf/. */
function swap(file: string, from: string, to: string): Change {
  return folder => {
    const path = join(folder, 'conf', file)
    const text = readFileSync(path, 'utf8')
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`)
    writeFileSync(
      path,
      text.replace(from, () => to),
    )
  }
}

function write(file: string, content: string | Uint8Array): Change {
  return folder => writeFileSync(join(folder, 'conf', file), content)
}

function remove(file: string): Change {
  return folder => rmSync(join(folder, 'conf', file), { recursive: true })
}

function all(...changes: Change[]): Change {
  return folder => changes.forEach(change => change(folder))
}

t.test('the lab is right, and is what the documents promise', async t => {
  const env = { NADI_VAR: join(root, 'lab') }
  const config = configOf(loadConfig(placesFrom(env, '.')))
  for (const name of packNames) t.ok(config.packs.has(name), name)
  t.equal(config.data.varFolder, join(root, 'lab'))
  const [listener] = config.listeners
  const [link] = config.links
  t.match(listener, { host: '127.0.0.1', port: 8583, pack: 'pln-2003-111' })
  t.match(link, { host: '127.0.0.1', port: 18583, pack: 'pln-2003-115', biller: 'pln' })
  t.match(config.admin, { host: '127.0.0.1', port: 9583 })
  const partner = config.partners.get('4519001')
  t.equal(partner?.openingDepositMinor, 100_000_000_000_000n)
  t.same(
    ['127.0.0.1:50312', '[::1]:4', '::ffff:127.0.0.1', '10.0.0.1:4', 'nobody'].map(address =>
      partner?.mayDialFrom(address),
    ),
    [true, true, true, false, false],
  )
  const postpaid = config.products.get('pln-postpaid')
  t.match(postpaid?.policy, { recovery: 'reverse', attemptsMax: 3, reversalWindowMs: 86_400_000 })
  t.same(postpaid?.fee.shares, { biller: 0n, switch: 40n, partner: 60n })
  t.equal(config.products.get('pln-prepaid')?.denominationsMinor?.size, 9)
  for (const { policy } of config.products.values()) {
    const worstMs = policy.spacingMs + policy.recoveryTimeoutMs
    t.ok(worstMs * policy.attemptsMax <= 15_000, 'recovery ends within 15 seconds')
  }
})

/** What is changed, and a part of each problem that is then told: no more, no fewer. */
const rows: [title: string, change: Change, problems: string[]][] = [
  [
    'a link that is not there',
    swap('products.yaml', 'links: [pln]', 'links: [pnl]'),
    [
      'conf/products.yaml «links: [pnl]» no link is called "pnl" (did you mean "pln"?); there are iak, pln',
    ],
  ],
  [
    'a key that nobody reads',
    swap('links/pln.yaml', 'echoIdle: 30s', 'ecoIdle: 30s'),
    [
      'echoIdle is missing; wanted is a duration like 500ms, 40s, 1m30s or 24h, from 0s to 24h',
      '«ecoIdle: 30s» ecoIdle is no setting (did you mean "echoIdle"?); there are biller, pack',
    ],
  ],
  [
    'a key inside of a map that nobody reads',
    swap('nadi.yaml', '  level: info', '  lvl: info'),
    [
      'conf/nadi.yaml «lvl: info» log.lvl is no setting (did you mean "level"?); there are level, file',
    ],
  ],
  [
    'a whole part that is missing, and one that is no map',
    all(
      swap('nadi.yaml', '  openMax: 20000', ''),
      swap('nadi.yaml', 'node:\n', 'nodes:\n'),
      swap('partners.yaml', "banks: ['4519999']", 'banks: { a: b }'),
    ),
    [
      'node is missing; wanted are name, number',
      'nodes is no setting (did you mean "node"?)',
      '«limits:» limits.openMax is missing',
      'banks must be a list, like [a, b]',
    ],
  ],
  [
    'a duration without unit',
    swap('products.yaml', 'spacing: 1s', 'spacing: 35'),
    ['«spacing: 35» pln-postpaid.recovery.spacing cannot be "35"; wanted is a duration like'],
  ],
  [
    'a way to find out that the dialect has no message for',
    swap('products.yaml', '    by: reverse', '    by: check'),
    [
      '«by: check» check sends a status, and the pack pln-2003-115 of the link pln has none for pln-postpaid: recovery.by can be reverse or advise over it',
    ],
  ],
  [
    'an amount in the English way',
    swap('products.yaml', 'admin: Rp 1.250', 'admin: 1,250.00'),
    ['«admin: 1,250.00» pln-postpaid.fee.admin cannot be "1,250.00"; wanted is an amount like'],
  ],
  [
    'a list where one value belongs, and one value where a list belongs',
    all(
      swap('listeners/partners-iso.yaml', 'port: 8583', 'port: [8583]'),
      swap('partners.yaml', 'addresses: [127.0.0.0/8, ::1]', 'addresses: 127.0.0.1'),
    ),
    ['4519001.addresses must be a list, like [a, b]', 'port must be one value; wanted is a whole'],
  ],
  [
    'an empty list, an empty value and a network that is none',
    all(
      swap('partners.yaml', 'switchers: [SWX0001]', 'switchers: []'),
      swap('partners.yaml', 'name: Lab partner', 'name:'),
      swap('partners.yaml', '::1', '::1/129'),
    ),
    [
      '«name:» 4519001.name is empty; wanted is a title',
      '«switchers: []» 4519001.switchers needs at least 1',
      '4519001.addresses[1] cannot be "::1/129"',
    ],
  ],
  [
    'a partner that is no id, and settings that are none',
    write('partners.yaml', 'first: x\n'),
    ['"first" is not a partner central id', 'first must be settings, one `name: value` a line'],
  ],
  [
    'a key that stands twice',
    swap('nadi.yaml', '  number: 0', '  number: 0\n  number: 1'),
    ['conf/nadi.yaml «number: 1» Map keys must be unique'],
  ],
  [
    'an alias, one or a billion',
    swap('billers.yaml', 'pln:\n', 'x: &a [y]\nz: [*a, *a]\npln:\n'),
    ['«z: [*a, *a]» *a: write the value itself', '«z: [*a, *a]» *a: write the value itself'],
  ],
  [
    'a tag',
    swap('nadi.yaml', 'number: 0', 'number: !!int 0'),
    ['«number: !!int 0» Unresolved tag'],
  ],
  ['what is not YAML', write('billers.yaml', 'pln: [a\n b: }'), ['«pln: [a» ', '«b: }» ']],
  [
    'what is not text',
    write('billers.yaml', Buffer.from([0xff, 0xfe, 0])),
    ['conf/billers.yaml is not UTF-8 text'],
  ],
  ['a file without settings', write('billers.yaml', '- pln\n'), ['must hold settings']],
  ['an empty file', write('billers.yaml', ''), ['must hold settings']],
  ['nesting without end', write('billers.yaml', '['.repeat(20_000)), ['call stack', '', '']],
  ['a huge file', write('billers.yaml', '#'.repeat(2_000_000)), ['is larger than']],
  ['a missing file', remove('products.yaml'), ['conf/products.yaml is missing; it says what is']],
  ['a missing folder', remove('links'), ['conf/links is missing']],
  [
    'no listener',
    all(remove('listeners/partners-iso.yaml'), remove('listeners/partners-http.yaml')),
    ['no partner can dial in'],
  ],
  ['a broken link is still a link', write('links/pln.yaml', 'a: ]'), ['conf/links/pln.yaml']],
  [
    'a file that nobody reads, and a wrong ending',
    all(write('partner.yaml', 'a: b'), write('links/pln2.yml', 'a: b'), write('notes.txt', 'a')),
    [
      'conf/links/pln2.yml the name of a configuration file ends in .yaml',
      'partner.yaml this file is not read (did you mean "partners.yaml"?)',
    ],
  ],
  [
    'a secret in the tree',
    swap('nadi.yaml', 'token: { file: admin.token }', 'token: hunter2'),
    ['admin.token is a secret, and secrets are not written here; wanted is { file: PATH }'],
  ],
  [
    'zones of nobody, and of somebody else',
    swap(
      'listeners/partners-iso.yaml',
      'pack: pln-2003-111',
      "pack: pln-2003-111\nsecurity: { zones: { '4519001': pln, '9999999': own, '4519009': own } }",
    ),
    [
      'the zone pln is another one',
      'no partner is called "9999999"',
      'no partner is called "4519009"',
      'the zone own is another one',
    ],
  ],
  [
    'operators beside a token that lets in anybody, and one alone',
    swap(
      'nadi.yaml',
      '  token: { file',
      '  operators: { ani: { token: { env: T } } }\n  token: { file',
    ),
    [
      'with it anybody acts as any operator',
      'what takes two takes two operators',
      'the environment has no T',
    ],
  ],
  [
    'nobody who gets in',
    swap('nadi.yaml', '  token: { file: admin.token }', ''),
    ['nobody gets in: wanted are operators, or a token'],
  ],
  [
    'an operator with a digest that is none, and an act that nobody can approve',
    all(
      swap(
        'nadi.yaml',
        '  token: { file: admin.token }',
        [
          '  operators:',
          '    ani: {}',
          '    budi: { sha256: abc }',
          '    citra: { token: { file: citra.token } }',
          '  approve: [key.fly]',
        ].join('\n'),
      ),
      folder => writeFileSync(join(folder, 'var', 'citra.token'), 'hunter2', { mode: 0o600 }),
    ),
    ['budi.sha256 cannot be "abc"', 'admin.approve[0] cannot be "key.fly"'],
  ],
  [
    'operators without a token, with one that can be guessed, with that of another',
    all(
      swap(
        'nadi.yaml',
        '  token: { file: admin.token }',
        [
          '  operators:',
          '    ani: {}',
          `    budi: { sha256: ${'a1'.repeat(32)} }`,
          '    citra: { token: { file: citra.token } }',
          `    dewi: { sha256: ${'A1'.repeat(32)} }`,
        ].join('\n'),
      ),
      folder => writeFileSync(join(folder, 'var', 'citra.token'), 'hunter2', { mode: 0o600 }),
    ),
    [
      'wanted is either sha256 or token',
      'the token is shorter than 32 characters',
      'has the token of another operator',
    ],
  ],
  [
    'a secret beside the configuration',
    swap('nadi.yaml', 'token: { file: admin.token }', 'token: { file: ../conf/admin.token }'),
    ['lies beside the configuration'],
  ],
  [
    'a secret that is not there',
    swap(
      'nadi.yaml',
      '# databaseUrl: { file: /etc/nadi/database-url }',
      'databaseUrl: { env: URL }',
    ),
    ['«databaseUrl: { env: URL }» the environment has no URL'],
  ],
  [
    'a secret that everyone can read',
    folder => {
      writeFileSync(join(folder, 'var', 'admin.token'), 'hunter2')
      chmodSync(join(folder, 'var', 'admin.token'), 0o644)
    },
    ['«token: { file: admin.token }» the secret '],
  ],
  [
    'an evidence key of the wrong length',
    folder => writeFileSync(join(folder, 'var', 'evidence.key'), 'abcd', { mode: 0o600 }),
    ['«evidenceKey: { file: evidence.key }» the evidence key must be 32 bytes'],
  ],
  [
    'names that are not there, everywhere',
    all(
      swap('products.yaml', 'biller: pln', 'biller: pdam'),
      swap('links/pln.yaml', 'biller: pln', 'biller: telkom'),
      swap('partners.yaml', 'pln-nontaglis, pulsa', 'pln-nontagli, pulsa'),
      swap('listeners/partners-iso.yaml', 'pln-2003-111', 'pln-2003-11'),
      swap('nadi.yaml', 'pack: pln-2003-115', 'pack: bpjs'),
    ),
    [
      'conf/products.yaml «biller: pdam» no biller is called "pdam"; there are pln, iak',
      'the link pln goes to telkom, but pln-postpaid is sold by pdam',
      'the link pln goes to telkom, but pln-prepaid is sold by pln',
      'the link pln goes to telkom, but pln-nontaglis is sold by pln',
      'conf/links/pln.yaml «biller: telkom» no biller is called "telkom"; there are pln, iak',
      'no product is called "pln-nontagli" (did you mean "pln-nontaglis"?)',
      'conf/listeners/partners-iso.yaml «pack: pln-2003-11» no pack is called "pln-2003-11"',
      'conf/nadi.yaml «- pack: bpjs» no pack is called "bpjs"; there are pln-2003-111, pln-2003-115',
    ],
  ],
  [
    'a product that the pack cannot carry',
    swap('products.yaml', 'pln-nontaglis:', 'pdam-bill:'),
    ['no product is called', 'the pack pln-2003-115 of the link pln cannot carry pdam-bill; it'],
  ],
  [
    'two that listen on one port',
    swap('listeners/partners-iso.yaml', 'port: 8583', 'port: 9583'),
    ['port 9583 is taken by the listener partners-iso; the admin API needs one of its own'],
  ],
  [
    'limits and ranges that do not fit',
    all(
      swap('listeners/partners-iso.yaml', 'connectionsMax: 1024', 'connectionsMax: 10'),
      swap('links/pln.yaml', 'reconnectMin: 200ms', 'reconnectMin: 1m'),
      swap('links/pln.yaml', 'lateMemory: 10m', 'lateMemory: 1s'),
      swap('products.yaml', 'minimum: Rp 1\n', 'minimum: Rp 99.999.999.999\n'),
      swap('products.yaml', '- Rp 50.000\n', '- Rp 20.000\n    - Rp 10.000\n'),
      swap('products.yaml', 'switch: 40, partner: 60', 'switch: 0, partner: 0'),
      swap('products.yaml', 'reversalWindow: 0s', 'reversalWindow: 1h'),
      swap('products.yaml', '# hours: {', 'hours: { from: 00:30, until: 00:30 } # {'),
      swap('nadi.yaml', 'cutover: 24:00', 'cutover: 00:00'),
    ),
    [
      'limits.connectionsPerPeerMax (512) is above limits.connectionsMax (10)',
      'reconnectMin (1m) is above reconnectMax (2s)',
      'minimum is above maximum',
      'stands here twice',
      'this denomination with the admin fee inside lies outside of minimum and maximum',
      'nobody earns the admin fee',
      'from and until are the same: it would never be open',
      'business.cutover cannot be "00:00"; wanted is a time of day from 00:01 to 24:00',
      'reversalWindow must be 0s',
      'lateMemory must be at least the longest answerTimeout of the products over this link, 5s',
    ],
  ],
]

t.test('everything that is wrong is said at once, with file and line', async t => {
  for (const [title, change, expected] of rows) {
    const result = read(change)
    const problems = problemsOf(result)
    const untold = expected.filter(part => !problems.some(problem => problem.includes(part)))
    t.same({ untold, count: problems.length }, { untold: [], count: expected.length }, title, {
      problems,
    })
    t.notMatch(
      'problems' in result ? result.problems.map(({ text }) => text).join() : '',
      /hunter2/,
      `${title}: no secret is repeated`,
    )
  }
})

t.test('a folder or file that this user may not read is a problem', async t => {
  t.match(problemsOf(read(undefined, { confFolder: join(root, 'none') })), [/none is missing/])
  const unreadable = problemsOf(read(folder => chmodSync(join(folder, 'conf', 'billers.yaml'), 0)))
  // The superuser may read everything.
  t.same(unreadable.length, process.getuid?.() === 0 ? 0 : 1)
})

t.test('overrides change single settings, and are checked like what is written', async t => {
  const overrides = [
    'listeners.partners-iso.port=0',
    'links.pln.port=20001',
    'admin.port=0',
    'log.file=x.log',
    'lab.simulators.0.port=20001',
    'products.pln-postpaid.links=[pln]',
    'partners.4519001.blocked=true',
  ]
  const config = configOf(read(undefined, { overrides }))
  t.equal(config.listeners[0]?.port, 0)
  t.equal(config.links[0]?.port, 20001)
  t.equal(config.lab?.simulators[0]?.port, 20001)
  t.equal(config.partners.get('4519001')?.blocked, true)
  t.match(config.log.file, /\/var\/x.log$/)

  const wrong: [override: string, problem: RegExp][] = [
    ['nonsense', /^--set nonsense must read PATH=VALUE/],
    ['=1', /must read PATH=VALUE/],
    ['a..b=1', /must read PATH=VALUE/],
    [
      'listeners.partner-iso.port=1',
      /there is no listeners.partner-iso \(did you mean "partners-iso"\?\); there are callbacks, partners-http, partners-iso/,
    ],
    ['listeners.partners-iso=1', /names no setting of listeners.partners-iso/],
    ['partners=1', /names no setting; write partners.NAME.SETTING=VALUE/],
    ['admi.port=1', /there is no admi \(did you mean "admin"\?\)/],
    ['admin.prot=1', /^--set admin.prot=1 admin.prot is no setting \(did you mean "port"\?\)/],
    [
      'admin.port=x',
      /^--set admin.port=x admin.port cannot be "x"; wanted is a whole number from 0 to 65535/,
    ],
    ['admin.port=[', /the value is not YAML/],
    ['admin.port.x=1', /admin.port has no settings inside/],
    ['lab.simulators.7.port=1', /lab.simulators is a list of 2; name one by its number/],
    [
      'products.pln-postpaid.links=[x]',
      /^--set products.pln-postpaid.links=\[x\] no link is called "x"/,
    ],
  ]
  for (const [override, problem] of wrong)
    t.match(problemsOf(read(undefined, { overrides: [override] })), [problem], override)
})

t.test('secrets are loaded, made once, and never shown', async t => {
  const databaseUrl = 'postgres://nadi:hunter2@db/nadi'
  const config = configOf(read(undefined, { env: { DATABASE_URL: databaseUrl } }))
  t.equal(config.data.databaseUrl?.reveal(), databaseUrl)
  t.notMatch(JSON.stringify(config.data), /hunter2/)
  t.match(problemsOf(read(undefined, { env: { DATABASE_URL: 'mysql://hunter2' } })), [
    /^DATABASE_URL \(environment\) must begin with postgres/,
  ])

  const token = config.admin.token as KeptSecret
  const random = new SeededRandom(1)
  const made = ensureSecret(token, random, 32)
  t.match(made.reveal(), /^[0-9a-f]{64}$/)
  t.equal(statSync(token.file as string).mode & 0o777, 0o600)
  t.equal(
    ensureSecret(token, random, 32).reveal(),
    made.reveal(),
    'a second process finds the first one’s',
  )
})

t.test('values are read as they are written, or not at all', async t => {
  const table: [read: (text: string) => unknown, text: string, result: unknown][] = [
    [values.durationMs, '40s', 40_000],
    [values.durationMs, '1m30s', 90_000],
    [values.durationMs, '24h', 86_400_000],
    [values.durationMs, '500ms', 500],
    [values.durationMs, '0', 0],
    [values.durationMs, '40', undefined],
    [values.durationMs, '', undefined],
    [values.durationMs, '1s1h', undefined],
    [values.durationMs, '-1s', undefined],
    [values.durationMs, '1.5s', undefined],
    [values.rupiahMinor, '1250', 125_000n],
    [values.rupiahMinor, 'Rp 1.000.000.000.000', 100_000_000_000_000n],
    [values.rupiahMinor, 'Rp1.250,50', 125_050n],
    [values.rupiahMinor, '1.25', undefined],
    [values.rupiahMinor, '1250.50', undefined],
    [values.rupiahMinor, '12.5000', undefined],
    [values.rupiahMinor, '-1', undefined],
    [values.rupiahMinor, '1e3', undefined],
    [values.timeOfDayMs, '00:00', 0],
    [values.timeOfDayMs, '23:30', 84_600_000],
    [values.timeOfDayMs, '24:00', 86_400_000],
    [values.timeOfDayMs, '24:01', undefined],
    [values.timeOfDayMs, '9:30', undefined],
  ]
  for (const [read, text, result] of table) t.equal(read(text), result, `${read.name} ${text}`)
  fc.assert(
    fc.property(fc.nat(86_400_000 * 30), ms => values.durationMs(values.formatDuration(ms)) === ms),
  )
})

t.test('whatever stands in a file, it is a configuration or a list of problems', async t => {
  const files = ['nadi.yaml', 'partners.yaml', 'products.yaml', 'links/pln.yaml']
  const piece = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom(
      '\n',
      ': ',
      '- ',
      '[',
      '{',
      '&a ',
      '*a',
      '!!',
      '"',
      "'",
      '|\n',
      '? ',
      '---\n',
      '\t',
      '#',
      '%',
    ),
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...files),
      fc.nat(2000),
      fc.array(piece, { maxLength: 8 }),
      (file, at, pieces) => {
        const result = read(folder => {
          const path = join(folder, 'conf', file)
          const text = readFileSync(path, 'utf8')
          writeFileSync(path, text.slice(0, at) + pieces.join('') + text.slice(at + 3))
        })
        rmSync(join(root, String(folders - 1)), { recursive: true })
        const problems = 'problems' in result ? result.problems : undefined
        return !problems || problems.every(({ path, text }) => path !== '' && text !== '')
      },
    ),
    { numRuns: 200 },
  )
  t.pass()
})

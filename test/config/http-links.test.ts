import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type Config, placesFrom } from '#config'
import { loadPacks } from '../../src/config/packs.ts'
import { readConfig } from '../../src/config/read.ts'

const root = mkdtempSync(join(tmpdir(), 'nadi-http-links-'))
t.teardown(() => rmSync(root, { recursive: true, force: true }))
let folders = 0

const LINK = `biller: digiflazz
pack: digiflazz
url: https://api.digiflazz.test
inFlightMax: 64
credentials:
  username: { env: DIGIFLAZZ_USER }
  apiKey: { file: keys/digiflazz.key }
  webhookSecret: { env: DIGIFLAZZ_WEBHOOK }
tls:
  authorities: [keys/ca.crt]
  certificate: keys/ca.crt
  key: { file: keys/ca.key }
  minVersion: '1.3'
callback:
  listener: callbacks
  path: /digiflazz
  addresses: [10.0.0.0/8]
circuit: { requests: 40, atLeast: 10, failures: 25, coolDown: 3s }
`
const CALLBACKS = `kind: callbacks
host: 127.0.0.1
port: 8081
`
const PRODUCT = `
pulsa-xl:
  title: XL prepaid
  biller: digiflazz
  links: [digiflazz]
  maximum: Rp 100.000
  denominations: [Rp 5.000, Rp 10.000]
  inquiryTimeout: 5s
  answerTimeout: 30s
  recovery: { by: check, attempts: 20, spacing: 30s, timeout: 10s }
  reversalWindow: 0s
`
const { packs, httpPacks } = loadPacks('protocols')
const PACKS = {
  loaded: packs,
  http: httpPacks,
  names: [...packs.keys(), ...httpPacks.keys()],
  problems: [],
}

const ENV = { DIGIFLAZZ_USER: 'user-1', DIGIFLAZZ_WEBHOOK: 'webhook-secret-1' }
const KEY = 'digiflazz-production-key'

type Change = (files: Record<string, string>) => void

const swap =
  (file: string, from: string, to: string): Change =>
  files => {
    const text = files[file] ?? ''
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`)
    files[file] = text.replace(from, () => to)
  }

/** The lab's configuration with a biller over HTTP, changed and read. */
function read(change: Change = () => {}, env: Record<string, string> = ENV) {
  const folder = join(root, String(folders++))
  cpSync('conf', join(folder, 'conf'), { recursive: true })
  const keys = join(folder, 'var', 'keys')
  mkdirSync(keys, { recursive: true })
  cpSync(join(root, 'keys'), keys, { recursive: true })
  writeFileSync(join(keys, 'digiflazz.key'), `${KEY}\n`, { mode: 0o600 })
  const files: Record<string, string> = {
    'links/digiflazz.yaml': LINK,
    'listeners/callbacks.yaml': CALLBACKS,
    'products.yaml': readFileSync('conf/products.yaml', 'utf8') + PRODUCT,
    'billers.yaml': `${readFileSync('conf/billers.yaml', 'utf8')}\ndigiflazz:\n  title: Digiflazz\n`,
  }
  change(files)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'conf', name), text)
  const places = { ...env, NADI_CONF: join(folder, 'conf'), NADI_VAR: join(folder, 'var') }
  return readConfig(placesFrom(places, '.'), PACKS)
}

function configOf(result: ReturnType<typeof read>): Config {
  if ('problems' in result) throw new Error(result.problems.map(one => one.text).join('\n'))
  return result.config
}

/** `links/digiflazz.yaml «url: …» what is wrong`. */
function problemsOf(result: ReturnType<typeof read>): string[] {
  if (!('problems' in result)) return []
  return result.problems.map(({ path, text }) => {
    const [, file = '', line] = /^(\/.*\.yaml)(?::(\d+))?$/.exec(path) ?? []
    const content = line ? readFileSync(file, 'utf8').split('\n')[Number(line) - 1] : undefined
    return `${file.replace(/^.*\/conf\//, '')} «${content?.trim() ?? ''}» ${text}`
  })
}

t.before(() => {
  const keys = join(root, 'keys')
  mkdirSync(keys)
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
  ]
  execFileSync('openssl', [...args, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=ca'], {
    cwd: keys,
    stdio: 'ignore',
  })
})

t.test('a biller over HTTP, with all that belongs to it', async t => {
  const config = configOf(read())
  const [link] = config.httpLinks
  t.match(link, {
    name: 'digiflazz',
    pack: 'digiflazz',
    place: {
      url: 'https://api.digiflazz.test',
      tls: {
        minVersion: 'TLSv1.3',
        authorities: [/BEGIN CERTIFICATE/],
        client: { certificate: /BEGIN/ },
      },
    },
    identity: undefined,
    callback: { listener: 'callbacks', path: '/digiflazz' },
    options: {
      inFlightMax: 64,
      lateWaitMs: 0,
      bodyBytesMax: 1_048_576,
      circuit: { countMax: 40, countMin: 10, failureRate: 0.25, coolDownMs: 3000, probes: 3 },
    },
  })
  t.strictSame(
    Object.entries(link?.credentials ?? {}).map(([name, value]) => [name, value.reveal()]),
    [
      ['username', 'user-1'],
      ['apiKey', KEY],
      ['webhookSecret', 'webhook-secret-1'],
    ],
  )
  t.strictSame(
    [link?.callback?.mayCall('10.1.2.3'), link?.callback?.mayCall('127.0.0.1:9')],
    [true, false],
  )
  t.match(config.callbacks, [
    { name: 'callbacks', port: 8081, tls: undefined, limits: { bodyBytesMax: 65_536 } },
  ])
  t.strictSame(
    config.links.map(({ name }) => name),
    ['pln'],
    'the others are as they were',
  )
  t.ok(config.httpPacks.has('digiflazz'))
  t.notOk(
    JSON.stringify(config, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    ).includes(KEY),
  )
})

const inLink = (from: string, to: string): Change => swap('links/digiflazz.yaml', from, to)
const rows: [title: string, change: Change, problems: string[], env?: Record<string, string>][] = [
  [
    'an address that is none',
    inLink('https://api.digiflazz.test', 'api.digiflazz.test'),
    [
      '«url: api.digiflazz.test» url cannot be "api.digiflazz.test"; wanted is an address like https://',
    ],
  ],
  [
    'an address with a password in it',
    inLink('https://api', 'https://me:pass@api'),
    ['wanted is an address like'],
  ],
  [
    'without TLS over a line that is not private',
    files => {
      inLink('https:', 'http:')(files)
      files['links/digiflazz.yaml'] = (files['links/digiflazz.yaml'] ?? '').replace(
        /tls:[^]*?callback/,
        'callback',
      )
    },
    ['«url: http://api.digiflazz.test» http:// leaves everything readable'],
  ],
  [
    'TLS where there is none',
    inLink('https:', 'http:'),
    ['http:// leaves everything readable', '«tls:» there is no TLS where url is http://'],
  ],
  [
    'a certificate without its key',
    inLink('  key: { file: keys/ca.key }\n', ''),
    ['«tls:» a client certificate and its key go together'],
  ],
  [
    'a certificate that is none',
    inLink('[keys/ca.crt]', '[keys/digiflazz.key]'),
    ['«authorities: [keys/digiflazz.key]»', 'holds no certificate in PEM'],
  ],
  [
    'a certificate that is not there',
    inLink('[keys/ca.crt]', '[keys/other.crt]'),
    ['cannot be read (ENOENT)'],
  ],
  [
    'a key that is none',
    inLink('keys/ca.key', 'keys/digiflazz.key'),
    ['«key: { file: keys/digiflazz.key }» must be a private key in PEM'],
  ],
  [
    'a credential that is missing',
    inLink('  username: { env: DIGIFLAZZ_USER }\n', ''),
    ['«credentials:» credentials.username is missing: the account'],
  ],
  [
    'a credential that nobody asked for',
    inLink('username', 'userName'),
    [
      'the dialect has no credential "userName" (did you mean "username"?)',
      'credentials.username is missing',
    ],
  ],
  [
    'a credential that is not in the environment',
    () => {},
    ['«username: { env: DIGIFLAZZ_USER }» the environment has no DIGIFLAZZ_USER'],
    { DIGIFLAZZ_WEBHOOK: 'x' },
  ],
  [
    'a credential written down',
    inLink('{ env: DIGIFLAZZ_USER }', 'user-1'),
    ['credentials.username is a secret, and secrets are not written here'],
  ],
  [
    'callbacks to a listener that is not there',
    inLink('listener: callbacks', 'listener: calls'),
    ['«listener: calls» no listener of callbacks is called "calls"; there are callbacks'],
  ],
  [
    'a listener of callbacks that no link names',
    files => {
      files['listeners/idle.yaml'] = CALLBACKS.replace('8081', '8082')
    },
    ['«kind: callbacks» no link has its callbacks here'],
  ],
  [
    'callbacks where the dialect has none',
    inLink('pack: digiflazz', 'pack: rajabiller'),
    ['the dialect of rajabiller has no callbacks'],
  ],
  [
    'two links with one path',
    files => {
      files['links/second.yaml'] = files['links/digiflazz.yaml'] ?? ''
    },
    ['«path: /digiflazz» callbacks to /digiflazz are those of the link digiflazz'],
  ],
  [
    'a path that is none',
    inLink('path: /digiflazz', 'path: digiflazz'),
    ['callback.path cannot be "digiflazz"; wanted is a path like'],
  ],
  [
    'a circuit that would never trip',
    inLink('atLeast: 10', 'atLeast: 41'),
    ['circuit.atLeast (41) is above circuit.requests (40)'],
  ],
  [
    'a pack in frames',
    inLink('pack: digiflazz', 'pack: pln-2003-115'),
    ['the pack pln-2003-115 is spoken in frames', 'cannot carry pulsa-xl'],
  ],
  [
    'a pack over HTTP on a line of frames',
    files => {
      files['links/pln.yaml'] = readFileSync('conf/links/pln.yaml', 'utf8').replace(
        'pln-2003-115',
        'digiflazz',
      )
    },
    [
      'links/pln.yaml «pack: digiflazz» the pack digiflazz is spoken over HTTP: the link needs url',
      'cannot carry pln-nontaglis',
    ],
  ],
  [
    'a pack over HTTP on a listener of frames',
    files => {
      files['listeners/partners-iso.yaml'] = readFileSync(
        'conf/listeners/partners-iso.yaml',
        'utf8',
      ).replace('pln-2003-111', 'digiflazz')
    },
    [
      'listeners/partners-iso.yaml «pack: digiflazz» the pack digiflazz is spoken over HTTP, and this listener takes frames',
    ],
  ],
  [
    'a product that the dialect does not carry',
    swap('products.yaml', 'pulsa-xl:', 'pulsa-im3:'),
    ['the pack digiflazz of the link digiflazz cannot carry pulsa-im3'],
  ],
  [
    'a biller that is not there',
    inLink('biller: digiflazz', 'biller: digiflaz'),
    [
      'the link digiflazz goes to digiflaz, but pulsa-xl is sold by digiflazz',
      'no biller is called "digiflaz" (did you mean "digiflazz"?)',
    ],
  ],
  [
    'a port that is taken',
    swap('listeners/callbacks.yaml', '8081', '8583'),
    ['listeners/callbacks.yaml «port: 8583» port 8583 is taken by'],
  ],
  [
    'late answers forgotten too soon',
    inLink('inFlightMax: 64', 'inFlightMax: 64\nlateMemory: 10s'),
    ['«lateMemory: 10s» lateMemory must be at least the longest answerTimeout'],
  ],
]

t.test('everything that is wrong is told, with its line', async t => {
  for (const [title, change, wanted, env] of rows) {
    const told = problemsOf(read(change, env))
    const missing = wanted.filter(part => !told.some(text => text.includes(part)))
    t.strictSame(missing, [], title, { told })
    const texts = told.map(text => text.replace(/«[^]*?»/, ''))
    const secrets = [KEY, 'user-1', 'webhook-secret-1']
    t.notOk(
      texts.some(text => secrets.some(secret => text.includes(secret))),
      `${title}: no secret`,
    )
  }
})

const BANKS = `kind: snap
host: 127.0.0.1
port: 8443
banks:
  contoh:
    partner: '4519001'
    addresses: [10.20.0.0/16]
    credentials:
      clientId: { env: BANK_CLIENT }
      partnerId: { env: BANK_PARTNER }
      clientSecret: { env: BANK_SECRET }
      bankPublicKey: { env: BANK_KEY }
    services: { '99999': pln-postpaid }
`
const BANK_KEY = '-----BEGIN PUBLIC KEY-----'
const BANK_IDS = { BANK_CLIENT: 'client-1', BANK_PARTNER: 'p-1', BANK_SECRET: 'secret-1' }
const BANK_ENV = { ...ENV, ...BANK_IDS, BANK_KEY }
const withBanks =
  (from = '', to = ''): Change =>
  files => {
    files['listeners/banks.yaml'] = BANKS
    if (from !== '') swap('listeners/banks.yaml', from, to)(files)
  }

t.test('a listener of banks', async t => {
  const [snap] = configOf(read(withBanks(), BANK_ENV)).snaps
  const [bank] = snap?.banks ?? []
  t.match(snap, { name: 'banks', answerWaitMs: 25_000, limits: { answerTimeoutMs: 30_000 } })
  t.match(bank, { name: 'contoh', partner: '4519001', pack: 'snap-va' })
  t.equal(bank?.credentials['clientId']?.reveal(), 'client-1')
  t.same(bank?.services.get('99999'), { product: 'pln-postpaid', by: 'id' })
  t.match(snap?.tokenKeys, [{ file: /snap\/banks\.token$/, value: undefined }], 'to be made')
  t.equal(bank?.mayCall('10.20.1.1:5000'), true)
  t.equal(bank?.mayCall('10.21.1.1'), false)
  const meters = configOf(read(withBanks('pln-postpaid', 'pln-prepaid by meter'), BANK_ENV)).snaps
  t.match(meters[0]?.banks[0]?.services.get('99999'), { product: 'pln-prepaid', by: 'meter' })

  const second = BANKS.slice(BANKS.indexOf('  contoh:')).replace('contoh', 'lain')
  const rows: [title: string, change: Change, problem: string][] = [
    ['no such partner', withBanks("'4519001'", "'4510000'"), 'no partner is called "4510000"'],
    ['no such product', withBanks('pln-postpaid', 'bpjs'), 'no product is called "bpjs"'],
    ['by no number', withBanks('pln-postpaid', 'pln-prepaid by name'), 'PRODUCT by meter'],
    [
      'another pack',
      withBanks('    addresses', '    pack: digiflazz\n    addresses'),
      'none that banks call by',
    ],
    [
      'no such pack',
      withBanks('    addresses', '    pack: snap\n    addresses'),
      'no pack is called',
    ],
    [
      'no secret',
      withBanks('      clientSecret: { env: BANK_SECRET }\n', ''),
      'clientSecret is missing',
    ],
    ['a port twice', withBanks('8443', '8081'), 'port 8081 is taken'],
    [
      'a short token key',
      withBanks('banks:', 'tokenKeys: [{ env: BANK_SECRET }]\nbanks:'),
      'at least 32 characters',
    ],
    [
      'a token key of before that is not there',
      withBanks('banks:', 'tokenKeys: [{ file: new }, { file: old }]\nbanks:'),
      'old cannot be read (ENOENT)',
    ],
    ['one bank twice', withBanks(BANKS, BANKS + second), 'another bank has the same clientId'],
  ]
  for (const [title, change, problem] of rows)
    t.match(problemsOf(read(change, BANK_ENV)).join('\n'), problem, title)
})

t.test(
  'the lab hands a simulator over HTTP its credentials, and the link has the same',
  async t => {
    const at = 'port: 18601\n'
    const simulator =
      (text: string): Change =>
      files => {
        const nadi = readFileSync('conf/nadi.yaml', 'utf8')
        files['nadi.yaml'] = nadi.replace(at, `${at}      ${text}\n`)
      }
    const link =
      (from: string, to: string): Change =>
      files => {
        files['links/iak.yaml'] = readFileSync('conf/links/iak.yaml', 'utf8').replace(from, to)
      }
    const iak = (change?: Change) => {
      const config = configOf(read(change))
      const own = config.httpLinks.find(({ name }) => name === 'iak')?.credentials ?? {}
      const [, handed] = config.lab?.simulators ?? []
      const shown = (given: object) =>
        Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value.reveal()]))
      return {
        link: shown(own),
        handed: shown(handed?.credentials ?? {}),
        told: handed?.callbackUrl,
      }
    }
    const usual = { username: 'lab-username', apiKey: 'lab-apiKey' }
    t.same(iak(), { link: usual, handed: {}, told: 'http://127.0.0.1:8081/iak' })
    const given = 'credentials: { apiKey: { env: DIGIFLAZZ_USER } }'
    t.same(iak(simulator(given)), {
      link: { ...usual, apiKey: 'user-1' },
      handed: { apiKey: 'user-1' },
      told: 'http://127.0.0.1:8081/iak',
    })
    const own = link(
      'inFlightMax',
      'credentials: { apiKey: { env: DIGIFLAZZ_WEBHOOK } }\ninFlightMax',
    )
    t.match(iak(own), { link: { ...usual, apiKey: 'webhook-secret-1' }, handed: {} })

    const rows: [title: string, change: Change, problem: string][] = [
      [
        'a link elsewhere needs its own',
        link('http://127.0.0.1:18601', 'https://api.iak.test'),
        'credentials.apiKey is missing',
      ],
      [
        'and so does every link without a lab',
        files => {
          files['nadi.yaml'] = readFileSync('conf/nadi.yaml', 'utf8').replace(
            /^lab:\n( .*\n)*/m,
            '',
          )
        },
        'credentials.username is missing',
      ],
      [
        'a name that the dialect has not',
        simulator('credentials: { pin: { env: DIGIFLAZZ_USER } }'),
        'the dialect has no credential "pin"',
      ],
      [
        'a file that is not there',
        simulator('credentials: { apiKey: { file: nowhere } }'),
        'nowhere cannot be read (ENOENT)',
      ],
      [
        'a secret in the tree',
        simulator('credentials: { apiKey: hunter2 }'),
        'is a secret, and secrets are not written here',
      ],
    ]
    for (const [title, change, problem] of rows)
      t.match(problemsOf(read(change)).join('\n'), problem, title)
  },
)

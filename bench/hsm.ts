/**
 * What the HSM's cryptography costs: one operation at a time, in this thread, as the worker does it.
 * Contestants take turns, so that a busy moment of the machine hits all of them, and the median of
 * the rounds counts.
 *
 *   ours      src/hsm/crypto: any key, any format, everything checked, what was secret wiped
 *   limit     plain node:crypto for just this case (hsm-by-hand.ts, which says what it leaves out)
 *   forge     the npm package node-forge (hsm-forge.ts)
 *
 * Then the same over the whole way: through the worker thread (hsm-worker.ts), and as host commands
 * over loopback to a simulated payShield (hsm-host.ts, in a process of its own). Last, the switch's
 * payment path with MACs and PIN translation beside the same without (hsm-path.ts, likewise).
 *
 *   node --conditions=source bench/hsm.ts [--json] [--seconds 20]
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { SystemRandom } from '#base'
import { cipherOf } from '../src/hsm/crypto/cipher.ts'
import { unwrapBlock, wrapBlock } from '../src/hsm/crypto/key-block.ts'
import { cmac, padded, retailMac } from '../src/hsm/crypto/mac.ts'
import { sealPin, translatePin } from '../src/hsm/crypto/pin-block.ts'
import * as forge from './hsm-forge.ts'
import * as hand from './hsm-by-hand.ts'
import { workerFigures } from './hsm-worker.ts'
import type { WorkerFigures } from './hsm-worker.ts'

/** Keeps the results alive, so that nothing is left out as useless. */
let sink: unknown
process.on('exit', () => sink === undefined && console.error('nothing was measured'))

const ROUNDS = 15
/** Ours may cost so many times the limit. */
const WANTED = 1.5
const seconds = numberAfter('--seconds', 20)

const random = new SystemRandom()
const PAN = '4111111111111111'
const TWELVE = '111111111111'
const fromKey = Buffer.from('C7152C20BC2C830EA7EC9E8334ABE3FE', 'hex')
const intoKey = Buffer.from('0123456789ABCDEFFEDCBA9876543210', 'hex')
const aesKey = Buffer.from('2B7E151628AED2A6ABF7158809CF4F3C', 'hex')
const from = { key: { bytes: fromKey, algorithm: 'T' }, format: '01' } as const
const into = { key: { bytes: intoKey, algorithm: 'T' }, format: '01' } as const
const pinBlock = sealPin(from.key, '01', '1234', TWELVE, random)
const data = Buffer.from(Uint8Array.from({ length: 256 }, (_, at) => (at * 37) & 0xff))
const zeros = Buffer.alloc(8)
// TR-31:2018, A.7.4, with its two keys.
const kbpk = Buffer.from('88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6', 'hex')
const kbek = Buffer.from('396C9382A6E2E66A088774E1D6E46541F5EAD67D7204F8DD0D7AE8FDA334D3AC', 'hex')
const kbak = Buffer.from('4EF24317696213840451890756757E573E0673483888F9B7F9B7517827F95022', 'hex')
const keyBlock = wrapBlock(kbpk, 'D0000P0AE00E0000', aesKey, random)

const translateByHand = hand.pinTranslation(fromKey, intoKey, PAN)
const retailByHand = hand.retailMac(intoKey)
const cmacByHand = hand.cmac(aesKey)
const unwrapByHand = hand.keyBlockUnwrap(kbek, kbak)
const translateForge = forge.pinTranslation(fromKey, intoKey, PAN)
const retailForge = forge.retailMac(intoKey)
const cmacForge = forge.cmac(aesKey, cipherOf(aesKey, 'A').subkeys[0])

const OPERATIONS = {
  'PIN translation': {
    ours: () => translatePin(from, pinBlock, into, PAN, random),
    limit: () => translateByHand(pinBlock),
    forge: () => translateForge(pinBlock),
  },
  'retail MAC, 256 bytes': {
    ours: () => retailMac(intoKey, zeros, padded(data, '1', 8) as Buffer),
    limit: () => retailByHand(data),
    forge: () => retailForge(data),
  },
  'AES-CMAC, 256 bytes': {
    ours: () => cmac(aesKey, 'A', data),
    limit: () => cmacByHand(data),
    forge: () => cmacForge(data),
  },
  'key block D, unwrap': {
    ours: () => unwrapBlock(kbpk, keyBlock) as Buffer,
    limit: () => unwrapByHand(keyBlock),
  },
} as const satisfies Record<string, Readonly<Record<string, () => Buffer>>>

type Operation = keyof typeof OPERATIONS

checkAll()
const ns = measureAll()
const worker = await workerFigures(seconds / 4)
report(ns, worker, await hostFigures(seconds / 4), await pathFigures(seconds / 2))
process.exit(0)

/** Contestants that did something else than the others would make every figure worthless. */
function checkAll(): void {
  for (const [operation, contestants] of Object.entries(OPERATIONS)) {
    // Twice, since what is kept from the first call must not change the second.
    const made = Object.values(contestants).flatMap(run => [hexOf(run()), hexOf(run())])
    if (new Set(made).size !== 1) throw new Error(`${operation}: not all do the same`)
  }
}

function measureAll(): Record<string, number> {
  const runs = Object.entries(OPERATIONS).flatMap(([operation, contestants]) =>
    Object.entries<() => Buffer>(contestants).map(
      ([who, run]) => [`${operation}, ${who}`, run] as const,
    ),
  )
  const times = new Map(runs.map(([name]) => [name, [] as number[]]))
  const roundMs = (seconds * 1000) / 2 / (ROUNDS + 1) / runs.length
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, run] of runs) {
      const one = time(run, roundMs)
      if (round > 0) times.get(name)?.push(one)
    }
  }
  return Object.fromEntries([...times].map(([name, all]) => [name, Math.round(median(all))]))
}

/**
 * Nanoseconds of CPU time a call, over about so many milliseconds: other processes that take the
 * machine away for a while do not count.
 */
function time(run: () => unknown, ms: number): number {
  const started = performance.now()
  const before = process.threadCpuUsage()
  let calls = 0
  while (performance.now() - started < ms) {
    for (let i = 0; i < 200; i++) sink = run()
    calls += 200
  }
  const { user, system } = process.threadCpuUsage(before)
  return ((user + system) * 1000) / calls
}

type HostFigures = {
  readonly serial: { readonly perSecond: number }
  readonly pipelined: { readonly perSecond: number }
  readonly ratio: number
  readonly wanted: number
}

type PathFigures = {
  readonly perSecond: { readonly with: number; readonly without: number }
  readonly ratio: number
  readonly wanted: number
}

async function hostFigures(seconds: number): Promise<HostFigures> {
  return JSON.parse(await outputOf('hsm-host.ts', seconds)) as HostFigures
}

async function pathFigures(seconds: number): Promise<PathFigures> {
  return JSON.parse(await outputOf('hsm-path.ts', seconds)) as PathFigures
}

async function outputOf(name: string, seconds: number): Promise<string> {
  const script = fileURLToPath(new URL(name, import.meta.url))
  const args = [...process.execArgv, script, '--json', '--seconds', String(seconds)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return stdout
}

function ratiosOf(ns: Readonly<Record<string, number>>): Record<string, number> {
  const of = (operation: string, who: string) => ns[`${operation}, ${who}`] ?? Number.NaN
  const operations = Object.keys(OPERATIONS) as Operation[]
  return Object.fromEntries(
    operations.flatMap(operation => {
      const ours = of(operation, 'ours')
      const toLimit = [`${operation}, ours / limit`, rounded(ours / of(operation, 'limit'))]
      if (!('forge' in OPERATIONS[operation])) return [toLimit]
      return [toLimit, [`${operation}, forge / ours`, rounded(of(operation, 'forge') / ours)]]
    }),
  ) as Record<string, number>
}

function report(
  ns: Readonly<Record<string, number>>,
  worker: WorkerFigures,
  host: HostFigures,
  path: PathFigures,
): void {
  const ratios = ratiosOf(ns)
  const wanted = { 'ours / limit': WANTED }
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ node: process.version, ns, ratios, worker, host, path, wanted }))
    return
  }
  for (const [name, value] of Object.entries(ns))
    console.log(`${name.padEnd(42)}${`${value} ns`.padStart(10)}`)
  for (const [name, value] of Object.entries(ratios))
    console.log(`${name.padEnd(42)}${value.toFixed(2).padStart(7)}`)
  console.log(`wanted: ours / limit of at most ${WANTED}`)
  for (const [name, { perSecond, ratio }] of Object.entries(worker))
    for (const [depth, rate] of Object.entries(perSecond))
      console.log(
        `${`${name}, worker, ${depth} at a time`.padEnd(42)}${`${rate}/s`.padStart(10)}${depth === '1' ? '' : `  ${ratio} times`}`,
      )
  console.log(
    `${'host command, 1 at a time'.padEnd(42)}${`${Math.round(host.serial.perSecond)}/s`.padStart(10)}`,
  )
  console.log(
    `${'host command, 64 at a time'.padEnd(42)}${`${Math.round(host.pipelined.perSecond)}/s`.padStart(10)}  ${host.ratio.toFixed(2)} times, wanted ${host.wanted}`,
  )
  const { perSecond, ratio, wanted: kept } = path
  for (const [name, rate] of Object.entries(perSecond))
    console.log(`${`payments, ${name} MACs and PINs`.padEnd(42)}${`${rate}/s`.padStart(10)}`)
  console.log(
    `${'payments, with / without'.padEnd(42)}${ratio.toFixed(2).padStart(7)}  wanted ${kept}`,
  )
}

function rounded(value: number): number {
  return Number(value.toFixed(2))
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[all.length >> 1] as number
}

function hexOf(bytes: Buffer): string {
  return bytes.toString('hex')
}

function numberAfter(flag: string, fallback: number): number {
  const at = process.argv.indexOf(flag)
  return at < 0 ? fallback : Number(process.argv[at + 1])
}

/**
 * The embedded HSM as the switch has it: each operation goes to its worker thread and back. One at
 * a time, and 64 at a time, which share the messages between the threads.
 */
import { SystemClock, SystemRandom } from '#base'
import { SoftHsm } from '#hsm'
import type { PaymentHsm } from '#hsm'
import { NO_LOG } from '#telemetry'
import { xor } from '../src/hsm/crypto/cipher.ts'
import { oddParity } from '../src/hsm/crypto/parity.ts'
import { sealPin } from '../src/hsm/crypto/pin-block.ts'
import { encryptUnder } from '../src/hsm/crypto/variant.ts'

const ROUNDS = 5
const DEPTHS = [1, 64] as const
const LMK_NAME = 'NADI_BENCH_LMK'
const PAN = '4111111111111111'
const TWELVE = '111111111111'

export type WorkerFigures = Readonly<
  Record<string, { readonly perSecond: Readonly<Record<string, number>>; readonly ratio: number }>
>

export async function workerFigures(seconds: number): Promise<WorkerFigures> {
  process.env[LMK_NAME] = Buffer.from(new SystemRandom().bytes(32)).toString('hex')
  const hsm = await SoftHsm.start({
    lmk: { from: 'environment', name: LMK_NAME },
    lab: false,
    clock: new SystemClock(),
    log: NO_LOG,
  })
  const operations = await prepared(hsm)
  const names = Object.keys(operations)
  const ms = (seconds * 1000) / names.length / DEPTHS.length / (ROUNDS + 1)
  const rates = new Map<string, number[]>()
  for (let round = 0; round <= ROUNDS; round++) {
    for (const name of names) {
      for (const depth of DEPTHS) {
        const rate = await perSecond(operations[name] as () => Promise<unknown>, depth, ms)
        if (round > 0)
          rates.set(`${name} ${depth}`, [...(rates.get(`${name} ${depth}`) ?? []), rate])
      }
    }
  }
  await hsm.close()
  return Object.fromEntries(
    names.map(name => {
      const [one, many] = DEPTHS.map(depth => median(rates.get(`${name} ${depth}`) ?? []))
      const ratio = Number(((many as number) / (one as number)).toFixed(2))
      return [name, { perSecond: { '1': one as number, '64': many as number }, ratio }]
    }),
  )
}

/** The keys come in under a ZMK of two components, as they do between parties. */
async function prepared(hsm: PaymentHsm): Promise<Record<string, () => Promise<unknown>>> {
  const random = new SystemRandom()
  const clear = () => oddParity(random.bytes(16))
  const [one, other, fromKey, intoKey, macKey] = [clear(), clear(), clear(), clear(), clear()]
  const [first, second] = await Promise.all(
    [one, other].map(part => hsm.takeComponent('ZMK', part, 'TDES2')),
  )
  const { key: zmk } = await hsm.formKey('ZMK', [first?.key ?? '', second?.key ?? ''])
  const zmkClear = oddParity(xor(one, other))
  const take = async (type: 'ZPK' | 'ZAK', key: Uint8Array) => {
    const wrapped = encryptUnder(zmkClear, 'X', key).toString('hex').toUpperCase()
    return (await hsm.importKey(type, `X${wrapped}`, zmk)).key
  }
  const pinKey = { bytes: fromKey, algorithm: 'T' } as const
  const translation = {
    key: await take('ZPK', fromKey),
    intoKey: await take('ZPK', intoKey),
    pinBlock: sealPin(pinKey, '01', '1234', TWELVE, random).toString('hex'),
    format: 0,
    intoFormat: 0,
    pan: PAN,
  } as const
  const mac = {
    key: await take('ZAK', macKey),
    algorithm: 'retail',
    data: Uint8Array.from({ length: 256 }, (_, at) => at),
    macBytes: 8,
  } as const
  return {
    'PIN translation': () => hsm.translatePin(translation),
    'retail MAC, 256 bytes': () => hsm.generateMac(mac),
  }
}

async function perSecond(run: () => Promise<unknown>, depth: number, ms: number): Promise<number> {
  const startMs = performance.now()
  const endMs = startMs + ms
  let done = 0
  const line = async (): Promise<void> => {
    while (performance.now() < endMs) {
      await run()
      done++
    }
  }
  await Promise.all(Array.from({ length: depth }, line))
  return Math.round((done / (performance.now() - startMs)) * 1000)
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[all.length >> 1] as number
}

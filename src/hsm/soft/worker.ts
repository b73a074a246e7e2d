import { parentPort, workerData } from 'node:worker_threads'
import { assert, isNadiError, SystemRandom } from '#base'
import type { Random } from '#base'
import type { MadeComponent } from '../payment-hsm.ts'
import { Token } from '../pkcs11/token.ts'
import { TokenLmk } from '../pkcs11/token-lmk.ts'
import { type Operation, SoftKeeper } from './keeper.ts'
import { loadLmk } from './lmk.ts'
import { MemoryLmk } from './memory-lmk.ts'
import type { Lmk } from './memory-lmk.ts'
import { MovingLmk } from './moving-lmk.ts'
import { packAnswer, unpackRequests } from './packed.ts'
import { refusalOf } from './wire.ts'
import type { FromWorker, LmkPlace, ToWorker, WorkerSetup } from './wire.ts'

/**
 * The thread that has the keys. Nothing leaves it but what an operation answers; an error that is no
 * NadiError is a bug, ends the thread, and with it all that it held.
 */
const port = parentPort
assert(port, 'this file runs as a worker')
try {
  await serve(workerData as WorkerSetup)
} catch (error) {
  if (!isNadiError(error)) throw error
  tell({ tag: 'refused', refusal: refusalOf(error) })
  port.close()
}

async function serve(setup: WorkerSetup): Promise<void> {
  const random = new SystemRandom()
  const { lmk: own, test } = await lmkOf(setup, random)
  const before = setup.before && (await lmkOf(setup.before, random)).lmk
  const lmk = before ? new MovingLmk(own, before) : own
  const keeper = new SoftKeeper(lmk, random)
  port?.on('message', (message: ToWorker) => {
    if (message !== 'wipe') {
      const answers: unknown[] = []
      unpackRequests(message, (id, operation, args) => {
        carryOut(keeper, answers, id, operation, args)
      })
      tell({ tag: 'answers', answers })
      answers.forEach(wipeComponent)
      return
    }
    keeper.wipe()
    port.close()
  })
  tell({ tag: 'ready', lmkCheckValue: lmk.checkValue, test })
}

async function lmkOf(
  setup: LmkPlace,
  random: Random,
): Promise<{ readonly lmk: Lmk; readonly test: boolean }> {
  if (setup.tag === 'pkcs11')
    return { lmk: new TokenLmk(await Token.open(setup.token), random), test: false }
  const { bytes, test } = loadLmk(setup.lmk, setup.lab)
  return { lmk: new MemoryLmk(bytes, random), test }
}

function carryOut(
  { operations }: SoftKeeper,
  answers: unknown[],
  id: number,
  operation: Operation,
  args: readonly unknown[],
): void {
  try {
    const run = operations[operation] as (...given: readonly unknown[]) => unknown
    packAnswer(answers, id, operation, run(...args))
  } catch (error) {
    if (!isNadiError(error)) throw error
    answers.push(id, false, refusalOf(error))
  }
}

/** A component in clear is cloned when it is sent: here nobody needs it any more. */
function wipeComponent(value: unknown): void {
  if (typeof value !== 'object' || value === null || !('clear' in value)) return
  ;(value as MadeComponent).clear.fill(0)
}

function tell(message: FromWorker): void {
  port?.postMessage(message)
}

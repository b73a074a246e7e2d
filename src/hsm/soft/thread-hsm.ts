import { Worker } from 'node:worker_threads'
import { type Clock, errorText, NadiError } from '#base'
import type { Log } from '#telemetry'
import type { KeyKind, KeyTypeName } from '../key-types.ts'
import type * as H from '../payment-hsm.ts'
import type { Operation, Operations } from './keeper.ts'
import { answerOf, type Packed, packRequest } from './packed.ts'
import { errorOf } from './wire.ts'
import type { FromWorker, Refusal, ToWorker, WorkerSetup } from './wire.ts'

export type ThreadOptions = {
  readonly clock: Clock
  readonly log: Log
  /** Operations under way; one more is HSM_BUSY. */
  readonly inFlightMax?: number
}

/** What the thread keeps keys with, and how it says that to others. */
export type ThreadKeeper = {
  readonly setup: WorkerSetup
  readonly capabilities: H.HsmCapabilities
  readonly about: string
}

const RESTART_MS = 200
const RESTART_MAX_MS = 10_000
const START_TIMEOUT_MS = 20_000

type Waiting = {
  readonly operation: Operation
  readonly resolve: (value: unknown) => void
  readonly reject: (error: NadiError) => void
}

/**
 * An HSM in a thread of this process.
 *
 *     starting ──ready──▶ up ──thread ended──▶ down ──after a while──▶ starting      close() from any
 *         └──refused──▶ down for good (start() throws): a PIN asked again and again locks a token
 *
 * Requests of one turn of the event loop go over in one message, and so come the answers (packed.ts).
 */
export class ThreadHsm implements H.PaymentHsm {
  readonly capabilities: H.HsmCapabilities
  readonly #keeper: ThreadKeeper
  readonly #options: ThreadOptions
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #up: { readonly lmkCheckValue: string; readonly test: boolean } | undefined
  #outbox: unknown[] = []
  #ids = 0
  #restartMs = RESTART_MS
  #callOff: () => void = () => {}
  #ending = false

  protected constructor(keeper: ThreadKeeper, options: ThreadOptions) {
    this.#keeper = keeper
    this.#options = options
    this.capabilities = keeper.capabilities
  }

  /** Resolves when it has its LMK. Throws HSM_LMK, or HSM_UNAVAILABLE when the thread does not start. */
  protected async started(): Promise<this> {
    try {
      await this.#start()
      return this
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async status(): Promise<H.HsmStatus> {
    return {
      up: this.#up !== undefined,
      lmkCheckValue: this.#up?.lmkCheckValue ?? '',
      test: this.#up?.test ?? false,
      inFlight: this.#waiting.size,
      about: this.#keeper.about,
    }
  }

  /** Wipes the keys and ends the thread; what is under way fails with HSM_UNAVAILABLE. */
  async close(): Promise<void> {
    this.#ending = true
    this.#callOff()
    const worker = this.#worker
    this.#tell('wipe')
    this.#down('it was closed')
    if (!worker) return
    worker.ref()
    await new Promise(resolve => worker.once('exit', resolve))
  }

  random(bytes: number): Promise<Uint8Array> {
    return this.#ask('random', bytes)
  }

  generateKey(type: KeyTypeName, kind?: KeyKind): Promise<H.MadeKey> {
    return this.#ask('generateKey', type, kind)
  }

  generateComponent(type: KeyTypeName, kind?: KeyKind): Promise<H.MadeComponent> {
    return this.#ask('generateComponent', type, kind)
  }

  takeComponent(type: KeyTypeName, clear: Uint8Array, kind?: KeyKind): Promise<H.MadeKey> {
    return this.#ask('takeComponent', type, alone(clear), kind)
  }

  formKey(type: KeyTypeName, components: readonly string[]): Promise<H.MadeKey> {
    return this.#ask('formKey', type, components)
  }

  importKey(
    type: KeyTypeName,
    wrapped: string,
    under: string,
    parity?: H.KeyParity,
  ): Promise<H.MadeKey> {
    return this.#ask('importKey', type, wrapped, under, parity)
  }

  exportKey(key: string, under: string, scheme: H.ExportScheme): Promise<H.MadeKey> {
    return this.#ask('exportKey', key, under, scheme)
  }

  rewrapKey(key: string): Promise<H.MadeKey> {
    return this.#ask('rewrapKey', key)
  }

  checkValue(key: string): Promise<string> {
    return this.#ask('checkValue', key)
  }

  describeKey(key: string): Promise<H.KeyFacts> {
    return this.#ask('describeKey', key)
  }

  sealDecimalisation(table: string): Promise<string> {
    return this.#ask('sealDecimalisation', table)
  }

  translatePin(request: H.TranslatePin): Promise<string> {
    return this.#ask('translatePin', request)
  }

  verifyPinPvv(request: H.PinFrom & H.PvvOf & { readonly pvv: string }): Promise<boolean> {
    return this.#ask('verifyPinPvv', request)
  }

  verifyPinIbm(request: H.PinFrom & H.IbmOf & { readonly offset: string }): Promise<boolean> {
    return this.#ask('verifyPinIbm', request)
  }

  generatePvv(request: H.PinFrom & H.PvvOf): Promise<string> {
    return this.#ask('generatePvv', request)
  }

  generateOffset(request: H.PinFrom & H.IbmOf): Promise<string> {
    return this.#ask('generateOffset', request)
  }

  generateMac(request: H.MacOf): Promise<Uint8Array> {
    return this.#ask('generateMac', request)
  }

  verifyMac(request: H.MacOf & { readonly mac: Uint8Array }): Promise<boolean> {
    return this.#ask('verifyMac', request)
  }

  generateCvv(request: H.CvvOf): Promise<string> {
    return this.#ask('generateCvv', request)
  }

  verifyCvv(request: H.CvvOf & { readonly cvv: string }): Promise<boolean> {
    return this.#ask('verifyCvv', request)
  }

  encrypt(request: H.CipherOf): Promise<Uint8Array> {
    return this.#ask('encrypt', { ...request, data: alone(request.data) })
  }

  decrypt(request: H.CipherOf): Promise<Uint8Array> {
    return this.#ask('decrypt', { ...request, data: alone(request.data) })
  }

  #ask<O extends Operation>(
    operation: O,
    ...args: Parameters<Operations[O]>
  ): Promise<ReturnType<Operations[O]>> {
    const worker = this.#worker
    if (!this.#up || !worker) return Promise.reject(away('it is not up'))
    if (this.#waiting.size >= this.capabilities.inFlightMax)
      return Promise.reject(new NadiError('HSM_BUSY'))
    // The thread alone is no reason for a process to stay, but one that is asked something is.
    if (this.#waiting.size === 0) worker.ref()
    const id = ++this.#ids
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { operation, resolve: resolve as Waiting['resolve'], reject })
      if (this.#outbox.length === 0) setImmediate(() => this.#flush())
      packRequest(this.#outbox, id, operation, args)
    })
  }

  #flush(): void {
    const requests = this.#outbox
    this.#outbox = []
    if (requests.length > 0) this.#tell(requests)
  }

  #tell(message: ToWorker): void {
    this.#worker?.postMessage(message)
  }

  #start(): Promise<void> {
    const { log, clock } = this.#options
    const worker = new Worker(WORKER, { workerData: this.#keeper.setup })
    worker.unref()
    this.#worker = worker
    return new Promise((resolve, reject) => {
      const callOff = clock.at(clock.nowMs() + START_TIMEOUT_MS, () => {
        reject(away('the thread did not start'))
        void worker.terminate()
      })
      worker.on('message', (message: FromWorker) => {
        if (message.tag === 'answers') return this.#answered(message.answers)
        callOff()
        if (message.tag === 'refused') return reject(this.#refused(message.refusal))
        const { lmkCheckValue, test } = message
        this.#up = { lmkCheckValue, test }
        this.#restartMs = RESTART_MS
        resolve()
      })
      worker.on('error', error => {
        log.error('the HSM thread failed', { error: errorText(error) })
        reject(away('the thread failed'))
      })
      worker.on('exit', () => {
        callOff()
        reject(away('the thread ended'))
        if (this.#worker === worker) this.#ended()
      })
    })
  }

  #answered(answers: Packed): void {
    for (let at = 0; at < answers.length; at += 3) {
      const id = answers[at] as number
      const waiting = this.#waiting.get(id)
      if (!waiting) continue
      this.#waiting.delete(id)
      const value = answers[at + 2]
      if (answers[at + 1] === true) waiting.resolve(answerOf(waiting.operation, value))
      else waiting.reject(errorOf(value as Refusal))
    }
    if (this.#waiting.size === 0) this.#worker?.unref()
  }

  #refused(refusal: Refusal): NadiError {
    this.#ending = true
    return errorOf(refusal)
  }

  #ended(): void {
    this.#down('the thread ended')
    if (this.#ending) return
    const { clock, log } = this.#options
    const afterMs = this.#restartMs
    this.#restartMs = Math.min(afterMs * 2, RESTART_MAX_MS)
    log.warn('the HSM thread ended and is started again', { afterMs })
    this.#callOff = clock.at(clock.nowMs() + afterMs, () => {
      this.#start().catch((error: unknown) => {
        log.error('the HSM thread does not start', { error: errorText(error) })
      })
    })
  }

  #down(hint: string): void {
    this.#worker = undefined
    this.#up = undefined
    this.#outbox = []
    for (const { reject } of this.#waiting.values()) reject(away(hint))
    this.#waiting.clear()
  }
}

/** Beside this file, as it is written or as it is built. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js',
  import.meta.url,
)

/** Bytes in memory of their own: a clone of a part takes the whole with it, with all that lies there. */
function alone(bytes: Uint8Array): Uint8Array {
  return bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
}

function away(hint: string): NadiError {
  return new NadiError('HSM_UNAVAILABLE', { hint })
}

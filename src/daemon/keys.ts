import { closeSync, existsSync, fchmodSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Clock, NadiError, type Random } from '#base'
import type { Config, HsmConfig } from '#config'
import { type PaymentHsm, PayShieldHsm, Pkcs11Hsm, SoftHsm } from '#hsm'
import { type KeyRecords, KeyStore } from '#keys'
import type { Log } from '#telemetry'

/** The HSM, and the keys that we share with others. */
export type Keys = {
  readonly hsm: PaymentHsm
  readonly store: KeyStore
  close(): Promise<void>
}

type Around = { readonly clock: Clock; readonly random: Random; readonly log: Log }

const LMK_BYTES = 32

/** Undefined where the configuration has no `hsm:`. Throws HSM_LMK, HSM_UNAVAILABLE, KEY_STORE. */
export async function openKeys(
  { hsm: config }: Config,
  records: KeyRecords,
  around: Around,
): Promise<Keys | undefined> {
  if (!config) return undefined
  const { keys } = await records.load()
  makeLmk(config, keys.length > 0, around)
  const hsm = await openHsm(config, around)
  try {
    const store = await KeyStore.open({ ...config, ...around, hsm, records })
    const { lmkCheckValue, up } = await hsm.status()
    const elsewhere = keys.filter(({ lmk }) => lmk !== lmkCheckValue).length
    if (up && elsewhere > 0)
      around.log.warn('keys are under another LMK', { count: elsewhere, lmk: lmkCheckValue })
    const close = async (): Promise<void> => {
      await store.close()
      await hsm.close()
    }
    return { hsm, store, close }
  } catch (error) {
    await hsm.close()
    throw error
  }
}

function openHsm({ keeper }: HsmConfig, { clock, random, log }: Around): Promise<PaymentHsm> {
  if (keeper.tag === 'payshield') return PayShieldHsm.start({ ...keeper, clock, random, log })
  const before = keeper.before && { before: keeper.before }
  if (keeper.tag === 'pkcs11')
    return Pkcs11Hsm.start({ token: keeper.token, ...before, clock, log })
  return SoftHsm.start({ lmk: keeper.lmk, lab: keeper.lab, ...before, clock, log })
}

/**
 * An LMK in a file is made at the first start, as other secrets are. Not when there are keys: those
 * are under one that got lost, and a new one would hide that.
 */
function makeLmk({ keeper }: HsmConfig, haveKeys: boolean, { random, log }: Around): void {
  if (keeper.tag !== 'soft' || keeper.lmk.from !== 'file' || keeper.before) return
  const { path } = keeper.lmk
  if (existsSync(path)) return
  if (haveKeys)
    throw new NadiError('HSM_LMK', {
      path,
      expected: 'the LMK that the stored keys are under',
      hint: 'bring it back; without it the keys are lost, and each partner needs new ones',
    })
  mkdirSync(dirname(path), { recursive: true })
  // Memory of its own, which is wiped: no copy of the LMK stays in this thread.
  const bytes = Buffer.alloc(LMK_BYTES)
  bytes.set(random.bytes(LMK_BYTES))
  try {
    const handle = openSync(path, 'wx', 0o600)
    fchmodSync(handle, 0o600)
    writeSync(handle, bytes)
    closeSync(handle)
    log.info('an LMK was made', { path })
  } catch (error) {
    // Another daemon made it in the same moment: its LMK counts.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    bytes.fill(0)
  }
}

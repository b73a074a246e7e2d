import type { Test } from 'tap'
import { DATA } from './conformance/data.ts'
import { KEYS } from './conformance/keys.ts'
import { PINS } from './conformance/pins.ts'
import { USES } from './conformance/uses.ts'
import { type HsmUnderTest, Vault } from './vault.ts'

export { aZmk } from './conformance/common.ts'

/**
 * What every PaymentHsm promises, whoever keeps the keys: the vectors through the interface, with
 * keys that come in under a ZMK as a partner's would; the errors; the limits. What a keeper says it
 * cannot do is asked of it, too: the answer is HSM_NOT_PERMITTED, not a surprise.
 */
export function keepsTheHsmPromise(t: Test, fresh: () => Promise<HsmUnderTest>): void {
  // One keeper for all: none keeps anything between calls, and to start one can take a while.
  let started: Promise<HsmUnderTest> | undefined
  t.teardown(async () => (await started)?.hsm.close())
  for (const [title, suite] of Object.entries({ ...KEYS, ...PINS, ...DATA, ...USES }))
    t.test(title, async t => {
      const under = await (started ??= fresh())
      await suite(t, new Vault(under), under.hsm.capabilities)
    })
}

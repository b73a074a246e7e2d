/** A process that has nothing but an HSM: it waits for what it asked, and then ends by itself. */
import { SystemClock } from '#base'
import { SoftHsm } from '#hsm'
import { NO_LOG } from '#telemetry'

const hsm = await SoftHsm.start({
  lmk: { from: 'environment', name: 'NADI_TEST_LMK' },
  lab: false,
  clock: new SystemClock(),
  log: NO_LOG,
})
const { key } = await hsm.generateKey('ZPK')
console.log(await hsm.checkValue(key))

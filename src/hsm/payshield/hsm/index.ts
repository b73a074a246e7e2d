// src/hsm/payshield/hsm/index.ts — a box as the switch's HSM.
export type { HostLmk } from './asking.ts'
export { opaque as payShieldKey } from './host-key.ts'
export type { PayShieldHsmOptions } from './payshield-hsm.ts'
export { PayShieldHsm } from './payshield-hsm.ts'

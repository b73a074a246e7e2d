// src/hsm/payshield/simulator/index.ts — a box for tests.
export type { PayShieldSimulator, SimulatorOptions } from './simulator.ts'
export { payShieldSimulator } from './simulator.ts'

// src/cli/iso/tools.ts — what the commands of `nadi iso` do; loaded when one of them is called.
export { decode } from './decode.ts'
export { encode } from './encode.ts'
export { convertOne, diff, doctor, redact, validate } from './inspect.ts'
export { exportSpec, importFile } from './files.ts'
export { send } from './send.ts'

// src/hsm/payshield/simulator/commands/index.ts — what each host command does.
import type { CommandCode } from '../../grammar/index.ts'
import type { Handlers } from '../call.ts'
import { boxHandlers, checkChained } from './box.ts'
import { keyHandlers } from './keys.ts'
import { legacyHandlers } from './legacy.ts'
import { macHandlers } from './macs.ts'
import { pinHandlers } from './pins.ts'

export { checkChained }

/** Every command of the grammar but NK, which is a way to send others. */
export const HANDLERS: Handlers<Exclude<CommandCode, 'NK'>> = {
  ...boxHandlers,
  ...keyHandlers,
  ...legacyHandlers,
  ...pinHandlers,
  ...macHandlers,
}

import { BOX_COMMANDS } from './box.ts'
import type { Command, ValuesOf } from './command.ts'
import { KEY_COMMANDS } from './keys.ts'
import { LEGACY_COMMANDS } from './legacy.ts'
import { MAC_COMMANDS } from './macs.ts'
import { PIN_COMMANDS } from './pins.ts'

/** The one table of host commands: the client writes and the simulator reads by it. */
export const COMMANDS = {
  ...BOX_COMMANDS,
  ...KEY_COMMANDS,
  ...LEGACY_COMMANDS,
  ...PIN_COMMANDS,
  ...MAC_COMMANDS,
} as const satisfies Record<string, Command>

export type CommandCode = keyof typeof COMMANDS
export type RequestOf<C extends CommandCode> = ValuesOf<(typeof COMMANDS)[C]['request']>
export type ResponseOf<C extends CommandCode> = ValuesOf<(typeof COMMANDS)[C]['response']>

export function isCommandCode(text: string): text is CommandCode {
  return Object.hasOwn(COMMANDS, text)
}

import type { Command } from 'commander'
import type { Context } from './context.ts'
import { UsageError } from './usage.ts'

export type WhoOptions = { readonly operator?: string; readonly reason: string }

/** With a token of one's own the daemon knows who acts, and this is only put beside it. */
export const OPERATOR = [
  '--operator <name>',
  'who acts, where one token is shared; the user of this process by default',
] as const

/** Who and why, as every act has it on record. */
export function withWho(command: Command): Command {
  return command.requiredOption('--reason <text>', 'why; it goes on record').option(...OPERATOR)
}

export function whoOf(context: Context, { operator, reason }: WhoOptions) {
  return { by: operator ?? context.whoami(), reason }
}

/** Only the shape: the daemon knows which there are. */
export function keyId(text: string): string {
  const id = text.trim()
  if (/^[0-9A-Za-z]{8}$/.test(id)) return id
  throw new UsageError(`no key id: ${text}; wanted are its 8 letters and digits`)
}

import type { Command } from 'commander'
import type { Act } from '../program.ts'
import { digitsOnly } from '../parse.ts'
import { UsageError } from '../usage.ts'

type PayShieldOptions = {
  readonly headerLength?: number
  readonly connections?: number
  readonly firmware?: string
  readonly authorised: boolean
  readonly clearPins?: true
  readonly pci?: true
  readonly clearTables: boolean
  readonly expandedData: boolean
}

/** Where it listens is an option of `sim`, which this is a command of. */
type SimOptions = { readonly host: string; readonly port: number }

/** `nadi sim payshield`: an HSM for tests, for whoever's switch. */
export function simPayShieldCommand(sim: Command, act: Act): void {
  sim
    .command('payshield')
    .description('run a simulated payment HSM that speaks payShield host commands')
    .option('--header-length <n>', 'characters of the message header (4)', digitsOnly)
    .option('--connections <n>', 'how many it takes at once (64)', digitsOnly)
    .option('--firmware <text>', 'nine characters for the diagnostics', nineCharacters)
    .option('--no-authorised', 'begin outside of the authorised state')
    .option('--clear-pins', 'allow commands that take or show PINs in clear (BA, NG)')
    .option('--pci', 'keep the terminal keys apart: types 70D and 80D instead of 002')
    .option('--no-clear-tables', 'refuse decimalisation tables that are not under the LMK')
    .option('--no-expanded-data', 'never take data of MA, MC and ME for hexadecimal digits')
    .addHelpText('after', HELP)
    .action(
      act(async (context, options: PayShieldOptions, command: Command) => {
        const { host, port } = command.optsWithGlobals<SimOptions>()
        const { payShieldSimulator } = await import('#hsm')
        const { headerLength, connections, firmware, clearPins, pci } = options
        const simulator = payShieldSimulator({
          host,
          port,
          authorised: options.authorised,
          clearTables: options.clearTables,
          expandedData: options.expandedData,
          ...(headerLength !== undefined && { headerLength }),
          ...(connections !== undefined && { connectionsMax: connections }),
          ...(firmware !== undefined && { firmware }),
          ...(clearPins && { clearPins }),
          ...(pci && { pci }),
        })
        const { address } = await simulator.start()
        context.terminal.out(`simulated payShield listens on ${address}`)
        await toldToEnd()
        await simulator.stop()
      }),
    )
}

const HELP = `
It has the published test LMKs: 00 variant, 01 for TDES key blocks, 02 for AES key blocks; a request
names one with %nn at its end. It protects nothing.

Example:
  $ nadi sim payshield --port 1500`

function toldToEnd(): Promise<void> {
  return new Promise(resolve => {
    process.once('SIGTERM', () => resolve()).once('SIGINT', () => resolve())
  })
}

function nineCharacters(text: string): string {
  if (/^[\x20-\x7e]{9}$/.test(text)) return text
  throw new UsageError(`the firmware has nine characters, not: ${text}`)
}

import type { Command } from 'commander'
import type { Act } from '../program.ts'

export function startCommand(program: Command, act: Act): void {
  program
    .command('start')
    .description('run the switch, and in the lab its database and simulated billers too')
    .addHelpText('after', '\nExample:\n  $ nadi start --set admin.port=9584')
    .action(
      act(async ({ options }) => {
        const { conf, var: varFolder, protocols, set = [] } = options
        // What the daemon starts in its turn finds the same folders.
        if (conf !== undefined) process.env['NADI_CONF'] = conf
        if (varFolder !== undefined) process.env['NADI_VAR'] = varFolder
        if (protocols !== undefined) process.env['NADI_PROTOCOLS'] = protocols
        // The daemon and its database are not loaded for the other commands.
        const { runDaemon } = await import('#daemon')
        return runDaemon(set)
      }),
    )
}

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { programFolder } from '#base'
import type { Act } from '../program.ts'
import { UsageError } from '../usage.ts'

export function benchCommand(program: Command, act: Act): void {
  program
    .command('bench')
    .description('measure full cycles per second on this machine (the same as npm run bench)')
    .addHelpText('after', '\nExample:\n  $ nadi bench --json')
    .action(
      act(async ({ json }) => {
        const script = join(programFolder(), 'bench', 'run.ts')
        if (!existsSync(script))
          throw new UsageError('the benchmark is part of the source tree only')
        const args = ['--conditions=source', script, ...(json ? ['--json'] : [])]
        const child = spawn(process.execPath, args, { stdio: 'inherit' })
        return new Promise<number>((resolve, reject) => {
          child.once('error', reject)
          child.once('exit', code => resolve(code ?? 1))
        })
      }),
    )
}

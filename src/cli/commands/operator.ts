import { createHash } from 'node:crypto'
import { closeSync, fchmodSync, openSync, writeSync } from 'node:fs'
import type { Command } from 'commander'
import { SystemRandom, toHex } from '#base'
import type { Act } from '../program.ts'
import { UsageError } from '../usage.ts'

const TOKEN_BYTES = 32

/** Credentials of operators: a token of their own, and the line of it for conf/nadi.yaml. */
export function operatorCommand(program: Command, act: Act): void {
  program
    .command('operator')
    .description('credentials of operators')
    .command('token')
    .argument('<name>', 'who it is for')
    .argument('<file>', 'a new file, which only you can read')
    .description('makes a token; its SHA-256 goes into conf/nadi.yaml, the file stays with you')
    .addHelpText('after', '\nExample:\n  $ nadi operator token ani ~/.nadi-token')
    .action(
      act(async (context, name: string, file: string) => {
        if (!/^[a-z][a-z0-9-]{0,31}$/.test(name))
          throw new UsageError(`no operator's name: ${name}`)
        const token = toHex(new SystemRandom().bytes(TOKEN_BYTES))
        writeNew(file, token)
        const sha256 = createHash('sha256').update(token).digest('hex')
        context.print({ name, file, sha256 }, () => {
          const { out, paint } = context.terminal
          out(`${file} has the token of ${name}. Into admin.operators of conf/nadi.yaml:`)
          out(paint.bold(`    ${name}: { sha256: ${sha256} }`))
        })
      }),
    )
}

/** An existing file is left alone: somebody may be let in by it. */
function writeNew(file: string, text: string): void {
  try {
    const handle = openSync(file, 'wx', 0o600)
    fchmodSync(handle, 0o600)
    writeSync(handle, `${text}\n`)
    closeSync(handle)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(`${file} cannot be made (${code})`)
  }
}

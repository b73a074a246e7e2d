import { Command, CommanderError } from 'commander'
import { isNadiError, NadiError } from '#base'
import { DaemonProblem } from './admin-client.ts'
import { actCommand } from './commands/act.ts'
import { benchCommand } from './commands/bench.ts'
import { checkCommand, printProblems } from './commands/check.ts'
import { isoCommand } from './commands/iso.ts'
import { keyCommand } from './commands/key.ts'
import { ledgerCommand } from './commands/ledger.ts'
import { linkCommand } from './commands/link.ts'
import { operatorCommand } from './commands/operator.ts'
import { packCommand } from './commands/pack.ts'
import { partnerCommand, productCommand } from './commands/partner.ts'
import { inquireCommand, payCommand } from './commands/pay.ts'
import { qrisCommand } from './commands/qris.ts'
import { simCommand } from './commands/sim.ts'
import { startCommand } from './commands/start.ts'
import { statusCommand } from './commands/status.ts'
import { txnCommand } from './commands/txn.ts'
import { webhookCommand } from './commands/webhook.ts'
import { Context } from './context.ts'
import { collect } from './parse.ts'
import { ConfigProblems, type GlobalOptions, programVersion } from './settings.ts'
import type { Terminal } from './terminal.ts'
import { EXIT, UsageError } from './usage.ts'

/** Runs one command line; answers the exit code: 0 ok, 1 failed, 2 usage. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = EXIT.ok
  const program = makeProgram(terminal, result => {
    code = result
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    return explain(error, terminal)
  }
}

/** What a command does: answers its exit code, or nothing when all went well. */
export type Action = (context: Context, ...args: never[]) => Promise<number | void>

export type Act = (action: Action) => (...args: unknown[]) => Promise<void>

function makeProgram(terminal: Terminal, ended: (code: number) => void): Command {
  const program = new Command('nadi')
    .description("Nadi, a payment switch for Indonesia's bill-payment network (PPOB)")
    .version(programVersion(), '-V, --version', 'the version of this program')
    .exitOverride()
    .configureOutput({
      writeOut: text => terminal.out(text.trimEnd()),
      writeErr: text => terminal.err(text.trimEnd()),
    })
    .configureHelp({ showGlobalOptions: true, helpWidth: 100 })
    .showHelpAfterError("(see 'nadi help' or 'nadi help COMMAND')")
    .option('--json', 'data as JSON, for programs')
    .option('--conf <folder>', 'the configuration (NADI_CONF)')
    .option('--var <folder>', 'data, keys and the admin token (NADI_VAR)')
    .option('--protocols <folder>', 'the protocol packs (NADI_PROTOCOLS)')
    .option('--set <name=value>', 'changes one setting of the configuration; repeatable', collect)
    .option('--admin <address>', 'the admin API of the daemon, host:port or URL (NADI_ADMIN)')
    .option('--token-file <file>', 'the file with your token (NADI_TOKEN_FILE)')
    .addHelpText('after', EXIT_CODES)

  // Commander hands over the arguments, then the options, then the command itself.
  const act: Act =
    action =>
    async (...args) => {
      const command = args.at(-1) as Command
      const context = new Context(terminal, command.optsWithGlobals<GlobalOptions>())
      ended((await action(context, ...(args as never[]))) ?? EXIT.ok)
    }
  const commands = [
    startCommand,
    checkCommand,
    statusCommand,
    inquireCommand,
    payCommand,
    txnCommand,
    linkCommand,
    partnerCommand,
    productCommand,
    webhookCommand,
    keyCommand,
    actCommand,
    operatorCommand,
    ledgerCommand,
    isoCommand,
    packCommand,
    qrisCommand,
    simCommand,
    benchCommand,
  ]
  for (const add of commands) add(program, act)
  return program
}

const EXIT_CODES = `
Exit codes: 0 ok, 1 failed, 2 usage.

First steps:
  $ nadi start
  $ nadi pay pln-postpaid 999900000015
  $ nadi txn list
  $ nadi txn show ID`

/** What went wrong in words for people; the exit code. */
function explain(error: unknown, terminal: Terminal): number {
  const { red } = terminal.paint
  if (error instanceof CommanderError) {
    // Help that was asked for is no error; commander has said its words already.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  }
  if (error instanceof UsageError) {
    terminal.err(`${red('nadi:')} ${error.message}`)
    return EXIT.usage
  }
  if (error instanceof ConfigProblems) {
    printProblems(error.problems, terminal)
    return EXIT.failed
  }
  if (error instanceof DaemonProblem || isNadiError(error)) {
    terminal.err(`${red('nadi:')} ${(error satisfies DaemonProblem | NadiError).message}`)
    return EXIT.failed
  }
  throw error
}

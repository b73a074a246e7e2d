import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { collect, digitsOnly, portNumber } from '../parse.ts'
import type * as Tools from '../pack/tools.ts'
import type { Act, Action } from '../program.ts'

/** The tools are loaded when one of them is called: most command lines are about something else. */
const tool =
  (name: keyof typeof Tools): Action =>
  async (context, ...given) => {
    const tools = await import('../pack/tools.ts')
    const run = tools[name] as (context: Context, ...given: never[]) => Promise<number>
    return run(context, ...given)
  }

export function packCommand(program: Command, act: Act): void {
  const pack = program
    .command('pack')
    .description('protocol packs: check, begin, test, and draft from a description')
  pack
    .command('check')
    .argument('[packs...]', 'names of packs, or folders; all when there is none')
    .description('say everything that is wrong with packs; their samples are run both ways')
    .addHelpText(
      'after',
      `
Exit code: 0 when nothing is wrong, 1 when something is.

Examples:
  $ nadi pack check
  $ nadi pack check digiflazz ../our-packs/air-contoh`,
    )
    .action(act(tool('checkPacks')))
  newCommand(pack, act)
  importCommands(pack, act)
  testCommand(pack, act)
}

function newCommand(pack: Command, act: Act): void {
  pack
    .command('new')
    .argument('<name>', 'what it is called: small letters, digits and -')
    .description('begin a pack: a folder with a whole dialect, each line of it to be looked at')
    .addOption(
      new Option('--transport <transport>', 'what the counterpart speaks')
        .choices(['iso8583', 'http'])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--body <kind>', 'over HTTP: the kind of its documents (default: json)').choices([
        'json',
        'form',
        'xml',
        'soap',
      ]),
    )
    .option('--product <code>', 'our name of the first product that it sells', 'pdam')
    .option('--in <folder>', 'where the new folder is made; the protocol packs without it')
    .addHelpText(
      'after',
      `
Examples:
  $ nadi pack new air-contoh --transport http --body json
  $ nadi pack new bank-contoh --transport iso8583 --product pln-postpaid --in ../our-packs`,
    )
    .action(act(tool('newPack')))
}

function importCommands(pack: Command, act: Act): void {
  const commands = pack
    .command('import')
    .description('draft a pack from a description of an interface, and say what it does not tell')
  importCommand(commands, 'wsdl', 'a WSDL 1.1 (SOAP)', 'importWsdlPack', act)
  importCommand(
    commands,
    'openapi',
    'an OpenAPI 3.0 or 3.1, YAML or JSON',
    'importOpenapiPack',
    act,
  )
}

function importCommand(
  commands: Command,
  language: string,
  what: string,
  name: keyof typeof Tools,
  act: Act,
): void {
  commands
    .command(language)
    .argument('<file>', what)
    .description(`draft a pack from ${what}; it passes the check, and marks what is guessed`)
    .option('--name <name>', 'what it is called; without it as the file')
    .option('--product <code>', 'our name of the product that it sells', 'pdam')
    .option(
      '--operation <kind=name>',
      'which operation is inquiry, payment or status, where its name does not say; repeatable',
      collect,
    )
    .option('--in <folder>', 'where the new folder is made; the protocol packs without it')
    .addHelpText(
      'after',
      `
Example:
  $ nadi pack import ${language} biller.${language === 'wsdl' ? 'wsdl' : 'yaml'} --name air-contoh --operation payment=posting`,
    )
    .action(act(tool(name)))
}

function testCommand(pack: Command, act: Act): void {
  pack
    .command('test')
    .argument('<pack>', 'a pack, by name or folder')
    .description('play the conversation of a pack and every hostile case, and judge how each ends')
    .option('--against <place>', "a real counterpart's sandbox: host:port, or a URL over HTTP")
    .option(
      '--customer <product=number>',
      'a number of theirs that may be paid; repeatable',
      collect,
    )
    .option('--credentials <file>', 'YAML file with the credentials, by name; those of the samples')
    .addOption(
      new Option(
        '--as <role>',
        'turned round: who dials us is tested, in this dialect or over our HTTP API',
      ).choices(['partner', 'api-partner']),
    )
    .option('--port <port>', 'with --as partner: where we listen; 0 is any', portNumber, 0)
    .option('--host <host>', 'with --as partner: on which address', '127.0.0.1')
    .option('--for <time>', 'with --as partner: for how long at most', '15m')
    .option('--callback-url <url>', 'with --as partner: where the partner wants to be called back')
    .option('--report <file>', 'the report as Markdown, masked, to be sent to the other side')
    .option('--product <code>', 'this product only; repeatable', collect)
    .option('--only <case>', 'this case only; repeatable', collect)
    .option('--patience <time>', 'how long an answer is waited for', '1s')
    .option('--at-once <count>', 'so many cases at once', digitsOnly, 4)
    .addHelpText(
      'after',
      `
Exit code: 0 when every case passed, 1 when one failed.

Examples:
  $ nadi pack test digiflazz --report digiflazz.md
  $ nadi pack test pln-2003-115 --product pln-postpaid --only paid-silent
  $ nadi pack test our-biller --against 10.1.2.3:9999 --patience 40s \\
       --customer pdam=1234567 --customer pdam=1234568 --report for-the-biller.md
  $ nadi pack test pln-2003-111 --as partner --port 18700 --report for-the-partner.md
  $ nadi pack test pln-2003-115 --as api-partner --port 18800 --report for-the-shop.md`,
    )
    .action(act(tool('testOnePack')))
}

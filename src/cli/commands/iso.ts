import { Command, Option } from 'commander'
import type { HttpPack, Pack } from '#pack'
import type { Context } from '../context.ts'
import { collect } from '../parse.ts'
import type * as Tools from '../iso/tools.ts'
import type { Act, Action } from '../program.ts'
import { ConfigProblems, placesOf } from '../settings.ts'
import { UsageError } from '../usage.ts'

/** The tools are loaded when one of them is called: most command lines are about something else. */
const tool =
  (name: keyof typeof Tools): Action =>
  async (context, ...given) => {
    const tools = await import('../iso/tools.ts')
    const run = tools[name] as (context: Context, ...given: never[]) => Promise<number>
    return run(context, ...given)
  }

/** Forms of input and leniencies stand here as well, so that help needs nothing else. */
const FORMS = ['hex', 'binary', 'base64', 'text', 'dump', 'log']
const LENIENT = [
  'trailing-bytes',
  'content-class',
  'undefined-zero-bits',
  'lower-case-hex',
  'short-composite',
]

const MESSAGE = `
A message is an argument, a file, or standard input (- or nothing): hexadecimal with spaces, colons
or 0x, binary, base64, what can be typed, dumps (hexdump -C, xxd, tcpdump -X, Wireshark) and log
lines with hexadecimal in them. What it is, is found out; --as says it.
A spec is the name of a shipped table or of a pack, or a file: a table, jPOS XML or moov JSON.`

export function isoCommand(program: Command, act: Act): void {
  const iso = program
    .command('iso')
    .description('messages of ISO 8583, by hand: read, write, compare, convert, send')
  const add = (name: string, description: string, example: string): Command =>
    iso.command(name).description(description).addHelpText('after', `${MESSAGE}\n\n${example}`)

  decodeCommand(add, act)
  encodeCommand(add, act)
  withInput(withSpec(add('diff', 'two messages, field by field', EXAMPLES.diff)))
    .argument('<left>', 'a message')
    .argument('<right>', 'another one')
    .option('--unsafe', 'card numbers, names, tokens and the like in clear')
    .action(act(tool('diff')))
  withInput(
    withSpec(add('redact', 'the message with nothing in it that is secret', EXAMPLES.redact)),
  )
    .argument('[message]', 'a message')
    .option('--out <form>', 'hex, base64 or binary', 'hex')
    .action(act(tool('redact')))
  withInput(
    withSpec(add('validate', 'whether a message is what its dialect says', EXAMPLES.validate)),
  )
    .argument('[message]', 'a message')
    .option('--request <message>', 'the request that it answers')
    .action(act(tool('validate')))
  withInput(add('convert', 'a message in another dialect', EXAMPLES.convert))
    .argument('[message]', 'a message')
    .requiredOption('--from <spec>', 'the dialect that it is written in')
    .requiredOption('--to <spec>', 'the dialect that is wanted')
    .option('--out <form>', 'hex, base64 or binary', 'hex')
    .action(act(tool('convertOne')))
  fileCommands(add, act)
  add('doctor', 'which dialect and framing an unknown dump has, and why', EXAMPLES.doctor)
    .argument('[dump]', 'whatever there is')
    .option('--spec <spec>', 'one more dialect to try; repeatable', collect)
    .option('--only', 'try no others than these')
    .action(act(tool('doctor')))
  sendCommand(add, act)
}

type Add = (name: string, description: string, example: string) => Command

function decodeCommand(add: Add, act: Act): void {
  withInput(add('decode', 'what stands in messages, field by field, masked', EXAMPLES.decode))
    .argument('[message]', 'a message')
    .option('--spec <spec>', 'the dialect that it is written in')
    .option('--pack <name>', 'the same, of the packs only')
    .addOption(lenientOption())
    .option('--lines', 'one hexadecimal message a line in, one JSON object a line out, in clear')
    .option('--masked', 'with --lines: masked all the same')
    .option('--unsafe', 'card numbers, names, tokens and the like in clear')
    .option('--wide', 'long values in full')
    .action(act(tool('decode')))
}

function encodeCommand(add: Add, act: Act): void {
  withSpec(add('encode', 'a message from its fields', EXAMPLES.encode))
    .argument('[fields...]', 'JSON as decode prints it, a file with it, or 3=000000 55.9F02=…')
    .option('--mti <mti>', 'the message type, when the fields are given as id=value')
    .option('--framing <name>', 'with this framing around it')
    .option('--out <form>', 'hex, base64 or binary', 'hex')
    .option('--lines', 'one JSON object a line in, one hexadecimal message a line out')
    .action(act(tool('encode')))
}

function fileCommands(add: Add, act: Act): void {
  add('import', 'a dialect of jPOS or moov as a table of ours', EXAMPLES.import)
    .argument('<file>', 'jPOS GenericPackager XML, moov JSON, or a table')
    .option('-o, --output <file>', 'where it is written; standard output when there is none')
    .option('--strict', 'fail when something could not be said')
    .action(act(tool('importFile')))
  add('export', 'a dialect for other programs', EXAMPLES.export)
    .argument('<spec>', 'a shipped name, a pack, or a file')
    .addOption(
      new Option('--to <form>', 'what is wanted').choices(['moov', 'table']).default('moov'),
    )
    .option('-o, --output <file>', 'where it is written; standard output when there is none')
    .option('--strict', 'fail when something could not be said')
    .action(act(tool('exportSpec')))
}

function sendCommand(add: Add, act: Act): void {
  withInput(withSpec(add('send', 'a message to a host, and its answer', EXAMPLES.send)))
    .argument('<host:port>', 'where it goes')
    .argument('[message]', 'a message')
    .requiredOption(
      '--over <framing>',
      'the framing of the connection; with a header to send: nac-tpdu:6000010002',
    )
    .option('--timeout <time>', 'how long to wait for the answer', '30s')
    .option('--unsafe', 'card numbers, names, tokens and the like in clear')
    .option('--wide', 'long values in full')
    .action(act(tool('send')))
}

function withSpec(command: Command): Command {
  return command.requiredOption('--spec <spec>', 'the dialect').addOption(lenientOption())
}

function lenientOption(): Option {
  return new Option('--lenient <deviation...>', 'deviations that are accepted').choices(LENIENT)
}

function withInput(command: Command): Command {
  return command
    .addOption(new Option('--as <form>', 'what the input is').choices(FORMS))
    .option('--framing <name>', 'the framing that stands around the messages')
}

const ECHO_1987 = '0800822000000000000004000000000000000915083015000123301'
const ECHO_HEX = Buffer.from(ECHO_1987).toString('hex')

const EXAMPLES = {
  decode: `Examples:
  $ nadi iso decode --spec iso8583-1987-ascii ${ECHO_HEX}
  $ tcpdump -X -r bank.pcap | nadi iso decode --spec iso8583-1987-binary --framing nac-tpdu
  $ nadi iso decode --spec bank.xml --lines < messages.hex > messages.jsonl`,
  encode: `Examples:
  $ nadi iso encode --spec iso8583-1987-ascii --mti 0800 7=0915083015 11=000123 70=301
  $ nadi iso encode --spec bank.xml --lines < messages.jsonl > messages.hex`,
  diff: `Exit code: 0 when they are the same, 1 when they differ.

Example:
  $ nadi iso diff --spec iso8583-1987-ascii yesterday.hex today.hex`,
  redact: `Example:
  $ nadi iso redact --spec iso8583-1987-ascii message.hex > may-be-shared.hex`,
  validate: `Example:
  $ nadi iso validate --spec bank.yaml answer.hex --request request.hex`,
  convert: `Example:
  $ nadi iso convert --from iso8583-1987-ascii --to iso8583-1987-binary ${ECHO_HEX}`,
  import: `Example:
  $ nadi iso import bank.xml -o bank.yaml`,
  export: `Example:
  $ nadi iso export iso8583-1987-ascii --to moov -o iso8583-1987.json`,
  doctor: `Example:
  $ nadi iso doctor 0037${ECHO_HEX}`,
  send: `Example:
  $ nadi iso send 127.0.0.1:8583 --spec iso8583-1987-ascii --over nac ${ECHO_HEX}`,
} as const

/** A pack needs no configuration but its own folder. */
export async function packOf(context: Context, name: string): Promise<Pack> {
  const pack = await anyPackOf(context, name)
  if ('transport' in pack) throw new UsageError(`${name} is spoken over HTTP, not ISO 8583`)
  return pack
}

export async function anyPackOf(
  { options, terminal }: Context,
  name: string,
): Promise<Pack | HttpPack> {
  const { loadPacks } = await import('#config')
  const places = await placesOf(options, terminal.env)
  const { packs, httpPacks, problems } = loadPacks(places.protocolsFolder)
  const pack = packs.get(name) ?? httpPacks.get(name)
  if (pack) return pack
  const own = problems.filter(({ path }) => path.includes(name))
  if (own.length > 0) throw new ConfigProblems(own)
  throw new UsageError(
    `there is no pack ${name}; there are ${[...packs.keys(), ...httpPacks.keys()].join(', ')}`,
  )
}

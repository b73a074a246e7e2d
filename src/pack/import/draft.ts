import { CARD_REASONS, REASONS, type Reason } from '#message'
import { type Body, BodyMapper, quoted, writeBody } from './body.ts'
import { approvedAmong, kindOf } from './guess.ts'
import {
  type Described,
  type DraftedKind,
  IMPORT_LIMITS,
  type ImportOptions,
  KINDS_DRAFTED,
  type Operation,
  type PackDraft,
  refuse,
  type Remark,
  tidy,
} from './model.ts'
import { writeReadme } from './readme.ts'

type Chosen = {
  readonly kind: DraftedKind
  readonly operation: Operation
  readonly request: Body
  readonly response: Body
}

/** The draft of a pack for what was described. Throws DOCUMENT_SYNTAX when nothing can be told. */
export function writeDraft(described: Described, options: ImportOptions): PackDraft {
  const { file, content } = described
  const remarks = [...described.remarks]
  const mapper = new BodyMapper(file, content === 'json')
  const chosen = choose(described, options, remarks).map(([kind, operation]): Chosen => ({
    kind,
    operation,
    request: mapper.body(operation, kind, true),
    response: mapper.body(operation, kind, false),
  }))
  const codes = codesOf(chosen)
  remarks.push(...mapper.remarks, ...missing(file, chosen))
  const kinds = chosen.map(({ kind }) => kind)
  return {
    pack: writePack(described, options, chosen, codes),
    readme: writeReadme(described, options.product, kinds),
    kinds,
    answered: chosen.flatMap(({ kind, response }) => (response.outcome ? [kind] : [])),
    approvedCode: codes.approved,
    refusedCode: codes.refused,
    unknownCode: codes.unknown,
    remarks: inOrder(remarks),
  }
}

/** Which operation is which kind of message: as it was told, else by its name. */
function choose(
  { file, operations }: Described,
  { operations: told = {} }: ImportOptions,
  remarks: Remark[],
): (readonly [DraftedKind, Operation])[] {
  const chosen = new Map<DraftedKind, Operation>()
  const known = operations.map(({ name }) => tidy(name)).join(', ')
  for (const kind of KINDS_DRAFTED) {
    const name = told[kind]
    if (name === undefined) continue
    const operation = operations.find(one => one.name === name)
    if (!operation) refuse(file, 1, `an operation ${tidy(name)} for ${kind}; there are ${known}`)
    chosen.set(kind, operation)
  }
  const taken = new Set(chosen.values())
  for (const operation of operations) {
    if (taken.has(operation)) continue
    const { name, line } = operation
    const kind = kindOf(name) ?? kindOf(operation.place ?? '')
    const path = `${file}:${line}`
    const other = kind === undefined || kind === 'reversal' ? undefined : chosen.get(kind)
    if (kind === undefined) {
      const text = `what is "${tidy(name)}" for? Its name does not say; tell it with --operation KIND=${tidy(name)}`
      remarks.push({ path, text })
    } else if (kind === 'reversal') {
      remarks.push({ path, text: `"${tidy(name)}" undoes payments, and is not drafted` })
    } else if (other) {
      const text = `"${tidy(name)}" looks like ${kind}, which "${tidy(other.name)}" is already`
      remarks.push({ path, text })
    } else {
      chosen.set(kind, operation)
      const text = `"${tidy(name)}" is taken for ${kind} by its name`
      remarks.push({ path, text })
    }
  }
  if (chosen.size === 0) {
    refuse(file, 1, `an operation whose name tells inquiry, payment or status; there are ${known}`)
  }
  return KINDS_DRAFTED.flatMap(kind => {
    const operation = chosen.get(kind)
    return operation ? [[kind, operation] as const] : []
  })
}

type Codes = {
  readonly paths: readonly string[]
  readonly approved: string
  readonly refused: string
  readonly unknown: string
  /** All that the description lists. */
  readonly listed: readonly string[]
}

function codesOf(chosen: readonly Chosen[]): Codes {
  const outcomes = chosen.flatMap(({ response: { outcome } }) => (outcome ? [outcome] : []))
  const listed = [...new Set(outcomes.flatMap(({ field }) => field.values ?? []))].filter(
    code => /^[\w.-]{1,40}$/.test(code) && code !== 'other',
  )
  const number = outcomes.some(({ field }) => field.type !== 'text')
  return {
    paths: [...new Set(outcomes.map(({ path }) => path))],
    approved: approvedAmong(listed) ?? (number ? '0' : '00'),
    refused: number ? '-1' : 'FILL-IN-NO',
    unknown: number ? '-2' : 'FILL-IN-UNKNOWN',
    listed,
  }
}

/** What a biller's dialect needs, and was not found. */
function missing(file: string, chosen: readonly Chosen[]): Remark[] {
  const remarks: Remark[] = []
  const kinds = chosen.map(({ kind }) => kind)
  const say = (line: number, text: string) => remarks.push({ path: `${file}:${line}`, text })
  if (!kinds.includes('payment')) say(1, 'no operation was taken for the payment')
  if (!kinds.includes('inquiry')) {
    say(1, 'no operation was taken for the inquiry: it is bought without asking first')
  }
  if (!kinds.includes('status')) {
    say(1, 'no operation tells what became of a payment: an unanswered one waits for a person')
  }
  for (const { kind, operation, request, response } of chosen) {
    const { name, line } = operation
    const called = `"${tidy(name)}" (${kind})`
    if (!request.roles.has('customer') && !operation.call.includes('{customer.id}'))
      say(line, `which field of ${called} is the customer's number?`)
    if (!request.roles.has('own') && !operation.call.includes('{reference.own}'))
      say(line, `which field of ${called} is our reference, which finds a payment again?`)
    if (!response.outcome) say(line, `where does the answer of ${called} tell its code?`)
    if (kind === 'inquiry' && !response.roles.has('amount') && !response.roles.has('total'))
      say(line, `which field of the answer of ${called} is the amount?`)
  }
  const code = chosen.find(({ response }) => response.outcome)?.response.outcome
  if (code) say(code.field.line, 'what each code means is not described: fill in `codes`')
  return remarks
}

/** In the order of the file, and no more than anyone reads. */
function inOrder(remarks: readonly Remark[]): Remark[] {
  const lineOf = ({ path }: Remark) => Number(path.slice(path.lastIndexOf(':') + 1))
  const once = new Map(remarks.map(one => [`${one.path} ${one.text}`, one]))
  return [...once.values()]
    .toSorted((a, b) => lineOf(a) - lineOf(b))
    .slice(0, IMPORT_LIMITS.remarksMax)
}

function writePack(
  described: Described,
  { product }: ImportOptions,
  chosen: readonly Chosen[],
  codes: Codes,
): string {
  const { title, content, language, namespaces, server } = described
  const credentials = credentialsOf(described, chosen)
  const spaces = [...namespaces].map(([prefix, uri]) => `  ${prefix}: ${inQuotes(uri)}\n`).join('')
  return `# The first draft, made of a description in ${language}. Such a description says how messages look, and not
# what they mean: all that is GUESSED was guessed by names, and all that is to be told is marked
# FILL IN. The language is told in docs/pack-language-http.md.
title: ${inQuotes(tidy(title) || 'FILL IN')}

transport: http
content: ${content}
# The link's file needs the host: ${tidy(server ?? 'the description does not name it', 200)}
call: ${inQuotes(chosen[0]?.operation.call ?? 'POST /')}
${spaces === '' ? '' : `namespaces:\n${spaces}`}
# FILL IN: how long they may take to answer.
conversation: { signOn: no, echoIdleMs: 60000, responseTimeoutMs: 30000 }

# What the link's file must give; GUESSED by names and by what the description says of security.
${credentials.size === 0 ? 'credentials: {}' : `credentials:\n${mapLines(credentials)}`}

# FILL IN: their code of each product, and our name of it.
products: { BILL: ${product} }

# FILL IN: how an unanswered payment is found out: check (ask about it) or reverse (undo it).
recovery: { ${product}: { policy: check, attempts: 20, spacingMs: 30000 } }

# FILL IN: what an answer is matched by. Best is a reference of ours that they give back.
match: [kind, reference.own]
${sealOf(described)}
bodies:
${chosen.map(bodiesOf).join('\n')}
messages:
  ${product}:
${chosen.map(messageOf).join('')}
# FILL IN: where the response code stands; GUESSED by its name.
outcome: { code: ${codes.paths.length === 0 ? 'none' : inQuotes(codes.paths.join(' or '))} }

${writeCodes(codes)}`
}

function credentialsOf({ seals }: Described, chosen: readonly Chosen[]): Map<string, string> {
  const all = new Map(seals.flatMap(seal => seal.credentials))
  for (const { request } of chosen) {
    for (const [name, line] of request.credentials) if (!all.has(name)) all.set(name, line)
  }
  return all
}

function mapLines(map: ReadonlyMap<string, string>): string {
  return [...map].map(([name, line]) => `  ${quoted(name)}: ${inQuotes(line)}`).join('\n')
}

function sealOf({ seals }: Described): string {
  if (seals.length === 0) {
    return '\n# FILL IN: `seal`, how a request proves that it is ours; the description does not say.\n'
  }
  const lines = seals.map(({ header, rule }) => `    ${quoted(header)}: ${inQuotes(rule)}\n`)
  return `\nseal:\n  request:\n${lines.join('')}`
}

function bodiesOf({ kind, request, response }: Chosen): string {
  const named = (name: string, lines: readonly string[]) =>
    lines.length === 0 ? `  ${name}-${kind}: {}\n` : `  ${name}-${kind}:\n${lines.join('\n')}\n`
  return [
    named('asks', writeBody(request, false, '    ')),
    named('tells', writeBody(response, false, '    ')),
    named('refuses', writeBody(response, true, '    ')),
  ].join('')
}

function messageOf({ kind, operation: { name, call, headers } }: Chosen): string {
  const own = headers.map(([header, value]) => `${quoted(header)}: ${inQuotes(value)}`)
  return `    # Their ${tidy(name)}.
    ${kind}:
      call: ${inQuotes(call)}${call.includes('{') ? ' # in braces: GUESSED by its name' : ''}
${own.length > 0 ? `      headers: { ${own.join(', ')} }\n` : ''}\
      request: asks-${kind}
      approved: tells-${kind}
      declined: refuses-${kind}
`
}

/** Whatever is not known to be a no is unknown on a payment, and is then found out. */
function writeCodes({ approved, refused, unknown, listed }: Codes): string {
  const others = listed.filter(code => code !== approved)
  const rows = others.map(code => `  ${inQuotes(code)}: unknown timeout # FILL IN\n`).join('')
  const told: readonly Reason[] = ['approved', 'timeout', 'other-error', 'security-invalid']
  const silent = (Object.keys(REASONS) as Reason[]).filter(
    reason => !told.includes(reason) && !CARD_REASONS.has(reason),
  )
  return `# FILL IN: every code of their table, and what it means for the money. Declined says that nothing was
# paid and nothing will be: in doubt it is unknown on payment, and is then found out.
codes:
  # GUESSED: which code is a success.
  ${inQuotes(approved)}: approved
${rows}  # Invented, so that the draft is whole: put their codes in the place of these two.
  ${inQuotes(refused)}: declined other-error, unknown on status
  ${inQuotes(unknown)}: unknown timeout
  http 401: declined security-invalid, unknown on status
  http 5xx: unknown timeout
  http unreadable: unknown timeout
  http other: unknown timeout
  other: declined other-error, unknown on payment status

# FILL IN: codes for reasons that have none of their own; the simulator says them.
say:
${silent.map(reason => `  ${reason}: ${inQuotes(refused)}\n`).join('')}`
}

function inQuotes(text: string): string {
  return `'${tidy(text, 400).replaceAll("'", "''")}'`
}

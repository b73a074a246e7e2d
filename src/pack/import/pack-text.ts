import { type Body, quoted, writeBody } from './body.ts'
import type { Chosen } from './choose.ts'
import { type Codes, writeCodes } from './codes.ts'
import { type Content, type Described, type ImportOptions, type Proof, tidy } from './model.ts'
import { inQuotes } from './quotes.ts'

type Parts = {
  readonly chosen: readonly Chosen[]
  readonly codes: Codes
  readonly soapHeader: Body
}

/** pack.yaml of a draft. */
export function writePack(
  described: Described,
  { product }: ImportOptions,
  { chosen, codes, soapHeader }: Parts,
): string {
  const { title, content, language, namespaces, server, proof } = described
  const bodies = chosen.flatMap(({ request, headers }) => [request, headers])
  const credentials = credentialsOf(described, [...bodies, soapHeader])
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
${sealOf(proof)}${sessionOf(proof)}${securityOf(proof)}${soapHeaderOf(soapHeader)}
bodies:
${chosen.map(bodiesOf).join('\n')}
messages:
  ${product}:
${chosen.map(one => messageOf(one, content)).join('')}${inventedStatus(chosen, content)}
# FILL IN: where the response code stands; GUESSED by its name.
outcome: { code: ${codes.paths.length === 0 ? 'none' : inQuotes(codes.paths.join(' or '))} }

${writeCodes(codes, proof)}`
}

function credentialsOf({ proof }: Described, bodies: readonly Body[]): Map<string, string> {
  const all = new Map(proof.seals.flatMap(seal => seal.credentials))
  if (proof.userNameToken) {
    all.set('username', 'name, our user name')
    all.set('password', 'secret, our password')
  }
  for (const { credentials } of bodies) {
    for (const [name, line] of credentials) if (!all.has(name)) all.set(name, line)
  }
  return all
}

function mapLines(map: ReadonlyMap<string, string>): string {
  return [...map].map(([name, line]) => `  ${quoted(name)}: ${inQuotes(line)}`).join('\n')
}

function sealOf({ seals, session, userNameToken }: Proof): string {
  if (seals.length === 0) {
    if (userNameToken) return ''
    return '\n# FILL IN: `seal`, how a request proves that it is ours; the description does not say.\n'
  }
  const lines = seals.map(({ header, rule }) => `    ${quoted(header)}: ${inQuotes(rule)}\n`)
  const ofSession = session ? "  session:\n    authorization: 'basic clientId clientSecret'\n" : ''
  return `\nseal:\n${ofSession}  request:\n${lines.join('')}`
}

/**
 * The policy needs a message to ask by. One that goes nowhere leaves what is unknown to a person, as
 * none would, and keeps the draft whole.
 */
function inventedStatus(chosen: readonly Chosen[], content: Content): string {
  const model = chosen.find(({ kind }) => kind === 'payment')
  if (!model || chosen.some(({ kind }) => kind === 'status')) return ''
  const operation = { ...model.operation, name: 'nothing', call: 'POST /FILL-IN', headers: [] }
  const text = messageOf({ ...model, operation }, content)
    .replace('    # Their nothing.\n', '')
    .replace('    payment:', '    status:')
  return `    # FILL IN: no operation of theirs tells what became of a payment; this one is invented.\n${text}`
}

/** OAuth2 client credentials: RFC 6749, sections 4.4.2 and 5.1. */
function sessionOf({ session }: Proof): string {
  if (!session) return ''
  const scope = session.scope === '' ? '' : `, scope: ${inQuotes(`is ${session.scope}`)}`
  return `
# How the token is fetched. FILL IN: whether they take who we are in the header, as here, or in the form.
session:
  call: ${inQuotes(session.call)}
  content: form
  request: { grant_type: is client_credentials${scope} }
  token: access_token
  expires: expires_in seconds
  told: { token_type: Bearer }
`
}

function securityOf({ userNameToken }: Proof): string {
  return userNameToken ? `\nsecurity: username-token ${userNameToken} username password\n` : ''
}

function soapHeaderOf(header: Body): string {
  const lines = writeBody(header, false, '  ')
  return lines.length === 0 ? '' : `\nsoap-header:\n${lines.join('\n')}\n`
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

function messageOf({ kind, operation, headers }: Chosen, content: Content): string {
  const { name, call, content: own, answers, headers: fixed } = operation
  const lines = fixed.map(([header, value]) => `${quoted(header)}: ${inQuotes(value)}`)
  for (const { field, line } of headers.mapped)
    if (line) lines.push(`${quoted(field.key)}: ${inQuotes(line.text)}`)
  return `    # Their ${tidy(name)}.
    ${kind}:
      call: ${inQuotes(call)}${call.includes('{') ? ' # in braces: GUESSED by its name' : ''}
${own === content ? '' : `      content: ${own}\n`}\
${answers === own ? '' : `      answers: ${answers}\n`}\
${lines.length > 0 ? `      headers: { ${lines.join(', ')} }\n` : ''}\
      request: asks-${kind}
      approved: tells-${kind}
      declined: refuses-${kind}
`
}

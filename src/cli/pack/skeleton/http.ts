import { codeSections, saySection } from './say.ts'

/** The kinds of document that a skeleton can be begun with. */
export const BODIES = ['json', 'form', 'xml', 'soap'] as const
export type Body = (typeof BODIES)[number]

const KINDS = ['inquiry', 'payment', 'status'] as const
const NAMESPACE = 'urn:biller'

/** pack.yaml of a biller over HTTP that is not known yet: whole, sound, and every line explained. */
export function httpSkeleton(name: string, product: string, body: Body): string {
  const content = body === 'soap' ? 'soap 1.1' : body
  return `# ${name}: a biller over HTTP. What stands below is a whole dialect that works as it is; go through
# it from top to bottom with the biller's document beside you, and change what is different.
# The language is told in docs/pack-language-http.md. After every change:
#
#     nadi pack check ${name}

# FILL IN: the name that people know the biller by.
title: ${name}

transport: http
content: ${content}
# FILL IN: method and path. The host is no part of the dialect; it stands in the link's file.
call: POST /api/v1
${body === 'soap' ? `headers: { soapaction: is "" }\nnamespaces: { b: '${NAMESPACE}' } # FILL IN: the targetNamespace of their WSDL\n` : ''}
# How long they may take to answer; a payment unanswered after that is unknown, never declined.
conversation: { signOn: no, echoIdleMs: 60000, responseTimeoutMs: 30000 }

# What the link's file must give: a name is shown in logs, a secret never.
credentials:
  outlet: name, our number at the biller
  apiKey: secret, what requests are signed with

# FILL IN: their code of each product, and our name of it.
products: { BILL: ${product} }

# FILL IN: how an unanswered payment is found out: check (ask about it) or reverse (undo it).
recovery:
  ${product}: { policy: check, attempts: 20, spacingMs: 30000 }

# What an answer is matched by. Best is a reference of ours that they store and give back.
match: [kind, reference.own]

# FILL IN: how a request proves that it is ours.
seal:
  request:
${sealOf(body)}

bodies:
  # What every request has.
  asked:
    outlet: credential outlet
    product: product
    customer: customer.id digits ..20
    reference: reference.own text ..40

  # What every answer has.
  told:
    code: outcome
    message?: words
    reference?: reference.own text ..40

  bill:
    told:
    name: customer.name
    admin: adminMinor rupiah
    total: amountMinor plus adminMinor rupiah
${billsOf(body)}
  receipt:
    bill:
    receipt: reference.biller text ..40

${envelopesOf(body)}
messages:
  ${product}:
${messagesOf(body)}

# Where the response code stands.
outcome: { code: ${codeOf(body)} }

${codeSections(CODES, SAY)}`
}

const CODES = `codes:
  '00': approved
  '05': declined other-error, unknown on payment status
  '14': declined customer-unknown, unknown on status
  '13': declined amount-invalid, unknown on status
  '51': declined deposit-insufficient, unknown on status
  '63': declined no-payment, nothing on status
  # To a payment this may be our own that was paid.
  '88': declined already-paid, unknown on payment status
  '91': declined unavailable, unknown on payment status
  '68': unknown timeout
  '96': declined security-invalid, unknown on status
  http 401: declined security-invalid, unknown on status
  http 5xx: unknown timeout
  http unreadable: unknown timeout
  http other: unknown timeout
  other: declined other-error, unknown on payment status`

const SAY = saySection(
  CODES,
  {
    '13': 'below-minimum above-maximum fee-invalid over-quota',
    '14': 'inactive registration-unknown customer-blocked registration-expired suspended',
    '91': 'window-closed not-available-yet cut-off',
    '63': 'no-inquiry reference-mismatch already-reversed',
  },
  '05',
)

function sealOf(body: Body): string {
  if (body === 'soap') return '    authorization: basic outlet apiKey'
  return `    x-timestamp: timestamp YYYY-MM-DDThh:mm:ssZ
    x-signature: hmac-sha256 hex with apiKey of {method}:{target}:{sha256 body}:{header x-timestamp}`
}

/** A form has no lists: one amount is all that it tells. */
function billsOf(body: Body): string {
  if (body === 'form') return ''
  const key = body === 'json' ? 'bills[bills 1..12]' : 'month[bills 1..12]'
  return `    # One item a month, the oldest first.
    ${key}:
      period: period YYYYMM
      amount: amountMinor rupiah
      penalty?: penaltyMinor rupiah
`
}

function envelopesOf(body: Body): string {
  if (body === 'json' || body === 'form') return ''
  const lines: string[] = []
  for (const kind of KINDS) {
    const [ask, tell] = body === 'xml' ? ['request', 'response'] : elementsOf(kind)
    const command = body === 'xml' ? `command: is ${kind}, ` : ''
    const total =
      kind === 'payment'
        ? ', admin: adminMinor rupiah, total: amountMinor plus adminMinor rupiah'
        : ''
    lines.push(
      `  asks-${kind}: { ${ask}: { ${command}asked${total} } }`,
      `  tells-${kind}: { ${tell}: { ${kind === 'inquiry' ? 'bill' : 'receipt'} } }`,
      `  refuses-${kind}: { ${tell}: { told } }`,
    )
  }
  return `${lines.join('\n')}\n`
}

function messagesOf(body: Body): string {
  return KINDS.map(kind => {
    if (body === 'xml' || body === 'soap')
      return `    ${kind}: { request: asks-${kind}, approved: tells-${kind}, declined: refuses-${kind} }`
    const total =
      kind === 'payment'
        ? ', admin: adminMinor rupiah, total: amountMinor plus adminMinor rupiah'
        : ''
    const approved = kind === 'inquiry' ? 'bill' : 'receipt'
    return `    ${kind}:
      request: { command: is ${kind}, asked${total} }
      approved: ${approved}
      declined: told`
  }).join('\n')
}

function codeOf(body: Body): string {
  if (body === 'xml') return 'response.code'
  if (body !== 'soap') return 'code'
  return `'${KINDS.map(kind => `${elementsOf(kind)[1]}.code`).join(' or ')}'`
}

function elementsOf(kind: (typeof KINDS)[number]): [ask: string, tell: string] {
  return [`b:${kind}Request`, `b:${kind}Response`]
}

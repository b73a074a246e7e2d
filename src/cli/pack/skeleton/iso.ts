import { codeSections, saySection } from './say.ts'

/** fields.yaml of a biller over ISO 8583 that is not known yet. */
export function isoFieldsSkeleton(name: string): string {
  return `# What this dialect changes in ISO 8583:1987. One line an element that is different from the standard;
# the language is told in docs/describe-a-dialect.md.
table: ${name}
title: ${name}
extends: iso8583-1987-ascii

# FILL IN: the elements whose class or size their document tells differently.
fields:
  41: ans 16 terminal
  48: LLLVAR ans ..999 private data, hidden
`
}

/** pack.yaml of the same: whole, sound, and every section explained. */
export function isoSkeleton(name: string, product: string): string {
  return `# ${name}: a biller over ISO 8583. What stands below is a whole dialect that works as it is; go through
# it from top to bottom with the biller's document beside you, and change what is different.
# The language is told in protocols/README.md. After every change:
#
#     nadi pack check ${name}

# FILL IN: the name that people know the biller by.
title: ${name}

# FILL IN: how the length before a message is written, and whether it counts itself.
framing: { length: 2 bytes big-endian, counts: body, frameBytesMax: 4096 }

# FILL IN: whether there is a sign-on; how long they may take to answer. A payment unanswered after
# that is unknown, never declined.
conversation: { signOn: yes, echoIdleMs: 60000, responseTimeoutMs: 40000 }

# FILL IN: their code of each product (element 2 below), and our name of it.
products: { '100001': ${product} }

# FILL IN: how an unanswered payment is found out: reverse (undo it), advise (have it confirmed) or
# check (ask about it); how often, how far apart.
recovery:
  ${product}: { policy: reverse, attempts: 3, spacingMs: 35000 }

# FILL IN: the message types, and what tells kinds of the same type apart.
kinds:
  sign-on: { request: 0800, response: 0810, where: 70 is 001 }
  sign-off: { request: 0800, response: 0810, where: 70 is 002 }
  echo: { request: 0800, response: 0810, where: 70 is 301 }
  inquiry: { request: 0200, response: 0210, where: 3 is 380000 }
  payment: { request: 0200, response: 0210, where: 3 is 180000 }
  reversal: { request: 0400, response: 0410, repeat: 0401, repeatResponse: 0411 }

# What an answer is matched by.
match: [kind, trace, terminal]

# Values one after the other, as their document prints the private data (element 48).
layouts:
  asked: # 20
    - customer.id an20

  told: # 81 and the months
    - customer.id an20
    - reference.switching ans20
    - customer.name ans30
    - adminMinor rupiah n10
    - count of bills n1
    - bills 1..9 of month

  month: # 28
    - period YYYYMM
    - amountMinor rupiah n12
    - penaltyMinor rupiah n10

  # Element 90: which payment a reversal undoes.
  original: # 42
    - original.kind one of 0200=payment
    - original.trace n6
    - original.sentAt MMDDhhmmss GMT
    - original.bank n11 unpadded
    - is 00000000000

# Elements that several messages have.
sets:
  head:
    2: product
    3: kind
    7: sentAt MMDDhhmmss GMT
    11: trace n6
    18: channel
    32: bank n..11
    41: terminal ans16
    49: is 360
  answer:
    2: product
    3: kind
    7: sentAt MMDDhhmmss GMT
    11: trace n6
    18: channel
    32: bank n..11
    39: outcome
    41: terminal ans16
    49: is 360
  # Failure answers may leave out all but what they are matched by.
  failed:
    2: product
    3: kind
    4?: amountMinor rupiah n12
    7: sentAt MMDDhhmmss GMT
    11: trace n6
    18?: channel
    32?: bank n..11
    39: outcome
    41: terminal ans16
    49?: is 360
    63?: infoText
  network:
    7: sentAt MMDDhhmmss GMT
    11: trace n6
    32?: bank n..11
    41: terminal ans16
    70: kind
  network-answer:
    network:
    39: outcome

messages:
  network:
    sign-on sign-off echo:
      request: { network }
      approved: { network-answer }
      declined: { network-answer }

  ${product}:
    inquiry:
      request: { head, 48: asked }
      approved: { answer, 4: amountMinor rupiah n12, 48: told }
      declined: { failed, 48?: asked }
    payment:
      request: { head, 4: amountMinor rupiah n12, 48: told }
      approved: { answer, 4: amountMinor rupiah n12, 48: told, 62?: reference.biller ans..20, 63?: infoText }
      declined: { failed, 48?: asked or told }
    reversal:
      request: { head, 3: is 180000, 4: amountMinor rupiah n12, 48: told, 90: original }
      approved: { answer, 3: is 180000, 4: amountMinor rupiah n12, 48: told, 90: original }
      declined: { failed, 3: is 180000, 48?: asked or told, 90?: original }

${codeSections(CODES, SAY)}`
}

const CODES = `codes:
  '00': approved
  '05': declined other-error, unknown on payment reversal
  # Signed off: sign on, then send the same again.
  '11': sign-on sign-on-required
  # Too late to undo: the payment stands.
  '12': declined too-late-to-reverse, stands on reversal
  '13': declined amount-invalid
  '14': declined customer-unknown
  '16': declined customer-blocked
  '30': declined format-error
  '51': declined deposit-insufficient
  '63': declined no-payment, nothing on reversal
  '68': unknown timeout
  # To a payment this may be our own that was paid.
  '88': declined already-paid, unknown on payment reversal
  '89': declined not-available-yet
  '90': declined cut-off
  '91': declined unavailable, unknown on payment reversal
  '94': declined already-reversed, approved on reversal
  '96': declined security-invalid
  other: declined other-error, unknown on payment reversal`

const SAY = saySection(
  CODES,
  {
    '13': 'below-minimum above-maximum fee-invalid over-quota',
    '14': 'inactive registration-unknown registration-expired',
    '16': 'suspended',
    '90': 'window-closed',
    '63': 'no-inquiry reference-mismatch',
  },
  '05',
)

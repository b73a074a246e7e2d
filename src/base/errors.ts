/**
 * Every way this program can fail, in one place; ERRORS.md is checked against this table.
 *
 * Four words are kept apart: a *decline* is a business no (a value); a *reject* is a message we
 * cannot read (a value with a code); a *failure* is the world (thrown, coded: this table); a *bug*
 * is an assertion (the process stops, systemd starts it again, recovery runs).
 *
 * `retry` says whether the same call may succeed later without anyone changing anything.
 */
export const ERRORS = {
  CODEC_TRUNCATED: { retry: false, text: 'the frame ends inside a field' },
  CODEC_TRAILING: { retry: false, text: 'bytes are left over after the last field' },
  CODEC_LENGTH: {
    retry: false,
    text: 'a length is not a number or is larger than the field allows',
  },
  CODEC_CONTENT: { retry: false, text: 'a field holds characters that its class does not allow' },
  CODEC_UNDEFINED_FIELD: {
    retry: false,
    text: 'the bitmap names a field that the dialect does not define',
  },
  CODEC_BITMAP: { retry: false, text: 'the bitmap cannot be read' },
  CODEC_MTI: { retry: false, text: 'the message type is not one of this dialect' },
  CODEC_VALUE: { retry: false, text: 'a value does not fit the field it is to be written into' },
  FRAME_LENGTH: {
    retry: false,
    text: 'a frame header gives a length that is zero or above the limit',
  },
  PACK_UNKNOWN_MESSAGE: { retry: false, text: 'the pack has no mapping for this message' },
  PACK_MISSING_FIELD: { retry: false, text: 'a field that the message needs is not there' },
  PACK_UNKNOWN_FIELD: { retry: false, text: 'a field is there that the message does not have' },
  PACK_FORMAT: { retry: false, text: 'a field does not have the shape that the layout gives' },
  CONF_INVALID: { retry: false, text: 'the configuration is wrong' },
  JOURNAL_UNAVAILABLE: {
    retry: true,
    text: 'the journal cannot be reached, so nothing can be promised',
  },
  JOURNAL_FULL: { retry: true, text: 'too many commits wait for the journal' },
  JOURNAL_REFUSED: { retry: false, text: 'the journal refused what it was given' },
  LEDGER_UNBALANCED: { retry: false, text: 'the legs of a posting do not add up to zero' },
  LINK_DUPLICATE_KEY: {
    retry: false,
    text: 'a request with the same key is in flight on the link',
  },
  TXN_NOT_FOUND: { retry: false, text: 'there is no such txn' },
  TXN_NOT_SUSPECT: { retry: false, text: 'only a suspect payment can be resolved by hand' },
  ADMIN_UNAUTHORIZED: { retry: false, text: 'the admin token is missing or wrong' },
  ADMIN_BAD_REQUEST: { retry: false, text: 'the admin request is malformed' },
  ADMIN_UNREACHABLE: { retry: true, text: 'the admin API of the daemon does not answer' },
  POSTGRES_START: { retry: true, text: 'the embedded PostgreSQL server did not start' },
  POSTGRES_VERSION: { retry: false, text: 'the PostgreSQL server is too old' },
  NODE_RUNNING: { retry: false, text: 'another daemon of the same node name uses this database' },
  PORT_TAKEN: { retry: false, text: 'a port that the configuration names is in use' },
  ADMIN_NO_SUCH_ROUTE: { retry: false, text: 'the admin API has no such route' },
  ADMIN_APPROVAL: { retry: false, text: 'this waits for the approval of another operator' },
  ADMIN_NO_SUCH_ACT: { retry: false, text: 'no act of this id waits for approval' },
  ADMIN_FAILED: { retry: false, text: 'the admin request failed inside of the daemon' },
  ADMIN_AUDIT: { retry: true, text: 'the audit log cannot be written, so nothing was done' },
  PARTNER_NOT_FOUND: { retry: false, text: 'there is no such partner' },
  DEPOSIT_INSUFFICIENT: { retry: false, text: 'the deposit does not hold that much' },
  PARTNER_LINE: {
    retry: true,
    text: "there is no line to the partners' listener; nothing was sent",
  },
  PARTNER_NO_ANSWER: {
    retry: false,
    text: 'no answer came, so what became of the request is not known',
  },
  HTTP_FRAME: { retry: false, text: 'an HTTP message cannot be read or written' },
  PACK_CREDENTIAL: { retry: false, text: 'a credential that the dialect needs is not there' },
  DOCUMENT_SYNTAX: { retry: false, text: 'a document cannot be read' },
  DOCUMENT_LIMIT: { retry: false, text: 'a document is larger or deeper than is read' },
  QRIS_SYNTAX: { retry: false, text: 'a QRIS code cannot be cut into objects' },
  QRIS_CHECKSUM: { retry: false, text: 'the checksum of a QRIS code is another' },
  QRIS_MISSING: { retry: false, text: 'an object that a QRIS code needs is not there' },
  QRIS_VALUE: { retry: false, text: 'an object of a QRIS code is not what it must be' },
  DOCUMENT_TYPE: { retry: false, text: 'a body is not of the type that the dialect has' },
  CODEC_SPEC: { retry: false, text: 'the description of a dialect contradicts itself' },
  CODEC_PATH: { retry: false, text: 'a path names no field of the dialect' },
  CODEC_RULE: { retry: false, text: 'a message is not what its dialect wants of its type' },
  HSM_KEY: { retry: false, text: 'a key block is not authentic, or not of this HSM' },
  HSM_KEY_PARITY: { retry: false, text: 'a key from outside has no odd parity' },
  HSM_KEY_USAGE: { retry: false, text: 'a key may not be used like that' },
  HSM_PIN_BLOCK: { retry: false, text: 'a PIN block holds no PIN' },
  HSM_NOT_PERMITTED: { retry: false, text: 'the HSM, or its settings, do not do that' },
  HSM_LMK: { retry: false, text: 'the local master key cannot be used' },
  HSM_UNAVAILABLE: { retry: true, text: 'the HSM does not answer' },
  HSM_BUSY: { retry: true, text: 'the HSM has as many requests in flight as it may' },
  HSM_REQUEST: { retry: false, text: 'a value does not fit what the HSM is asked for' },
  HSM_RESPONSE: { retry: true, text: 'what the HSM answered cannot be read' },
  KEY_NOT_FOUND: { retry: false, text: 'there is no such key' },
  KEY_STATE: { retry: false, text: 'the key is not in the state for that' },
  KEY_KNOWN: { retry: false, text: 'the zone has, or had, this very key' },
  KEY_CHECK_VALUE: { retry: false, text: 'the check value is another one' },
  KEY_DUAL_CONTROL: { retry: false, text: 'this takes another operator' },
  KEY_STORE: { retry: true, text: 'the store of keys cannot be reached' },
  KEY_EXCHANGE: { retry: true, text: 'no new key could be agreed with the counterpart' },
} as const satisfies Record<string, { readonly retry: boolean; readonly text: string }>

export type ErrorCode = keyof typeof ERRORS

export type ErrorDetail = {
  /** Where: `request.de48.bills[2].penalty`, `conf/products.yaml:12`. */
  readonly path?: string
  /** Byte offset into the frame. */
  readonly offset?: number
  readonly expected?: string
  readonly actual?: string
  /** What a person should know or do. Never holds sensitive data. */
  readonly hint?: string
  readonly cause?: unknown
}

export class NadiError extends Error {
  override readonly name = 'NadiError'
  readonly code: ErrorCode
  readonly path: string | undefined
  readonly offset: number | undefined
  readonly expected: string | undefined
  readonly actual: string | undefined
  readonly hint: string | undefined

  constructor(code: ErrorCode, detail: ErrorDetail = {}) {
    super(describe(code, detail), detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.path = detail.path
    this.offset = detail.offset
    this.expected = detail.expected
    this.actual = detail.actual
    this.hint = detail.hint
  }

  get retry(): boolean {
    return ERRORS[this.code].retry
  }
}

export function isNadiError(error: unknown, code?: ErrorCode): error is NadiError {
  return error instanceof NadiError && (code === undefined || error.code === code)
}

/** The text of anything thrown; for logs. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function describe(code: ErrorCode, { path, offset, expected, actual, hint }: ErrorDetail): string {
  let text = `${code}: ${ERRORS[code].text}`
  if (path !== undefined) text += ` at ${path}`
  if (offset !== undefined) text += ` (byte ${offset})`
  if (expected !== undefined) text += `; expected ${expected}`
  if (actual !== undefined) text += `, got ${actual}`
  if (hint !== undefined) text += `; ${hint}`
  return text
}

/** The arrays of a batch, in the order of the arguments of commit_batch and judge_batch. */
const COLUMNS = {
  o_id: 'bigint',
  o_partner: 'text',
  o_kind: 'text',
  o_product: 'text',
  o_customer: 'text',
  o_date: 'integer',
  o_amount: 'bigint',
  o_key: 'text',
  o_content: 'text',
  o_inquiry: 'bigint',
  o_version: 'integer',
  o_tag: 'text',
  o_at: 'bigint',
  o_step: 'text',
  o_destination: 'text',
  o_due: 'bigint',
  c_id: 'bigint',
  c_partner: 'text',
  c_product: 'text',
  c_expects: 'integer',
  c_version: 'integer',
  c_tag: 'text',
  c_at: 'bigint',
  c_step: 'text',
  c_destination: 'text',
  c_due: 'bigint',
  r_id: 'bigint',
  r_partner: 'text',
  r_version: 'integer',
  r_at: 'bigint',
  r_event: 'text',
  r_tag: 'text',
  r_from: 'integer',
  r_data: 'integer',
  r_state: 'integer',
  r_evidence: 'integer',
  p_id: 'bigint',
  p_partner: 'text',
  p_version: 'integer',
  p_nth: 'integer',
  p_at: 'bigint',
  p_reason: 'text',
  p_accounts: 'text',
  p_amounts: 'text',
  a_partner: 'text',
  a_account: 'text',
  a_floor: 'boolean',
  a_change: 'bigint',
  a_debit: 'bigint',
} as const

const JUDGED = {
  m_id: 'bigint',
  m_partner: 'text',
  m_expects: 'integer',
  m_key: 'text',
  m_inquiry: 'bigint',
  a_partner: 'text',
  a_account: 'text',
  a_floor: 'boolean',
  l_m: 'integer',
  l_a: 'integer',
  l_amount: 'bigint',
} as const

export type ColumnName = keyof typeof COLUMNS
export type JudgedName = keyof typeof JUDGED

/** From and to which day, and since which day keys and inquiries are looked for. */
const BOUNDS = ['integer', 'integer', 'integer', 'integer'] as const

export const NAMES = Object.keys(COLUMNS) as ColumnName[]
export const JUDGED_NAMES = Object.keys(JUDGED) as JudgedName[]

function placeholders(types: readonly string[]): string {
  return types.map((type, index) => `$${index + 1}::${type}`).join(', ')
}

/** Prepared once on each connection. */
export const COMMIT_SQL = `SELECT commit_batch(${placeholders([
  'text',
  ...BOUNDS,
  'boolean',
  'boolean',
  ...NAMES.map(name => `${COLUMNS[name]}[]`),
  'bytea',
])})`

export const JUDGE_SQL = `SELECT verdicts, details FROM judge_batch(${placeholders([
  ...BOUNDS,
  ...JUDGED_NAMES.map(name => `${JUDGED[name]}[]`),
])})`

/** One element of an array literal. */
export function element(value: string | undefined): string {
  if (value === undefined) return 'NULL'
  return /["\\]/.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : `"${value}"`
}

/**
 * For the session that calls commit_batch: each join goes from the arrays into a table by its index,
 * whatever the planner thinks of the sizes.
 */
export const SESSION_SETTINGS = `
  SET plan_cache_mode = force_generic_plan; SET jit = off;
  SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off;
  SET enable_bitmapscan = off; SET enable_material = off; SET enable_memoize = off`

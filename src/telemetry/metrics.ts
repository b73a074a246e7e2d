/**
 * Every metric of ours, in one table; METRICS.md is checked against it, both ways. Names end in
 * their unit; what only grows ends in `_total`. What Node tells of itself (process_…, nodejs_…)
 * comes from prom-client.
 */
export type MetricSpec = {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  readonly buckets?: readonly number[]
}

/** 1 ms to 60 s. */
const LATENCY = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60,
] as const
const COMMIT = [
  0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 5,
] as const
const BATCH = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096] as const

export const METRICS = {
  nadi_payments_total: {
    type: 'counter',
    help: 'Payment requests answered to partners, by what the answer said',
    labels: ['product', 'partner', 'outcome'],
  },
  nadi_inquiries_total: {
    type: 'counter',
    help: 'Inquiries answered to partners, by what the answer said',
    labels: ['product', 'partner', 'outcome'],
  },
  nadi_payment_seconds: {
    type: 'histogram',
    help: 'From a payment request to its answer',
    labels: ['product'],
    buckets: LATENCY,
  },
  nadi_inquiry_seconds: {
    type: 'histogram',
    help: 'From an inquiry to its answer',
    labels: ['product'],
    buckets: LATENCY,
  },
  nadi_txn_changes_total: {
    type: 'counter',
    help: 'Durable steps of payments from one state to another',
    labels: ['product', 'from', 'to'],
  },
  nadi_txns_open: {
    type: 'gauge',
    help: 'Payments that are not final',
    labels: ['state', 'product'],
  },
  nadi_oldest_unknown_seconds: {
    type: 'gauge',
    help: 'Age of the oldest payment whose outcome is being found out; 0 when there is none',
    labels: [],
  },
  nadi_oldest_suspect_seconds: {
    type: 'gauge',
    help: 'Age of the oldest payment that waits for a person; 0 when there is none',
    labels: [],
  },
  nadi_odd_answers_total: {
    type: 'counter',
    help: 'Answers that came late or speak of something else than what was asked',
    labels: ['link', 'what'],
  },
  nadi_saf_depth: {
    type: 'gauge',
    help: 'Reversals, advices and status checks that wait to be sent',
    labels: [],
  },
  nadi_link_state: {
    type: 'gauge',
    help: '1 for the state that the link is in, 0 for the others',
    labels: ['link', 'state'],
  },
  nadi_link_in_flight: { type: 'gauge', help: 'Requests without an answer yet', labels: ['link'] },
  nadi_link_sent_total: { type: 'counter', help: 'Requests sent', labels: ['link'] },
  nadi_link_answered_total: {
    type: 'counter',
    help: 'Requests answered in time',
    labels: ['link'],
  },
  nadi_link_late_total: {
    type: 'counter',
    help: 'Answers that came after their deadline',
    labels: ['link'],
  },
  nadi_link_unmatched_total: {
    type: 'counter',
    help: 'Answers to which no request is known',
    labels: ['link'],
  },
  nadi_link_unanswered_total: {
    type: 'counter',
    help: 'Requests sent without an answer in time',
    labels: ['link'],
  },
  nadi_link_not_sent_total: {
    type: 'counter',
    help: 'Requests refused because the link was down, full or draining',
    labels: ['link'],
  },
  nadi_link_reconnects_total: { type: 'counter', help: 'Connections begun anew', labels: ['link'] },
  nadi_callbacks_total: {
    type: 'counter',
    help: 'What billers told by themselves, by what became of it',
    labels: ['link', 'what'],
  },
  nadi_security_total: {
    type: 'counter',
    help: 'Frames refused for their MAC, frames and PINs that could not be protected, key exchanges',
    labels: ['zone', 'what'],
  },
  nadi_listener_sessions: { type: 'gauge', help: 'Connections of partners', labels: ['listener'] },
  nadi_listener_in_flight: {
    type: 'gauge',
    help: 'Requests of partners without an answer yet',
    labels: ['listener'],
  },
  nadi_listener_accepted_total: {
    type: 'counter',
    help: 'Connections accepted',
    labels: ['listener'],
  },
  nadi_listener_refused_total: {
    type: 'counter',
    help: 'Connections closed at once because a limit was reached',
    labels: ['listener'],
  },
  nadi_listener_frames_total: { type: 'counter', help: 'Frames received', labels: ['listener'] },
  nadi_listener_bad_frames_total: {
    type: 'counter',
    help: 'Frames that could not be read',
    labels: ['listener'],
  },
  nadi_journal_batch_commits: {
    type: 'histogram',
    help: 'Commits made durable together',
    labels: [],
    buckets: BATCH,
  },
  nadi_journal_commit_seconds: {
    type: 'histogram',
    help: 'Time to make one batch durable',
    labels: [],
    buckets: COMMIT,
  },
  nadi_journal_queue: {
    type: 'gauge',
    help: 'Commits that wait for the batch before them',
    labels: [],
  },
  nadi_journal_available: {
    type: 'gauge',
    help: '1 while the journal can make things durable, else 0',
    labels: [],
  },
  nadi_ledger_balance_rupiah: {
    type: 'gauge',
    help: "Balance of a partner's deposit and hold",
    labels: ['partner', 'account'],
  },
  nadi_hsm_up: { type: 'gauge', help: '1 while the HSM answers, else 0', labels: [] },
  nadi_hsm_in_flight: {
    type: 'gauge',
    help: 'Operations of the HSM that are under way',
    labels: [],
  },
  nadi_keys: {
    type: 'gauge',
    help: 'Keys that we share with counterparts',
    labels: ['zone', 'type', 'state'],
  },
  nadi_keys_past_due: {
    type: 'gauge',
    help: 'Active keys that are used for longer than they ought to be',
    labels: [],
  },
  nadi_key_acts_total: {
    type: 'counter',
    help: 'What was done to keys: by operators, by exchanges, by the clock',
    labels: ['act'],
  },
  nadi_scrape_failures_total: {
    type: 'counter',
    help: 'Times that a part of these figures could not be gathered',
    labels: ['source'],
  },
  nadi_build_info: { type: 'gauge', help: 'Always 1', labels: ['version', 'node'] },
} as const satisfies Record<string, MetricSpec>

export type MetricName = keyof typeof METRICS

type NamesOf<Type extends MetricSpec['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never
}[MetricName]
export type CellName = NamesOf<'counter' | 'gauge'>
export type BucketsName = NamesOf<'histogram'>

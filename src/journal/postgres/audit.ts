import type { PoolClient } from 'pg'
import { type AmountMinor, formatTxnId, type TxnId } from '#base'
import type { Database } from '#postgres'
import { PROBLEMS_MAX } from '../memory-audit.ts'
import type { AuditReport } from '../journal.ts'

/**
 * Each check is one question whose answers are the problems; `id` is the txn where there is one.
 * They say the same as audit.ts says over memory.
 */
const CHECKS: readonly [check: string, text: string, sql: string][] = [
  [
    'posting',
    'a posting does not add up to zero',
    `SELECT txn_id AS id, '' AS detail FROM posting WHERE NOT adds_up_to_zero(amounts)`,
  ],
  [
    'balance',
    'the balance is not the sum of the postings:',
    `SELECT NULL AS id, format('%s %s has %s, its postings add up to %s', partner, account,
            coalesce(balance_minor::text, 'no account'), coalesce(total, 0)) AS detail
       FROM account FULL JOIN (
         SELECT p.partner, l.account, sum(l.amount) AS total
           FROM posting p, unnest(p.accounts, p.amounts) AS l (account, amount)
          GROUP BY p.partner, l.account) AS sums USING (partner, account)
      WHERE balance_minor IS DISTINCT FROM coalesce(total, 0)`,
  ],
  [
    'hold',
    'holds what it should not:',
    `SELECT id, format('%s, %s', held, CASE WHEN step IS NULL THEN 'final' ELSE 'open' END) AS detail
       FROM (SELECT t.id, t.kind, t.amount_minor, o.step, coalesce(h.held, 0) AS held,
                    coalesce(h.settled, false) AS settled
               FROM txn t
               LEFT JOIN open_txn o ON o.partner = t.partner AND o.id = t.id
               LEFT JOIN (
                 SELECT p.partner, p.txn_id, bool_or(p.reason = 'settle') AS settled,
                        sum(l.amount) FILTER (WHERE l.account = 'hold') AS held
                   FROM posting p, unnest(p.accounts, p.amounts) AS l (account, amount)
                  GROUP BY p.partner, p.txn_id) AS h ON h.partner = t.partner AND h.txn_id = t.id
             ) AS txns
      WHERE CASE WHEN step IS NULL OR kind <> 'payment' THEN held <> 0
                 ELSE held < 0 OR (held = 0 AND NOT settled AND amount_minor <> 0) END`,
  ],
  [
    'version',
    'the records have a hole',
    `SELECT txn_id AS id, '' AS detail FROM record GROUP BY partner, txn_id
     HAVING min(version) <> 1 OR max(version) <> count(*)`,
  ],
  [
    'txn',
    'does not agree with its last record',
    `SELECT coalesce(t.id, r.txn_id) AS id, '' AS detail
       FROM txn t FULL JOIN (
         SELECT DISTINCT ON (partner, txn_id) partner, txn_id, version, tag, state
           FROM record ORDER BY partner, txn_id, version DESC) AS r
         ON r.partner = t.partner AND r.txn_id = t.id
      WHERE r.version IS DISTINCT FROM t.version OR r.tag IS DISTINCT FROM t.tag OR r.state IS NULL`,
  ],
  [
    'txn',
    'lies in the partition of another day',
    `SELECT id, '' AS detail FROM txn WHERE day <> day_of(id)`,
  ],
  [
    'txn',
    'is open and does not exist, or is open as something else',
    `SELECT o.id, '' AS detail FROM open_txn o LEFT JOIN txn t ON t.partner = o.partner AND t.id = o.id AND t.day = day_of(o.id)
      WHERE t.tag IS DISTINCT FROM o.tag`,
  ],
]

type Totals = { postings: string; accounts: string; total: string; held: string; open: string }

/** The proof over the database: every check sees one and the same moment, while payments go on. */
export async function auditDatabase(database: Database): Promise<AuditReport> {
  return database.snapshot(async client => {
    const totals = await totalsOf(client)
    const problems: { check: string; text: string }[] = []
    if (totals.total !== '0')
      problems.push({
        check: 'total',
        text: `all accounts together hold ${totals.total}, not zero`,
      })
    for (const [check, text, sql] of CHECKS) {
      const { rows } = await client.query<{ id: string | null; detail: string }>(
        `${sql} LIMIT ${PROBLEMS_MAX}`,
      )
      for (const { id, detail } of rows) {
        const name = id === null ? '' : `${formatTxnId(BigInt(id) as TxnId)} `
        problems.push({ check, text: `${name}${text} ${detail}`.trim() })
      }
    }
    return {
      postings: Number(totals.postings),
      accounts: Number(totals.accounts),
      totalMinor: BigInt(totals.total) as AmountMinor,
      heldMinor: BigInt(totals.held) as AmountMinor,
      openPayments: Number(totals.open),
      problems: problems.slice(0, PROBLEMS_MAX),
    }
  })
}

async function totalsOf(client: PoolClient): Promise<Totals> {
  const { rows } = await client.query<Totals>(
    `SELECT (SELECT count(*) FROM posting) AS postings,
            (SELECT count(*) FROM account) AS accounts,
            (SELECT coalesce(sum(balance_minor), 0) FROM account) AS total,
            (SELECT coalesce(sum(l.amount), 0)
               FROM posting p, unnest(p.accounts, p.amounts) AS l (account, amount)
              WHERE l.account = 'hold') AS held,
            (SELECT count(*) FROM open_txn o JOIN txn t ON t.partner = o.partner AND t.id = o.id AND t.day = day_of(o.id)
              WHERE t.kind = 'payment') AS open`,
  )
  return rows[0] as Totals
}

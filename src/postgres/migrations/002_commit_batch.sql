-- Up Migration

-- commit_batch makes a batch of commits durable, in one call and one database transaction, if every
-- one of them can be; else it raises ND001 and changes nothing. Then judge_batch, which changes
-- nothing either, tells which ones are refused and why, and the rest is handed in again. Nearly all
-- batches are plain, so the plain case is written for speed and the other one for clarity.
--
-- The arrays are written by src/journal/batch.ts. No txn, request key or inquiry occurs twice in a batch.
--
--   o_    members that open a txn            c_  members that continue one
--   r_    records, p_ postings
--   a_    the accounts that are touched, sorted, each once, with the sum of all changes and of
--         all debits; `floor` is true where the balance must not fall below zero
--
-- How it stays fast with a thousand members: each table is written by one statement; each join goes
-- from the arrays into a table by its index (never from array to array: the planner takes an array
-- for ten rows and would loop, hence SESSION_SETTINGS in src/journal/postgres/columns.ts, which the
-- writer's session has; on the function they would be set and taken back at every call); each
-- statement bounds the days, so that partitions of other days are not even opened; the bytes of all
-- records lie one after another in one value, because a slice of bytea costs its own length only.
-- And with one member: what has nothing to do is skipped.
CREATE FUNCTION commit_batch(
  node text, day_from integer, day_to integer, key_from integer, inquiry_from integer,
  c_owing boolean, c_final boolean,
  o_id bigint[], o_partner text[], o_kind text[], o_product text[], o_customer text[],
  o_date integer[], o_amount bigint[], o_key text[], o_content text[], o_inquiry bigint[],
  o_version integer[], o_tag text[], o_at bigint[], o_step text[], o_destination text[], o_due bigint[],
  c_id bigint[], c_partner text[], c_product text[], c_expects integer[],
  c_version integer[], c_tag text[], c_at bigint[], c_step text[], c_destination text[], c_due bigint[],
  r_id bigint[], r_partner text[], r_version integer[], r_at bigint[], r_event text[],
  r_tag text[], r_from integer[], r_data integer[], r_state integer[], r_evidence integer[],
  p_id bigint[], p_partner text[], p_version integer[], p_nth integer[], p_at bigint[],
  p_reason text[], p_accounts text[], p_amounts text[],
  a_partner text[], a_account text[], a_floor boolean[], a_change bigint[], a_debit bigint[],
  bytes bytea
) RETURNS void LANGUAGE plpgsql
AS $$
DECLARE
  done integer;
BEGIN
  -- First the accounts' rows, always in the same order: two nodes cannot deadlock, and whoever
  -- comes second sees below what the first has written. When the debits are covered even without
  -- the credits beside them, all can pass.
  IF cardinality(a_partner) > 0 THEN
    UPDATE account a SET balance_minor = a.balance_minor + u.change
      FROM unnest(a_partner, a_account, a_floor, a_change, a_debit)
        AS u (partner, account, floor, change, debit)
     WHERE a.partner = u.partner AND a.account = u.account
       AND (NOT u.floor OR u.debit = 0 OR a.balance_minor + u.debit >= 0);
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> cardinality(a_partner) THEN RAISE SQLSTATE 'ND001'; END IF;
  END IF;

  IF key_from IS NOT NULL THEN
    PERFORM FROM unnest(o_key) AS u (key), LATERAL (
      SELECT FROM txn t WHERE t.partner_key = u.key AND t.day >= key_from LIMIT 1) AS t LIMIT 1;
    IF FOUND THEN RAISE SQLSTATE 'ND001'; END IF;
  END IF;
  IF inquiry_from IS NOT NULL THEN
    PERFORM FROM unnest(o_partner, o_inquiry) AS u (partner, inquiry), LATERAL (
      SELECT FROM txn t
       WHERE t.inquiry_id = u.inquiry AND t.partner = u.partner AND t.day >= inquiry_from LIMIT 1) AS t LIMIT 1;
    IF FOUND THEN RAISE SQLSTATE 'ND001'; END IF;
  END IF;

  IF cardinality(o_id) > 0 THEN
    INSERT INTO txn (id, amount_minor, changed_at_ms, inquiry_id, day, business_date, version, partner,
                     kind, product, customer, partner_key, content, tag)
      SELECT u.id, u.amount, u.at, u.inquiry, day_of(u.id), u.date, u.version, u.partner, u.kind,
             u.product, u.customer, u.key, u.content, u.tag
        FROM unnest(o_id, o_amount, o_at, o_inquiry, o_date, o_version, o_partner, o_kind,
                    o_product, o_customer, o_key, o_content, o_tag)
          AS u (id, amount, at, inquiry, date, version, partner, kind,
                product, customer, key, content, tag);
    INSERT INTO open_txn (id, due_at_ms, partner, tag, product, step, destination, node)
      SELECT u.id, u.due, u.partner, u.tag, u.product, u.step, u.destination, commit_batch.node
        FROM unnest(o_id, o_due, o_partner, o_tag, o_product, o_step, o_destination)
          AS u (id, due, partner, tag, product, step, destination)
       WHERE u.step IS NOT NULL;
  END IF;

  IF cardinality(c_id) > 0 THEN
    UPDATE txn t SET version = u.version, tag = u.tag, changed_at_ms = u.at
      FROM unnest(c_id, c_partner, c_expects, c_version, c_tag, c_at)
        AS u (id, partner, expects, version, tag, at)
     WHERE t.partner = u.partner AND t.id = u.id AND t.day BETWEEN day_from AND day_to
       AND t.version = u.expects;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> cardinality(c_id) THEN RAISE SQLSTATE 'ND001'; END IF;
  END IF;
  IF c_final THEN
    DELETE FROM open_txn o USING unnest(c_id, c_partner, c_step) AS u (id, partner, step)
     WHERE o.partner = u.partner AND o.id = u.id AND u.step IS NULL;
  END IF;
  IF c_owing THEN
    INSERT INTO open_txn AS o (id, due_at_ms, partner, tag, product, step, destination, node)
      SELECT u.id, u.due, u.partner, u.tag, u.product, u.step, u.destination, commit_batch.node
        FROM unnest(c_id, c_due, c_partner, c_tag, c_product, c_step, c_destination)
          AS u (id, due, partner, tag, product, step, destination)
       WHERE u.step IS NOT NULL
      ON CONFLICT ON CONSTRAINT open_txn_pkey DO UPDATE
        SET due_at_ms = excluded.due_at_ms, tag = excluded.tag, step = excluded.step,
            destination = excluded.destination, node = excluded.node;
  END IF;

  INSERT INTO record (txn_id, at_ms, day, version, partner, event, tag, data, state, evidence)
    SELECT u.id, u.at, day_of(u.id), u.version, u.partner, u.event, u.tag,
           CASE WHEN u.data > 0 THEN convert_from(substring(bytes FROM u.start FOR u.data), 'UTF8') END,
           CASE WHEN u.state > 0 THEN
             convert_from(substring(bytes FROM u.start + u.data FOR u.state), 'UTF8') END,
           CASE WHEN u.evidence > 0 THEN
             substring(bytes FROM u.start + u.data + u.state FOR u.evidence) END
      FROM unnest(r_id, r_at, r_version, r_partner, r_event, r_tag, r_from, r_data, r_state, r_evidence)
        AS u (id, at, version, partner, event, tag, start, data, state, evidence);

  IF cardinality(p_id) > 0 THEN
    INSERT INTO posting (txn_id, at_ms, day, version, nth, partner, reason, accounts, amounts)
      SELECT u.id, u.at, day_of(u.id), u.version, u.nth, u.partner, u.reason,
             u.accounts::text[], u.amounts::bigint[]
        FROM unnest(p_id, p_at, p_version, p_nth, p_partner, p_reason, p_accounts, p_amounts)
          AS u (id, at, version, nth, partner, reason, accounts, amounts);
  END IF;
END $$;

-- Which members of a batch are refused: a verdict for each, and its detail.
--   0 none · 1 duplicate key (the other's id) · 2 duplicate inquiry (the other's id)
--   3 conflict (the version there is) · 4 insufficient funds (the balance there is)
-- Accounts that do not exist yet are made. m_ is one for each member in order, with the version it
-- expects; l_ is each member's change of each account, in the order of members, where l_a is a
-- position in a_. Who is refused moves no money; what was freed before counts.
CREATE FUNCTION judge_batch(
  day_from integer, day_to integer, key_from integer, inquiry_from integer,
  m_id bigint[], m_partner text[], m_expects integer[], m_key text[], m_inquiry bigint[],
  a_partner text[], a_account text[], a_floor boolean[], l_m integer[], l_a integer[], l_amount bigint[],
  OUT verdicts integer[], OUT details bigint[]
) LANGUAGE plpgsql
AS $$
DECLARE
  balances bigint[];
  hit record;
  legs integer := coalesce(cardinality(l_m), 0);
  first integer := 1;
  last integer;
  short integer;
BEGIN
  verdicts := array_fill(0, ARRAY[cardinality(m_id)]);
  details := array_fill(0::bigint, ARRAY[cardinality(m_id)]);
  -- Of several reasons the last one found stands, so they come in reverse order.
  FOR hit IN
    SELECT u.m, coalesce(t.version, 0)::bigint AS detail, 3 AS verdict
      FROM unnest(m_id, m_partner, m_expects) WITH ORDINALITY AS u (id, partner, expects, m)
      LEFT JOIN LATERAL (
        SELECT t.version FROM txn t
         WHERE t.partner = u.partner AND t.id = u.id AND t.day BETWEEN day_from AND day_to LIMIT 1) AS t ON true
     WHERE coalesce(t.version, 0) <> u.expects
    UNION ALL
    SELECT u.m, t.id, 2
      FROM unnest(m_partner, m_inquiry) WITH ORDINALITY AS u (partner, inquiry, m), LATERAL (
        SELECT t.id FROM txn t
         WHERE t.inquiry_id = u.inquiry AND t.partner = u.partner AND t.day >= inquiry_from LIMIT 1) AS t
    UNION ALL
    SELECT u.m, t.id, 1
      FROM unnest(m_key) WITH ORDINALITY AS u (key, m), LATERAL (
        SELECT t.id FROM txn t WHERE t.partner_key = u.key AND t.day >= key_from LIMIT 1) AS t
  LOOP
    verdicts[hit.m] := hit.verdict;
    details[hit.m] := hit.detail;
  END LOOP;

  INSERT INTO account (partner, account)
    SELECT u.partner, u.account FROM unnest(a_partner, a_account) AS u (partner, account)
    ON CONFLICT DO NOTHING;
  SELECT array_agg(a.balance_minor ORDER BY u.n) INTO balances
    FROM unnest(a_partner, a_account) WITH ORDINALITY AS u (partner, account, n)
    JOIN account a ON a.partner = u.partner AND a.account = u.account;
  WHILE first <= legs LOOP
    last := first;
    WHILE last < legs AND l_m[last + 1] = l_m[first] LOOP last := last + 1; END LOOP;
    IF verdicts[l_m[first]] = 0 THEN
      short := NULL;
      FOR i IN first .. last LOOP
        IF a_floor[l_a[i]] AND l_amount[i] < 0 AND balances[l_a[i]] + l_amount[i] < 0 THEN short := i; END IF;
      END LOOP;
      IF short IS NOT NULL THEN
        verdicts[l_m[first]] := 4;
        details[l_m[first]] := balances[l_a[short]];
      ELSE
        FOR i IN first .. last LOOP
          balances[l_a[i]] := balances[l_a[i]] + l_amount[i];
        END LOOP;
      END IF;
    END IF;
    first := last + 1;
  END LOOP;
END $$;

-- Down Migration

DROP FUNCTION commit_batch, judge_batch;

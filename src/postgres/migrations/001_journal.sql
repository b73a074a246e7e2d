-- Up Migration

-- The journal. Every key begins with the partner. Times are milliseconds since 1970; amounts are
-- minor units.
--
-- txn, record and posting are partitioned by the day a txn began in: `day` counts days of WIB from
-- 1970-01-01 and follows from the id, whose upper bits are its time (day_of below). So all that
-- belongs to one txn lies in the partitions of one day, whoever knows the id knows the day, and an
-- old day can leave whole. `day` stands in no index on purpose: a question bounds it to skip the
-- other days, and the planner cannot mistake that bound for a way to find rows. For the same reason
-- unique indexes stand on the partitions (make_day), which is enough, as the id decides the day.

CREATE TABLE txn (
  id             bigint   NOT NULL,
  amount_minor   bigint   NOT NULL,
  changed_at_ms  bigint   NOT NULL,
  inquiry_id     bigint,
  day            integer  NOT NULL,
  business_date  integer  NOT NULL,      -- YYYYMMDD
  version        integer  NOT NULL,
  partner        text     NOT NULL,
  kind           text     NOT NULL,
  product        text     NOT NULL,
  customer       text     NOT NULL,
  partner_key    text,                   -- the partner, a space, and the partner's request key
  content        text,
  tag            text     NOT NULL
) PARTITION BY LIST (day);

-- Append-only. A record keeps the JSON texts as they were handed in (nothing here asks into them,
-- and jsonb would cost time and change numbers); `state` stands on the last record of each commit.
CREATE TABLE record (
  txn_id         bigint   NOT NULL,
  at_ms          bigint   NOT NULL,
  day            integer  NOT NULL,
  version        integer  NOT NULL,
  partner        text     NOT NULL,
  event          text     NOT NULL,
  tag            text     NOT NULL,
  data           text,
  state          text,
  evidence       bytea                   -- the frames, encrypted: src/journal/evidence.ts
) PARTITION BY LIST (day);

CREATE FUNCTION adds_up_to_zero(amounts bigint[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  total numeric := 0;
  amount bigint;
BEGIN
  FOREACH amount IN ARRAY amounts LOOP total := total + amount; END LOOP;
  RETURN total = 0;
END $$;

CREATE TABLE posting (
  txn_id         bigint   NOT NULL,
  at_ms          bigint   NOT NULL,
  day            integer  NOT NULL,
  version        integer  NOT NULL,
  nth            integer  NOT NULL,      -- within its commit
  partner        text     NOT NULL,
  reason         text     NOT NULL,
  accounts       text[]   NOT NULL,
  amounts        bigint[] NOT NULL,
  CHECK (cardinality(accounts) = cardinality(amounts)),
  CHECK (adds_up_to_zero(amounts))
) PARTITION BY LIST (day);

-- Postings are read for one txn at a time by people only, so a summary of blocks is index enough.
CREATE INDEX posting_txn ON posting USING brin (txn_id) WITH (pages_per_range = 16, autosummarize = on);

CREATE TABLE account (
  partner        text     NOT NULL,
  account        text     NOT NULL,
  balance_minor  bigint   NOT NULL DEFAULT 0,
  PRIMARY KEY (partner, account),
  CONSTRAINT deposit_not_overdrawn CHECK (account <> 'deposit' OR balance_minor >= 0)
) WITH (fillfactor = 30, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- The outbox: what is still owed for each txn that is not final, and which node drives it.
CREATE TABLE open_txn (
  id             bigint   NOT NULL,
  due_at_ms      bigint   NOT NULL,
  partner        text     NOT NULL,
  tag            text     NOT NULL,
  product        text     NOT NULL,
  step           text     NOT NULL,
  destination    text     NOT NULL,
  node           text     NOT NULL,
  PRIMARY KEY (partner, id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

-- The day of an id, whose milliseconds count from 2026-01-01 in UTC; WIB is seven hours ahead.
CREATE FUNCTION day_of(id bigint) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (((id >> 19) + 1767225600000 + 25200000) / 86400000)::integer
$$;

-- Makes the partitions of a day when they are missing. They are made apart and then attached, which
-- waits for no reader and no writer, as CREATE TABLE ... PARTITION OF would.
-- A request key, and an inquiry's one payment, are unique in each day by index; commit_batch looks
-- into the days before. No two indexes of txn begin with the same column: on a day that is still
-- empty the planner could not tell which one is the better, and would keep the worse for hours.
CREATE FUNCTION make_day(day integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  suffix text := to_char(date '1970-01-01' + day, 'YYYYMMDD');
  part record;
  sql text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('nadi make_day ' || current_schema()));
  FOR part IN
    SELECT name, format('%s_%s', name, suffix) AS child, options, indexes
      FROM (VALUES
        ('txn', 'WITH (fillfactor = 45)', ARRAY[
          'CREATE UNIQUE INDEX ON %I (partner, id)',
          'CREATE UNIQUE INDEX ON %I (partner_key)',
          'CREATE UNIQUE INDEX ON %I (inquiry_id, partner) WHERE inquiry_id IS NOT NULL']),
        -- A record of some kilobytes stays in one piece; beside a table of pieces it would cost thrice.
        ('record', 'WITH (toast_tuple_target = 8160)', ARRAY[
          'CREATE UNIQUE INDEX ON %I (partner, txn_id, version)']),
        ('posting', '', ARRAY[]::text[])
      ) AS parts (name, options, indexes)
  LOOP
    CONTINUE WHEN to_regclass(part.child) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE) %s',
                   part.child, part.name, part.options);
    FOREACH sql IN ARRAY part.indexes LOOP EXECUTE format(sql, part.child); END LOOP;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)', part.name, part.child, day);
  END LOOP;
END $$;

-- Down Migration

DROP TABLE open_txn, account, posting, record, txn;
DROP FUNCTION make_day(integer), day_of(bigint), adds_up_to_zero(bigint[]);

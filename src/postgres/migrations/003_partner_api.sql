-- Up Migration

-- What the partners' HTTP API keeps beside the journal (src/api/postgres.ts). No customer's data
-- stands in any of it: an event names an end of a payment, and is told from the journal.

-- Idempotency-Keys that were used, with the fingerprint of what was asked; forgotten after days.
CREATE TABLE api_request (
  partner        text     NOT NULL,
  key            text     NOT NULL,
  content        text     NOT NULL,
  at_ms          bigint   NOT NULL,
  PRIMARY KEY (partner, key)
);
CREATE INDEX api_request_age ON api_request USING brin (at_ms);

-- Whose ends of payments are to be told.
CREATE TABLE webhook_partner (partner text PRIMARY KEY);

-- Payments that came to an end of which no event was made yet.
CREATE TABLE webhook_ended (
  seq            bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  partner        text     NOT NULL,
  txn_id         bigint   NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE TABLE webhook_event (
  partner        text     NOT NULL,
  txn_id         bigint   NOT NULL,
  version        integer  NOT NULL,      -- of the record that brought the end
  type           text     NOT NULL,
  at_ms          bigint   NOT NULL,      -- when the payment came to it
  state          text     NOT NULL DEFAULT 'waiting',
  attempts       integer  NOT NULL DEFAULT 0,
  tries          integer  NOT NULL DEFAULT 0,
  due_at_ms      bigint   NOT NULL,
  PRIMARY KEY (partner, txn_id, version)
);
CREATE INDEX webhook_event_due ON webhook_event (partner, due_at_ms) WHERE state = 'waiting';

-- The delivery log.
CREATE TABLE webhook_attempt (
  partner        text     NOT NULL,
  txn_id         bigint   NOT NULL,
  version        integer  NOT NULL,
  nth            integer  NOT NULL,
  at_ms          bigint   NOT NULL,
  took_ms        integer  NOT NULL,
  status         integer,
  problem        text,
  PRIMARY KEY (partner, txn_id, version, nth),
  FOREIGN KEY (partner, txn_id, version) REFERENCES webhook_event ON DELETE CASCADE
);

-- A payment that is over leaves open_txn in the very transaction that makes its end durable, so what
-- is remembered here is durable with the end or not at all. Once for each batch, not for each row.
CREATE FUNCTION remember_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM webhook_partner) THEN
    INSERT INTO webhook_ended (partner, txn_id)
      SELECT g.partner, g.id FROM gone g JOIN webhook_partner w ON w.partner = g.partner;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER remember_ends AFTER DELETE ON open_txn
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION remember_ends();

-- Down Migration

DROP TRIGGER remember_ends ON open_txn;
DROP FUNCTION remember_ends();
DROP TABLE webhook_attempt, webhook_event, webhook_ended, webhook_partner, api_request;

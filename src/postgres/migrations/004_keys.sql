-- Up Migration

-- Keys that are shared with counterparts (src/keys/postgres.ts): as opaque blocks under the LMK of the
-- HSM, which is never here. A stolen copy of these tables without the LMK is worth nothing.

-- One row. A change names the version that it was decided on and makes the next one of it, so that of
-- two daemons that decide at the same time one has to look again.
CREATE TABLE key_book (
  one                boolean PRIMARY KEY DEFAULT true CHECK (one),
  version            bigint  NOT NULL
);
INSERT INTO key_book (version) VALUES (0);

CREATE TABLE zone_key (
  id                 text    PRIMARY KEY,
  zone               text    NOT NULL,
  type               text    NOT NULL,
  kind               text    NOT NULL,
  block              text    NOT NULL,      -- empty when revoked
  lmk                text    NOT NULL,      -- check value of the LMK
  check_value        text    NOT NULL,
  state              text    NOT NULL CHECK (state IN ('pending', 'active', 'previous', 'revoked')),
  origin             text    NOT NULL,
  made_at_ms         bigint  NOT NULL,
  active_at_ms       bigint,
  previous_at_ms     bigint,
  accepted_until_ms  bigint,
  revoked_at_ms      bigint,
  by_whom            text    NOT NULL,
  why                text    NOT NULL,
  CHECK ((state = 'revoked') = (block = '')),
  CHECK (state <> 'previous' OR accepted_until_ms IS NOT NULL)
);
CREATE UNIQUE INDEX zone_key_active ON zone_key (zone, type) WHERE state = 'active';
CREATE UNIQUE INDEX zone_key_previous ON zone_key (zone, type) WHERE state = 'previous';
CREATE INDEX zone_key_known ON zone_key (zone, type, check_value);

-- Keys of which not all components were entered yet; gone when they are formed or expire.
CREATE TABLE half_made_key (
  id                 text    PRIMARY KEY,
  zone               text    NOT NULL,
  type               text    NOT NULL,
  kind               text    NOT NULL,
  parts              integer NOT NULL,
  components         jsonb   NOT NULL,      -- block, check value, by whom, when
  lmk                text    NOT NULL,
  begun_at_ms        bigint  NOT NULL,
  expires_at_ms      bigint  NOT NULL,
  why                text    NOT NULL
);

-- Who did what, when and why; only ever added to.
CREATE TABLE key_act (
  seq                bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at_ms              bigint  NOT NULL,
  act                text    NOT NULL,
  subject            text    NOT NULL,
  zone               text    NOT NULL,
  type               text    NOT NULL,
  by_whom            text    NOT NULL,
  why                text    NOT NULL,
  detail             text
);
CREATE INDEX key_act_subject ON key_act (subject, seq);

-- Down Migration

DROP TABLE key_act, half_made_key, zone_key, key_book;

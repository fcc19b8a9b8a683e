import { EVENTS } from './events-view.ts';

/**
 * Each step takes a store from one version to the next; written steps never change.
 *
 * - Ids are UUIDv7 of exactly the record's time, so a day is a range of ids, and the newest is the greatest.
 * - `record` is the canonical text, byte for byte. The columns beside it are what is searched, and a CHECK holds them to what
 *   the record says. It looks for the member in the text: generated columns would parse the record once for each of them,
 *   which is two thirds of the cost of a record. What it cannot tell, a member of that name inside of `claims`, the
 *   verification does (src/audit/postgres/stored-record.ts).
 * - Searched texts are cut at 255 characters: an index row of PostgreSQL holds 2,704 bytes, and a caller who sends more
 *   would otherwise make its whole group of records fail. Exactly there: a longer text is one that no page looks for.
 * - `observed` is the JSON of the list, whole: few records have one, and whoever looks for a name looks at all of these.
 * - Texts are compared by their bytes: an index must not depend on the locale data of the machine.
 * - The uniqueness of (instance, sequence) is the matter of `heads`: an index over partitions would need the id.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE FUNCTION rtv_audit.says(record json, member text, value text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT strpos(record::text, '"' || member || '":' || CASE
      WHEN length(value) = 255 THEN left(to_json(value)::text, -1) ELSE coalesce(to_json(value)::text, 'null') END) > 0
      AND coalesce(length(value), 0) <= 255
  $$;
  CREATE TABLE rtv_audit.records (
    id uuid NOT NULL PRIMARY KEY,
    instance text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    hash bytea NOT NULL,
    record json NOT NULL,
    action text COLLATE "C",
    outcome text COLLATE "C",
    issuer text COLLATE "C",
    subject text COLLATE "C",
    database text COLLATE "C",
    database_user text COLLATE "C",
    endpoint text COLLATE "C",
    grant_name text COLLATE "C",
    observed text COLLATE "C",
    CONSTRAINT columns_as_recorded CHECK (
      rtv_audit.says(record, 'id', id::text) AND rtv_audit.says(record, 'instance', instance) AND
      strpos(record::text, '"sequence":' || sequence || ',') > 0 AND
      rtv_audit.says(record, 'action', action) AND rtv_audit.says(record, 'outcome', outcome) AND
      rtv_audit.says(record, 'issuer', issuer) AND rtv_audit.says(record, 'subject', subject) AND
      rtv_audit.says(record, 'database', database) AND rtv_audit.says(record, 'user', database_user) AND
      rtv_audit.says(record, 'endpoint', endpoint) AND rtv_audit.says(record, 'grant', grant_name) AND
      strpos(record::text, '"observed":' || coalesce(observed, 'null') || ',') > 0
    )
  ) PARTITION BY RANGE (id);
  CREATE INDEX records_chain ON rtv_audit.records (instance, sequence, id);
  CREATE INDEX records_action ON rtv_audit.records (action, id);
  CREATE INDEX records_outcome ON rtv_audit.records (outcome, id);
  CREATE INDEX records_issuer ON rtv_audit.records (issuer, id);
  CREATE INDEX records_subject ON rtv_audit.records (subject, id);
  CREATE INDEX records_database ON rtv_audit.records (database, id);
  CREATE INDEX records_database_user ON rtv_audit.records (database_user, id);
  CREATE INDEX records_login ON rtv_audit.records (database, database_user, id);
  CREATE INDEX records_endpoint ON rtv_audit.records (endpoint, id);
  CREATE INDEX records_grant_name ON rtv_audit.records (grant_name, id);
  CREATE INDEX records_observed ON rtv_audit.records (id) WHERE observed IS NOT NULL;
  CREATE TABLE rtv_audit.records_default PARTITION OF rtv_audit.records DEFAULT;

  CREATE TABLE rtv_audit.heads (
    instance text COLLATE "C" NOT NULL PRIMARY KEY,
    sequence bigint NOT NULL,
    hash bytea NOT NULL,
    frontier bytea NOT NULL,
    checkpoint text NOT NULL,
    oldest uuid,
    anchor_sequence bigint NOT NULL DEFAULT 0,
    anchor_hash bytea,
    anchor_frontier bytea
  ) WITH (fillfactor = 50);
  COMMENT ON COLUMN rtv_audit.heads.oldest IS 'The id of the first record since the anchor, or null: what retention looks at.';

  CREATE TABLE rtv_audit.checkpoints (
    instance text COLLATE "C" NOT NULL,
    size bigint NOT NULL,
    note text NOT NULL,
    PRIMARY KEY (instance, size)
  );

  CREATE TABLE rtv_audit.probe (one boolean NOT NULL PRIMARY KEY CHECK (one), time timestamptz NOT NULL);
  INSERT INTO rtv_audit.probe (one, time) VALUES (true, now());

  CREATE VIEW rtv_audit.events AS ${EVENTS};`,
];

/** Version 1 was of a program that was never released: its records have no `observed`. */
export const FIRST_VERSION = 1;

/** What must be there while the store is in use. */
export const TABLES = ['migrations', 'records', 'records_default', 'heads', 'checkpoints', 'probe'] as const;

/** 'RTVA': the first half of the keys of our advisory locks, which all programs of a database share. */
export const LOCK_CLASS = 0x52545641;

/** The second half. */
export const LOCKS = { migrate: 1, partitions: 2, retire: 3 } as const;

/** The indexes of `records`, without the primary key. */
export const INDEXES = [
  ...['records_chain', 'records_action', 'records_outcome', 'records_issuer', 'records_subject', 'records_database'],
  ...['records_database_user', 'records_login', 'records_endpoint', 'records_grant_name', 'records_observed'],
] as const;

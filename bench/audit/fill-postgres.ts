import { makeDays } from '../../test/support/postgres-days.ts';
import type { PostgresConfig, PostgresServer } from '../../test/support/postgres-server.ts';
import { createStore } from '../../src/audit/open-store.ts';
import { FIRST_TIME, RARE, TIME_SPAN } from './fill-store.ts';

const DAY = 86_400_000;

/**
 * Fills a store with records like those of `fill-store.ts`, made by the server itself, with the indexes made again
 * behind them: record by record it would take an hour. Their chain is none: they are there to be searched.
 */
export async function fillPostgres(server: PostgresServer, config: PostgresConfig, records: number): Promise<void> {
  const { database } = config;
  const store = await createStore(config, 'pod-1');
  await store.open(true);
  await store.close();
  const days = TIME_SPAN / DAY;
  await makeDays(
    config,
    Array.from({ length: days }, (_, day) => FIRST_TIME + day * DAY),
  );
  const indexes = await server.query(
    database,
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'rtv_audit' AND tablename = 'records' AND indexname <> 'records_pkey'",
  );
  for (const { indexname } of indexes) await server.query(database, `DROP INDEX rtv_audit.${String(indexname)}`);
  const perDay = Math.ceil(records / days);
  for (let day = 0; day < days; day++) await server.query(database, INSERT, [day, perDay, FIRST_TIME, DAY, records]);
  // Of a partitioned table it shows ONLY the parent's, and the partitions are to have theirs.
  for (const { indexdef } of indexes) await server.query(database, String(indexdef).replace(' ON ONLY ', ' ON '));
  await server.query(database, 'VACUUM ANALYZE rtv_audit.records');
}

const RARE_EVERY = `greatest(1, $5::bigint / ${RARE.records})`;

/** $1 the day, $2 records a day, $3 the first time, $4 milliseconds of a day, $5 records in all. */
const INSERT = `
INSERT INTO rtv_audit.records (id, instance, sequence, hash, record,
  action, outcome, issuer, subject, database, database_user, endpoint, grant_name, observed)
SELECT id::uuid, 'pod-1', i + 1, sha256(id::bytea), record::json,
  'token.issue', outcome, issuer, subject, database, username, endpoint, granted, observed
FROM (
  SELECT i, digest, time, endpoint, username, database, outcome, issuer,
    CASE WHEN b % 500 = 2 THEN '["watched-' || (d % 3) || '"]' END AS observed,
    'system:serviceaccount:payments:api-' || (d % 500) AS subject, 'grant-' || (d % 20) AS granted,
    substr(time, 1, 8) || '-' || substr(time, 9) || '-7' || substr(digest, 1, 3) || '-8' || substr(digest, 4, 3) || '-' ||
      substr(digest, 7, 12) AS id
  FROM (
    SELECT i, digest, b, d,
      lpad(to_hex($3::bigint + (i * ($4::bigint * 1.0 / $2::bigint))::bigint), 12, '0') AS time,
      CASE WHEN d % 3 = 0 THEN 'reader' ELSE 'writer' END AS endpoint,
      CASE WHEN i % ${RARE_EVERY} = 7 THEN '${RARE.user}' ELSE 'app_' || (c % 200) END AS username,
      (ARRAY['orders', 'billing', 'stock', 'users', 'search'])[a % 5 + 1] AS database,
      CASE WHEN b % 1000 = 0 THEN 'failed' WHEN b % 50 = 1 THEN 'refused' ELSE 'issued' END AS outcome,
      (ARRAY['cluster', 'cluster', 'cluster', 'corp', 'github'])[(c / 200) % 5 + 1] AS issuer
    FROM (
      SELECT i, digest, part(digest, 1) AS a, part(digest, 5) AS b, part(digest, 9) AS c, part(digest, 13) AS d
      FROM (
        SELECT i, encode(sha256(i::text::bytea), 'hex') AS digest
        FROM generate_series($1::bigint * $2::bigint, ($1::bigint + 1) * $2::bigint - 1) AS i
      ) AS digests
    ) AS parts
  ) AS chosen
) AS made, LATERAL (
  SELECT '{"access_key_id":"ASIAIOSFODNN7EXAMPLE","action":"token.issue","claims":null,"client":"psql",' ||
    '"client_address":"10.0.1.7","config_hash":"' || repeat('c', 64) || '","database":"' || database ||
    '","detail":null,"endpoint":"' || endpoint || '","grant":"' || granted || '","host":"' || database ||
    '.cluster-abc123.us-west-2.rds.amazonaws.com","id":"' || id || '","instance":"pod-1","issuer":"' || issuer ||
    '","jti_hash":"' || digest || '","observed":' || coalesce(observed, 'null') || ',"outcome":"' || outcome || '","port":5432,"previous_hash":"' || digest ||
    '","reason":null,"region":"us-west-2","repeated":1,"request_id":"' || substr(digest, 1, 32) ||
    '","resource_arn":"arn:aws:rds-db:us-west-2:123456789012:dbuser:cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ/' || username ||
    '","role_arn":null,"sequence":' || (i + 1) || ',"subject":"' || subject || '","time":"2026-01-01T00:00:00.000Z",' ||
    '"token_expires_at":"2026-01-01T00:15:00.000Z","token_fingerprint":"' || digest ||
    '","trace_id":null,"user":"' || username || '","user_agent":"curl/8.14.1","version":1}' AS record
) AS texts`.replaceAll(/part\(digest, (\d+)\)/g, "('x' || lpad(substr(digest, $1, 4), 8, '0'))::bit(32)::int");

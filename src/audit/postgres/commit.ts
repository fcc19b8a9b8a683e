import { packFrontier } from '../chain/frontier.ts';
import { rowId } from '../record-row.ts';
import { type Commit, HeadMoved } from '../store.ts';
import { type Query, sqlStateOf } from './connection.ts';

/**
 * One statement is one transaction and one round trip. The head moves only from where the chain was read: of two writers of
 * one name, or of a commit that was given up and landed later, one finds it moved and writes nothing. Canonical texts hold
 * no line end, so that they travel as one text, without the escapes of an array.
 */
const COMMIT = `
WITH moved AS (
  INSERT INTO rtv_audit.heads AS head (instance, sequence, hash, frontier, checkpoint, oldest)
  SELECT $1::text, $4::bigint, $5::bytea, $6::bytea, $7::text, $12::uuid
  WHERE $2::bigint = 0 OR EXISTS (SELECT FROM rtv_audit.heads WHERE instance = $1)
  ON CONFLICT (instance) DO UPDATE SET
    sequence = excluded.sequence, hash = excluded.hash, frontier = excluded.frontier, checkpoint = excluded.checkpoint,
    oldest = coalesce(head.oldest, excluded.oldest)
  WHERE head.sequence = $2 AND head.hash IS NOT DISTINCT FROM $3::bytea
  RETURNING 1
), written AS (
  INSERT INTO rtv_audit.records (id, instance, sequence, hash, record,
    action, outcome, issuer, subject, database, database_user, endpoint, grant_name, observed)
  SELECT new.id::uuid, $1, $2 + new.at, substring($11::bytea FROM ((new.at - 1) * 32 + 1)::int FOR 32), new.line::json,
    left(says.action, 255), left(says.outcome, 255), left(says.issuer, 255), left(says.subject, 255),
    left(says.database, 255), left(says."user", 255), left(says.endpoint, 255), left(says."grant", 255),
    says.observed::text
  FROM unnest(string_to_array($9::text, E'\\n'), string_to_array($10::text, E'\\n')) WITH ORDINALITY AS new (id, line, at),
    json_to_record(new.line::json) AS says (action text, outcome text, issuer text, subject text,
      database text, "user" text, endpoint text, "grant" text, observed json)
  WHERE EXISTS (SELECT FROM moved)
  RETURNING 1
), kept AS (
  INSERT INTO rtv_audit.checkpoints (instance, size, note)
  SELECT $1, $4, $7 WHERE $8::boolean AND EXISTS (SELECT FROM moved)
  ON CONFLICT DO NOTHING
)
SELECT moved, 1 / (written = CASE WHEN moved = 1 THEN $13::int ELSE 0 END)::int AS whole
FROM (SELECT (SELECT count(*) FROM moved)::int AS moved, (SELECT count(*) FROM written)::int AS written) AS counts`;

/** `division_by_zero` (PostgreSQL, appendix A): it undoes the statement when a trigger of somebody's has dropped rows. */
const ROWS_DROPPED = '22012';

/** Resolves once the records are durable. Rejects with `HeadMoved` when the chain does not end where `before` says. */
export async function commitRecords(write: Query, instance: string, commit: Commit): Promise<void> {
  const { before, after, records, checkpoint, keep } = commit;
  const ids = records.map(({ row }) => rowId(row));
  const [row] = await whole(write, {
    name: 'commit',
    text: COMMIT,
    values: [
      instance,
      before.sequence,
      before.hash,
      after.sequence,
      after.hash,
      packFrontier(after.frontier),
      checkpoint,
      keep,
      ids.join('\n'),
      records.map(({ canonical }) => canonical).join('\n'),
      Buffer.concat(records.map(({ hash }) => hash)),
      ids[0] ?? null,
      records.length,
    ],
  });
  if (row?.['moved'] !== 1) throw new HeadMoved();
}

async function whole(write: Query, statement: Parameters<Query>[0]): ReturnType<Query> {
  try {
    return await write(statement);
  } catch (error) {
    if (sqlStateOf(error) !== ROWS_DROPPED) throw error;
    throw new Error('the server did not keep all of the records', { cause: error });
  }
}

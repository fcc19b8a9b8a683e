import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { type OpenAuditLog, openAuditLog } from '../../../src/audit/audit-log.ts';
import { loadCheckpointPublicKey } from '../../../src/audit/chain/checkpoint-key.ts';
import { leafHash } from '../../../src/audit/chain/extend.ts';
import { EMPTY_FRONTIER, packFrontier, withLeaves } from '../../../src/audit/chain/frontier.ts';
import { openReader } from '../../../src/audit/open-store.ts';
import { oneKey } from '../../../src/audit/verify/checkpoint-keys.ts';
import { describeFinding } from '../../../src/audit/verify/finding.ts';
import { readPrintedCheckpoints } from '../../../src/audit/verify/printed-checkpoints.ts';
import { verifyStore } from '../../../src/audit/verify/verify-store.ts';
import { auditRecord } from '../../support/audit-records.ts';
import { auditSetup, testDirectory } from '../../support/audit-setup.ts';

/*
 * Somebody who can write to the SQLite file, and lacks the key. Each has been tried against an earlier state of the
 * program, which called the store good.
 */

type Trail = { readonly path: string; readonly directory: string; readonly log: OpenAuditLog };

async function openTrail(t: TestContext): Promise<Trail> {
  const directory = testDirectory(t);
  const path = join(directory, 'audit.db');
  const log = await openAuditLog(auditSetup({ type: 'sqlite', path }, directory));
  t.after(() => log.close());
  for (let i = 0; i < 10; i++)
    await log.record(auditRecord({ subject: i === 6 ? 'mallory' : 'alice', time: 1_000 + i }));
  return { path, directory, log };
}

function attack(path: string, change: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(path, { timeout: 5_000, defensive: false });
  try {
    change(db);
  } finally {
    db.close();
  }
}

async function sentences({ path, directory }: Trail): Promise<string[]> {
  const keys = oneKey(loadCheckpointPublicKey(join(directory, 'checkpoint-key.pem')));
  const reader = await openReader({ type: 'sqlite', path });
  try {
    const { good, chains, findings } = await verifyStore(reader, keys, await readPrintedCheckpoints([], keys));
    const all = [...chains.flatMap((chain) => chain.findings), ...findings].map(describeFinding);
    assert.equal(good, all.length === 0);
    return all;
  } finally {
    await reader.close();
  }
}

/** Takes a record away as soon as it is there. */
const TAKING = `AFTER INSERT ON audit_records WHEN new.subject = (SELECT id FROM audit_texts WHERE text = 'mallory')
  BEGIN DELETE FROM audit_records WHERE position = new.position; END`;

/** SQLite takes no such name from CREATE TRIGGER. */
const HIDDEN_TRIGGER = `PRAGMA writable_schema = on;
  INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql)
    VALUES ('trigger', 'sqlite_stat1', 'audit_records', 0, '${`CREATE TRIGGER sqlite_stat1 ${TAKING}`.replaceAll("'", "''")}')`;

/** Copies record 3 under another position, id and place in the chain. */
const copyOf = (changes: string) => (db: DatabaseSync) =>
  db.exec(`CREATE TEMP TABLE copy AS SELECT * FROM audit_records WHERE sequence = 3;
    UPDATE copy SET position = position + 500, id = randomblob(16), ${changes};
    INSERT INTO audit_records SELECT * FROM copy`);

const ATTACKS: Readonly<Record<string, { readonly change: (db: DatabaseSync) => void; readonly found: RegExp }>> = {
  'a record with the number 0': {
    change: copyOf('sequence = 0'),
    found: /1 records were put in before record 1, where the chain begins/,
  },
  'a record with a number below zero': {
    change: copyOf('sequence = -7'),
    found: /1 records were put in before record 1/,
  },
  'a record of an instance that is nowhere': {
    change: copyOf('instance = -9007199254740991'),
    found: /end of the chain is not on record|records? 3 .*added|removed/,
  },
  'the numbers of two texts exchanged, and with them the outcomes': {
    change: (db) =>
      db.exec(`INSERT INTO audit_texts (text, last_day) VALUES ('refused', 1);
        UPDATE audit_texts SET text = 'x' WHERE id = 2;
        UPDATE audit_texts SET text = 'issued' WHERE text = 'refused';
        UPDATE audit_texts SET text = 'refused' WHERE id = 2;
        UPDATE audit_records SET outcome = (SELECT id FROM audit_texts WHERE text = 'issued')`),
    found: /text 2 is not "issued": records are looked for by it/,
  },
  'an index that leaves a record out': {
    change: (db) =>
      db.exec(`DROP INDEX audit_by_subject;
        CREATE INDEX audit_by_subject ON audit_records (subject) WHERE sequence <> 7;
        PRAGMA writable_schema = on;
        UPDATE sqlite_schema SET sql = 'CREATE INDEX audit_by_subject ON audit_records (subject)' WHERE name = 'audit_by_subject';`),
    found: /the store was changed: SQLite says: /,
  },
  'another index in the place of one': {
    change: (db) => db.exec('DROP INDEX audit_by_subject; CREATE INDEX audit_by_subject ON audit_records (issuer)'),
    found: /the index audit_by_subject is not as the service makes it/,
  },
  'an index of lists that leaves a record out': {
    change: (db) =>
      db.exec(`DROP INDEX audit_by_observed;
        CREATE INDEX audit_by_observed ON audit_records (position) WHERE observed IS NOT NULL AND sequence <> 7`),
    found: /the index audit_by_observed is not as the service makes it/,
  },
  'a list of grants that is not JSON any more': {
    change: (db) => db.exec(`UPDATE audit_texts SET text = '["no-nights"' WHERE text = '["no-nights"]'`),
    found: /^record 10 .* is not what was written/,
  },
  'a list of grants taken from a record': {
    change: (db) => db.exec('UPDATE audit_records SET observed = NULL WHERE sequence = 3'),
    found: /^record 3 .* is not what was written/,
  },
  'an index removed': {
    change: (db) => db.exec('DROP INDEX audit_by_grant_name'),
    found: /the index audit_by_grant_name was removed/,
  },
  'a trigger': {
    change: (db) => db.exec('CREATE TRIGGER t BEFORE INSERT ON audit_records BEGIN SELECT RAISE(IGNORE); END'),
    found: /the trigger t is not as the service makes it/,
  },
  'a trigger named as a table of statistics': {
    change: (db) => db.exec(HIDDEN_TRIGGER),
    found: /the trigger sqlite_stat1 is not as the service makes it/,
  },
  'a table of ours that keeps the newer of two records of a number': {
    change: (db) =>
      db.exec(`PRAGMA writable_schema = on;
        UPDATE sqlite_schema SET sql = replace(sql, '(instance, sequence)', '(instance, sequence) ON CONFLICT REPLACE')
          WHERE name = 'audit_records'`),
    found: /the table audit_records is not as the service makes it/,
  },
  'a view that hides a record': {
    change: (db) =>
      db.exec('DROP VIEW audit_events; CREATE VIEW audit_events AS SELECT * FROM audit_records WHERE sequence <> 7'),
    found: /the view audit_events is not as the service makes it/,
  },
};
for (const [what, { change, found }] of Object.entries(ATTACKS)) {
  test(`${what} is found`, async (t) => {
    const trail = await openTrail(t);
    assert.deepEqual(await sentences(trail), []);
    await trail.log.close();
    attack(trail.path, change);
    const all = await sentences(trail);
    assert.ok(
      all.some((sentence) => found.test(sentence)),
      all.join('\n'),
    );
  });
}

test('a list of grants that is not JSON any more, or no list, hides no record around it', async (t) => {
  for (const text of ['["no-nights"', '"no-nights"', '{"no-nights":1}', '', 'null', '[["no-nights"]]']) {
    const { path, log } = await openTrail(t);
    await log.record(auditRecord({ observed: ['no-nights', 'other'] }));
    attack(path, (db) => db.prepare(`UPDATE audit_texts SET text = ? WHERE text = '["no-nights"]'`).run(text));
    const reader = await openReader({ type: 'sqlite', path });
    assert.equal((await reader.page({ filter: {}, limit: 100 })).events.length, 11, text);
    const { events } = await reader.page({ filter: { observed: 'other' }, limit: 100 });
    assert.deepEqual(
      events.map((line): unknown => JSON.parse(line).sequence),
      [11],
      text,
    );
    await reader.close();
  }
});

test('a trigger that drops records without an error makes them fail: nobody is told that they are durable', async (t) => {
  const { path, log } = await openTrail(t);
  attack(path, (db) => db.exec('CREATE TRIGGER t BEFORE INSERT ON audit_records BEGIN SELECT RAISE(IGNORE); END'));
  await assert.rejects(log.record(auditRecord()), /the record was not inserted/);
});

test('a trigger that takes a record away after it was inserted makes it fail, and nothing is issued while it is there', async (t) => {
  const { path, log } = await openTrail(t);
  attack(path, (db) => db.exec(`CREATE TRIGGER t ${TAKING}`));
  const refused = /the trigger t is not as the service makes it: records could be lost/;
  await assert.rejects(log.record(auditRecord({ subject: 'mallory' })), refused);
  await assert.rejects(log.record(auditRecord()), refused);
  attack(path, (db) => db.exec('DROP TRIGGER t'));
  await log.record(auditRecord({ subject: 'mallory' }));
});

test('statistics and an index of the operator’s do not keep the service from writing', async (t) => {
  const trail = await openTrail(t);
  attack(trail.path, (db) => db.exec('ANALYZE'));
  await trail.log.record(auditRecord());
  assert.deepEqual(await sentences(trail), []);
  attack(trail.path, (db) => db.exec('CREATE INDEX mine ON audit_records (port); VACUUM'));
  await trail.log.record(auditRecord());
  assert.deepEqual(await sentences(trail), ['the store was changed: the index mine is not as the service makes it']);
});

/** Gives every record another subject, with all hashes made again, and removes the kept checkpoints. */
function rewriteWithoutKey(path: string, canonical: readonly string[]): void {
  attack(path, (db) => {
    let previous: string | null = null;
    const hashes = canonical.map((text) => {
      const record = { ...JSON.parse(text), subject: 'alice', previous_hash: previous };
      const hash = leafHash(JSON.stringify(record));
      previous = hash.toString('hex');
      return hash;
    });
    const frontier = packFrontier(withLeaves(EMPTY_FRONTIER, hashes));
    db.exec("UPDATE audit_records SET subject = (SELECT id FROM audit_texts WHERE text = 'alice')");
    const set = db.prepare('UPDATE audit_records SET hash = ? WHERE sequence = ?');
    hashes.forEach((hash, index) => set.run(hash, index + 1));
    db.prepare('UPDATE audit_instances SET hash = ?, frontier = ?').run(hashes.at(-1) ?? null, frontier);
    db.exec('DELETE FROM audit_checkpoints');
  });
}

async function canonicalTexts(path: string): Promise<string[]> {
  const reader = await openReader({ type: 'sqlite', path });
  const records = await reader.records('pod-1', 0, 100);
  await reader.close();
  return records.map(({ canonical }) => canonical);
}

test('the service does not sign on top of a history that was rewritten without the key: while it runs, nor at its start', async (t) => {
  const { path, directory, log } = await openTrail(t);
  rewriteWithoutKey(path, await canonicalTexts(path));
  await assert.rejects(log.record(auditRecord()), /record 10 on record is not the one that this process has written/);
  await assert.rejects(log.record(auditRecord()), { code: 'audit_unavailable' });
  await log.close();
  await assert.rejects(
    openAuditLog(auditSetup({ type: 'sqlite', path }, directory)),
    /cannot be continued: its checkpoint at record 10 does not cover what is there/,
  );
});

test('the service does not go on from a head that was put back while it runs, genuine as it is', async (t) => {
  const { path, log } = await openTrail(t);
  let old: Readonly<Record<string, unknown>> = {};
  attack(
    path,
    (db) => (old = db.prepare('SELECT sequence, hash, frontier, checkpoint FROM audit_instances').get() ?? {}),
  );
  for (let i = 0; i < 5; i++) await log.record(auditRecord());
  attack(path, (db) => {
    db.exec('DELETE FROM audit_records WHERE sequence > 10; DELETE FROM audit_checkpoints WHERE size > 10');
    const { sequence, hash, frontier, checkpoint } = old;
    assert.ok(hash instanceof Uint8Array && frontier instanceof Uint8Array);
    db.prepare('UPDATE audit_instances SET sequence = ?, hash = ?, frontier = ?, checkpoint = ?').run(
      ...[Number(sequence), hash, frontier, String(checkpoint)],
    );
  });
  await assert.rejects(
    log.record(auditRecord()),
    /the chain on record ends at record 10, and this process has written 15/,
  );
});

test('a key that was exchanged stops the start, instead of signing what another key has signed', async (t) => {
  const { path, directory, log } = await openTrail(t);
  await log.close();
  const setup = auditSetup({ type: 'sqlite', path }, directory, { checkpointKeyFile: join(directory, 'other.pem') });
  await assert.rejects(
    openAuditLog(setup),
    /is not of this key .*: put the key back, or give the instance another name/,
  );
});

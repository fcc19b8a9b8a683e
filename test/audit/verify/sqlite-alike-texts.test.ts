import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openReader } from '../../../src/audit/open-store.ts';
import { createSqliteStore } from '../../../src/audit/sqlite/sqlite-store.ts';
import { oneKey } from '../../../src/audit/verify/checkpoint-keys.ts';
import { describeFinding } from '../../../src/audit/verify/finding.ts';
import { readPrintedCheckpoints } from '../../../src/audit/verify/printed-checkpoints.ts';
import { verifyStore } from '../../../src/audit/verify/verify-store.ts';
import { auditRecord } from '../../support/audit-records.ts';
import { testDirectory } from '../../support/audit-setup.ts';
import { checkpointKey, writeRecords } from '../../support/written-chain.ts';

/*
 * Stored texts that somebody changes so that a record reads as before: its hash would still fit, while no filter finds it,
 * or others who read the file see something else.
 */

const key = checkpointKey();

/** What a caller may be named, and the record with the sequence number 2 in every store below. */
const RECORD = auditRecord({
  subject: 'eve\ufffd',
  user: '(the text 9999 is missing)',
  claims: { email: 'eve@corp', groups: ['é', 1.5, true], 7: 'x' },
  detail: 'a\ufffd',
  requestId: 'b\ufffd',
  client: null,
});

async function verified(path: string): Promise<string[]> {
  const reader = await openReader({ type: 'sqlite', path });
  const keys = oneKey(key.publicKey);
  try {
    const { chains, findings } = await verifyStore(reader, keys, await readPrintedCheckpoints([], keys));
    return [...chains.flatMap((chain) => chain.findings), ...findings].map(describeFinding);
  } finally {
    await reader.close();
  }
}

const textOf = (column: string) => `(SELECT ${column} FROM audit_records WHERE sequence = 2)`;
const inTexts = (column: string, bytes: string) =>
  `UPDATE audit_texts SET text = CAST(${bytes} AS TEXT) WHERE id = ${textOf(column)}`;
const newText = (column: string, text: string) =>
  `INSERT INTO audit_texts (text, last_day) VALUES ('${text}', 1);
   UPDATE audit_records SET ${column} = last_insert_rowid() WHERE sequence = 2`;

const CHANGES: Readonly<Record<string, string>> = {
  'a subject with U+FFFD whose bytes are no UTF-8 any more': inTexts('subject', "x'657665ff'"),
  'a surrogate in the bytes of a subject': inTexts('subject', "x'657665eda080'"),
  'a NUL behind a subject': inTexts('subject', "CAST(text AS BLOB) || x'00'"),
  'a detail with U+FFFD whose bytes are no UTF-8 any more':
    "UPDATE audit_records SET detail = CAST(x'61ff' AS TEXT) WHERE sequence = 2",
  'a request id with U+FFFD whose bytes are no UTF-8 any more':
    "UPDATE audit_records SET request_id = CAST(x'62ff' AS TEXT) WHERE sequence = 2",
  'a user named as a missing text is told': `DELETE FROM audit_texts WHERE id = ${textOf('database_user')};
    UPDATE audit_records SET database_user = 9999 WHERE sequence = 2`,
  'a missing text where there was none': 'UPDATE audit_records SET client = 9999 WHERE sequence = 2',
  'claims with a member twice': inTexts('claims', `replace(text, '"email"', '"email":"bob@corp","email"')`),
  'claims with a space': inTexts('claims', `replace(text, '"email":', '"email": ')`),
  'claims of null where there were none': newText('claims', 'null').replaceAll('sequence = 2', 'sequence = 1'),
  'claims that cannot be read where there were none': newText('claims', '{"email":"bob').replaceAll(
    'sequence = 2',
    'sequence = 1',
  ),
};
for (const [what, change] of Object.entries(CHANGES)) {
  test(`${what}: found`, async (t) => {
    const path = join(testDirectory(t), 'audit.db');
    const records = [auditRecord({ claims: null }), RECORD];
    await writeRecords(createSqliteStore({ type: 'sqlite', path }, 'pod-1'), 'pod-1', key, [records]);
    assert.deepEqual(await verified(path), []);
    const db = new DatabaseSync(path);
    db.exec(change);
    db.close();
    assert.match((await verified(path)).join('\n'), /^record [12] \(\S+\) is not what was written/);
  });
}

test('the text of an index that has a NUL behind it is found', async (t) => {
  const path = join(testDirectory(t), 'audit.db');
  await writeRecords(createSqliteStore({ type: 'sqlite', path }, 'pod-1'), 'pod-1', key, [[RECORD]]);
  const db = new DatabaseSync(path);
  db.exec("UPDATE audit_texts SET text = CAST(CAST(text AS BLOB) || x'00' AS TEXT) WHERE text = 'issued'");
  db.close();
  assert.match((await verified(path)).join('\n'), /the store was changed: text 2 is not "issued"/);
});

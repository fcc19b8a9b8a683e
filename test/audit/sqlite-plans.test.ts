import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { openConnection } from '../../src/audit/sqlite/connection.ts';
import { findPositions } from '../../src/audit/sqlite/page-query.ts';
import type { AuditFilter } from '../../src/issuance/audit-query.ts';
import { sqliteStorePath } from '../support/sqlite-store-path.ts';

/** The plan of each statement that a page runs, as SQLite explains it: one line each. */
function plansOf(t: TestContext, filter: AuditFilter): string[] {
  const path = sqliteStorePath(t);
  openConnection(path, true).db.close();
  const db = new DatabaseSync(path);
  t.after(() => db.close());
  const asked: string[] = [];
  const { next } = findPositions(
    { prepare: (sql) => (asked.push(sql), db.prepare(sql)) },
    { filter, limit: 100 },
    () => 7,
  );
  assert.equal(next, null);
  const explained = asked.flatMap((sql) => db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all());
  return explained.map(({ detail }) => String(detail));
}

const SINGLE: readonly (readonly [filter: AuditFilter, index: string])[] = [
  [{ issuer: 'x' }, 'audit_by_issuer (issuer=? AND rowid>? AND rowid<?)'],
  [{ subject: 'x' }, 'audit_by_subject (subject=? AND rowid>? AND rowid<?)'],
  [{ database: 'x' }, 'audit_by_database (database=? AND rowid>? AND rowid<?)'],
  [{ user: 'x' }, 'audit_by_database_user (database_user=? AND rowid>? AND rowid<?)'],
  [{ endpoint: 'x' }, 'audit_by_endpoint (endpoint=? AND rowid>? AND rowid<?)'],
  [{ grant: 'x' }, 'audit_by_grant_name (grant_name=? AND rowid>? AND rowid<?)'],
  [{ observed: 'x' }, 'audit_by_observed (position>? AND position<?)'],
  [{ outcome: 'failed' }, 'audit_by_outcome (outcome=? AND rowid>? AND rowid<?)'],
  [{ action: 'audit.get' }, 'audit_by_action (action=? AND rowid>? AND rowid<?)'],
];
for (const [filter, index] of SINGLE) {
  test(`a page of ${Object.keys(filter).join()} reads its index, newest first, and sorts nothing`, (t) => {
    const plans = plansOf(t, filter);
    assert.ok(
      plans.some((plan) => plan.includes(`SEARCH audit_records USING`) && plan.includes(index)),
      plans.join('\n'),
    );
    assertBounded(plans);
  });
}

const OTHERS: readonly (readonly [what: string, filter: AuditFilter])[] = [
  ['everything', {}],
  ['a time range', { from: 1_000, to: 2_000 }],
  ['the usual outcome and action', { outcome: 'issued', action: 'token.issue' }],
  ['a database and a user', { database: 'x', user: 'x' }],
  ['every condition', { ...Object.assign({}, ...SINGLE.map(([filter]) => filter)), from: 1, to: 2 }],
  ['a token fingerprint', { tokenFingerprint: 'a'.repeat(64), from: 1_000, to: 2_000 }],
];
for (const [what, filter] of OTHERS) {
  test(`a page of ${what} searches by key or index, and sorts at most what it has looked at`, (t) => {
    assertBounded(plansOf(t, filter));
  });
}

/** No statement reads all records, and none sorts them: what is sorted comes out of the bounded subquery. */
function assertBounded(plans: readonly string[]): void {
  assert.ok(plans.length > 0);
  for (const plan of plans) assert.doesNotMatch(plan, /^SCAN audit_records/);
  if (plans.some((plan) => plan.includes('TEMP B-TREE'))) {
    assert.ok(
      plans.some((plan) => /^(?:CO-ROUTINE|MATERIALIZE|SCAN) \(subquery/.test(plan)),
      plans.join('\n'),
    );
  }
}

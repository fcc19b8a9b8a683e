import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAuditQuery } from '../../src/http/read-audit-query.ts';
import { problemSchema } from '../../src/http/schemas.ts';
import { startAuditService } from '../support/audit-service.ts';
import { assertDescribed } from '../support/contract.ts';

const MISTAKES: readonly [query: string, fields: readonly string[]][] = [
  ['odd=1', ['odd']],
  ['subject=x', ['subject']],
  ['User=x', ['User']],
  ['token_fingerprint=x', ['token_fingerprint']],
  ['user=a&user=a', ['user']],
  ['user=a&%75ser=b', ['user']],
  ['user=', ['user']],
  ['user', ['user']],
  ['user=%00', ['user']],
  ['user=%ff', ['']],
  ['user=%', ['']],
  [`user=${'u'.repeat(256)}`, ['user']],
  [`caller=${'u'.repeat(1025)}`, ['caller']],
  [`cursor=${'u'.repeat(513)}`, ['cursor']],
  ['cursor=x', ['cursor']],
  ['outcome=Issued', ['outcome']],
  ['outcome=issued,refused', ['outcome']],
  ['action=*', ['action']],
  ['format=xml', ['format']],
  ['limit=0', ['limit']],
  ['limit=1001', ['limit']],
  ['limit=-1', ['limit']],
  ['limit=1e2', ['limit']],
  ['limit=%205', ['limit']],
  ['limit=007', ['limit']],
  ['limit=1.5', ['limit']],
  ['limit=ten', ['limit']],
  ['from=yesterday', ['from']],
  ['from=2026-01-01', ['from']],
  ['from=2026-01-01T00:00:00', ['from']],
  ['from=2026-01-01T00:00Z', ['from']],
  ['from=2026-02-30T00:00:00Z', ['from']],
  ['from=2026-01-01T00:00:00+02:00', ['from']],
  ['from=2026-01-01T00:00:00.0005Z', ['from']],
  ['from=1969-12-31T23:59:59Z', ['from']],
  ['from=1790000000', ['from']],
  ['to=9999-99-99T00:00:00Z', ['to']],
  ['from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', ['to']],
  ['from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z', ['to']],
  ['odd=1&user=a&user=b&limit=0', ['user', 'limit', 'odd']],
];

test('every mistake in a query is a 400 that names the fields, on record', async (t) => {
  const service = await startAuditService(t);
  for (const [query, fields] of MISTAKES) {
    const response = await service.audit(`/v1/audit/events?${query}`);
    const problem = problemSchema.parse(JSON.parse(await assertDescribed(response, 'get', '/v1/audit/events')));
    assert.deepEqual([response.status, problem.type], [400, 'urn:rds-token-vendor:problem:request-malformed'], query);
    assert.deepEqual(
      problem.problems?.map(({ field }) => field),
      fields,
      query,
    );
  }
  const records = service.records();
  assert.equal(
    records.reduce((count, { repeated }) => count + repeated, 0),
    MISTAKES.length,
  );
  for (const { action, reason, grant } of records) {
    assert.deepEqual([action, reason, grant], ['audit.list', 'request_malformed', 'security']);
  }
});

test('an offset whose plus was not encoded is told how to write it', () => {
  const read = readAuditQuery('from=2026-01-01T00:00:00+02:00', undefined);
  assert.ok(!read.ok && read.refusal.reason === 'request_malformed');
  assert.match(read.refusal.problems[0]?.message ?? '', /%2B/);
});

test('a query of a thousand odd fields is answered with ten of them, each cut', () => {
  const names = Array.from({ length: 1000 }, (_, at) => `${at}${'x'.repeat(100)}=1`);
  const read = readAuditQuery(names.join('&'), undefined);
  assert.ok(!read.ok && read.refusal.reason === 'request_malformed');
  assert.equal(read.refusal.problems.length, 10);
  assert.ok(read.refusal.problems.every(({ field }) => field.length === 64));
  assert.ok(read.refusal.detail.length < 1000);
});

test('names that objects have by themselves are unknown fields', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const read = readAuditQuery(`${name}=x`, undefined);
    assert.ok(!read.ok && read.refusal.reason === 'request_malformed', name);
  }
});

test('the bounds themselves are good', () => {
  for (const query of [
    '',
    'limit=1',
    'limit=1000',
    `caller=${'c'.repeat(1024)}`,
    `user=${'u'.repeat(255)}`,
    'from=1970-01-01T00:00:00Z&to=9999-12-31T23:59:59.999Z',
    'from=2024-02-29T00:00:00.5-00:00',
    '&&user=a&',
  ]) {
    assert.ok(readAuditQuery(query, undefined).ok, query);
  }
});

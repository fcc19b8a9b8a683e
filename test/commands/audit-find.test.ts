import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FORMATS, formatFits, renderAuthToken } from '../../src/rds/render-auth-token.ts';
import { readTokenForms } from '../../src/commands/token-forms.ts';
import { auditFolder } from '../support/audit-folder.ts';
import { auditRecord } from '../support/audit-records.ts';
import { CONNECTION } from '../support/hostile-connections.ts';
import { runProgram } from '../support/service-process.ts';
import { readSqliteRecords } from '../support/sqlite-records.ts';

const SIGNED_AT = Date.parse('2026-11-24T10:15:00Z');
const SIGNATURE = 'deadbeef'.repeat(8);
const TOKEN =
  'orders.cluster-abc123.us-west-2.rds.amazonaws.com:5432/?Action=connect&DBUser=app%2Brw&X-Amz-Algorithm=AWS4-HMAC-SHA256' +
  '&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261124%2Fus-west-2%2Frds-db%2Faws4_request&X-Amz-Date=20261124T101500Z' +
  `&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=${SIGNATURE}`;
const tokenFingerprint = createHash('sha256').update(TOKEN).digest('hex');

const ENCODED = encodeURIComponent(TOKEN);

for (const [form, text] of [
  ['as it is', TOKEN],
  ['with white space around it', `\n ${TOKEN}\r\n`],
  ['percent-encoded', ENCODED],
  ['percent-encoded twice, with a line end', `${encodeURIComponent(ENCODED)}\n`],
] as const) {
  test(`a token ${form} has the fingerprint that is on record, and its time of signing`, () => {
    const forms = readTokenForms(text) ?? assert.fail('it is no token');
    assert.ok(forms.fingerprints.includes(tokenFingerprint));
    assert.equal(forms.signedAt, SIGNED_AT);
    assert.ok(forms.fingerprints.length <= 4);
  });
}

for (const engine of ['postgres', 'mysql', 'mariadb'] as const) {
  for (const format of FORMATS) {
    if (format === 'json' || !formatFits(format, engine)) continue;
    test(`a token in ${format} for ${engine}, as the service renders it, has the fingerprint that is on record`, () => {
      const { body } = renderAuthToken(format, { ...CONNECTION, engine }, TOKEN);
      for (const text of [body, `leaked: ${body}`, JSON.stringify({ token: TOKEN, body })]) {
        const forms = readTokenForms(text) ?? assert.fail('it has no token');
        assert.ok(forms.fingerprints.includes(tokenFingerprint), text);
        assert.equal(forms.signedAt, SIGNED_AT);
      }
    });
  }
}

test('what is no token has no forms', () => {
  for (const text of [
    '',
    ' ',
    'hunter2',
    '%',
    '%E0%A4%A',
    '?X-Amz-Date=2026',
    '?X-Amz-Date=20261399T101500Z',
    'X-Amz-Date=20261124T101500Z',
  ]) {
    assert.equal(readTokenForms(text), null, text);
  }
});

test('audit find shows all records of a token, also of two callers in one second, and no other', async (t) => {
  const found = [0, 300].map((later) =>
    auditRecord({ time: SIGNED_AT + later, subject: `caller-${later}`, tokenFingerprint }),
  );
  const folder = await auditFolder(t, [...found, auditRecord({ time: SIGNED_AT + 400, subject: 'other' })]);
  const file = join(folder.path, 'token');
  writeFileSync(file, `${ENCODED}\n`);
  const table = await folder.audit('find', '--token-file', file);
  assert.deepEqual([table.status, table.stderr], [0, '']);
  assert.deepEqual(
    table.stdout
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((row) => row.split(/ {2,}/)[4]),
    ['cluster/caller-300', 'cluster/caller-0'],
  );
  const { child, ended } = runProgram(t, ['audit', 'find', '--config', folder.config, '--token-file', '-', '--json']);
  child.stdin.end(TOKEN);
  const { status, stdout } = await ended;
  assert.equal(status, 0);
  assert.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id),
    found.map(({ id }) => id).toReversed(),
  );
  const readings = readSqliteRecords(folder.store).filter(({ action }) => action === 'audit.find');
  assert.equal(readings.length, 2);
  const { from, to, tokenFingerprints } = JSON.parse(readings[0]?.detail ?? '');
  assert.deepEqual([from, to], ['2026-11-24T10:13:00.000Z', '2026-11-24T10:17:00.000Z']);
  assert.ok(tokenFingerprints.includes(tokenFingerprint));
  for (const text of [table.stdout, stdout, JSON.stringify(readings)]) assert.ok(!text.includes(SIGNATURE));
});

test('audit find says of a token without a record and of a text that is no token that it is none, with status 1', async (t) => {
  const folder = await auditFolder(t, [auditRecord({ time: SIGNED_AT + 200_000, tokenFingerprint })]);
  const file = join(folder.path, 'token');
  writeFileSync(file, TOKEN);
  const none = await folder.audit('find', '--token-file', file);
  assert.deepEqual([none.status, none.stdout], [1, '']);
  assert.match(none.stderr, /^No record in the store has this token/);
  for (const [text, why] of [
    ['hunter2', /^There is no RDS auth token in it\.$/m],
    ['x'.repeat(400_000), /it is too long/],
  ] as const) {
    writeFileSync(file, text);
    const { status, stdout, stderr } = await folder.audit('find', '--token-file', file);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, why);
    assert.ok(!stderr.includes(text));
  }
});

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
    assert.deepEqual(forms, { tokens: [{ fingerprint: tokenFingerprint, signedAt: SIGNED_AT }], more: false });
  });
}

for (const engine of ['postgres', 'mysql', 'mariadb'] as const) {
  for (const format of FORMATS) {
    if (format === 'json' || !formatFits(format, engine)) continue;
    test(`a token in ${format} for ${engine}, as the service renders it, has the fingerprint that is on record`, () => {
      const { body } = renderAuthToken(format, { ...CONNECTION, engine }, TOKEN);
      for (const text of [body, `leaked: ${body}`, JSON.stringify({ token: TOKEN, body })]) {
        const forms = readTokenForms(text) ?? assert.fail('it has no token');
        const found = forms.tokens.find(({ fingerprint }) => fingerprint === tokenFingerprint);
        assert.equal(found?.signedAt, SIGNED_AT, text);
      }
    });
  }
}

test('a token is found in JSON and HTML that write its ampersands in another way', () => {
  for (const text of [
    `{"token":"${TOKEN.replaceAll('&', '\\u0026')}"}`,
    `{"log":"{\\"token\\":\\"${TOKEN.replaceAll('&', '\\\\u0026')}\\"}"}`,
    `<code>${TOKEN.replaceAll('&', '&amp;')}</code>`,
  ]) {
    const found = readTokenForms(text)?.tokens.map(({ fingerprint }) => fingerprint);
    assert.ok(found?.includes(tokenFingerprint), text);
  }
});

test('what is no token has no forms', () => {
  for (const text of [
    '',
    ' ',
    'hunter2',
    '%',
    '%E0%A4%A',
    '?X-Amz-Date=2026',
    '?X-Amz-Date=20261399T101500Z',
    TOKEN.replace('20261124T', '00001124T'),
    'X-Amz-Date=20261124T101500Z',
  ]) {
    assert.equal(readTokenForms(text), null, text);
  }
});

test('each token of a text has its own time of signing, and the first 20 of more are taken', () => {
  const ofYear = (year: number) => TOKEN.replace('=20261124T', `=${year}1124T`);
  const years = Array.from({ length: 20 }, (_, at) => 2001 + at);
  const twenty = readTokenForms(years.map(ofYear).join('\n')) ?? assert.fail('it has no token');
  assert.equal(twenty.more, false);
  assert.deepEqual(
    twenty.tokens.map(({ signedAt }) => signedAt),
    years.map((year) => Date.parse(`${year}-11-24T10:15:00Z`)),
  );
  const more = readTokenForms(`${years.map(ofYear).join('\n')}\n${TOKEN}`) ?? assert.fail('it has no token');
  assert.deepEqual(more, { tokens: twenty.tokens, more: true });
});

test('no text of the longest length takes more than linear time', () => {
  const length = 256 * 1024;
  const host = `${'a'.repeat(253)}:65535/?Action=connect`;
  for (const run of ['a', 'a.', 'a:1', ':', '1', '%61', '\\:', '/?Action=connect', 'a:1/?Action=connect&', host]) {
    // A run of letters took minutes when a search began with the host.
    assert.equal(readTokenForms(run.repeat(Math.ceil(length / run.length))), null, run);
  }
  const endless = readTokenForms(`${TOKEN}${'&a=1'.repeat(length / 4)}`);
  assert.equal(endless?.tokens.length, 1);
});

test('a host that is longer than any is no part of a token', () => {
  const token = TOKEN.slice(TOKEN.indexOf(':'));
  const longest = `${'h'.repeat(253)}${token}`;
  const [found] = readTokenForms(` ${longest} . `)?.tokens ?? [];
  assert.equal(found?.fingerprint, createHash('sha256').update(longest).digest('hex'));
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

test('audit find finds a token behind one of another year, and its record names both', async (t) => {
  const decoy = TOKEN.replace('=20261124T', '=20010101T');
  const folder = await auditFolder(t, [auditRecord({ time: SIGNED_AT, subject: 'leaked', tokenFingerprint })]);
  const file = join(folder.path, 'token');
  writeFileSync(file, `${decoy}\n${TOKEN}\n`);
  const { status, stdout, stderr } = await folder.audit('find', '--token-file', file);
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, / cluster\/leaked /);
  const reading = readSqliteRecords(folder.store).find(({ action }) => action === 'audit.find');
  assert.deepEqual(JSON.parse(reading?.detail ?? ''), {
    from: '2001-01-01T10:13:00.000Z',
    to: '2026-11-24T10:17:00.000Z',
    tokenFingerprints: [createHash('sha256').update(decoy).digest('hex'), tokenFingerprint],
  });
});

test('audit find says that it looks for the first 20 tokens only', async (t) => {
  const folder = await auditFolder(t, [auditRecord({ time: SIGNED_AT, tokenFingerprint })]);
  const file = join(folder.path, 'token');
  const decoys = Array.from({ length: 20 }, (_, at) => TOKEN.replace('=20261124T', `=${2001 + at}1124T`));
  writeFileSync(file, [...decoys, TOKEN].join('\n'));
  const { status, stderr } = await folder.audit('find', '--token-file', file);
  assert.equal(status, 1);
  assert.match(stderr, /^There are more than 20 tokens in it: only the first ones are looked for\.\nNo record/);
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

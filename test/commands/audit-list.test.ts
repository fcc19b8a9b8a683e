import assert from 'node:assert/strict';
import { renameSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { auditFolder } from '../support/audit-folder.ts';
import { auditRecord } from '../support/audit-records.ts';
import { readSqliteRecords } from '../support/sqlite-records.ts';

const MINUTE = 60_000;

test('audit list shows the newest records first, those of the filter, and no more than the limit', async (t) => {
  const now = Date.now();
  const records = Array.from({ length: 30 }, (_, at) =>
    auditRecord({
      time: now - (30 - at) * MINUTE,
      ...{ subject: `caller-${at + 1}`, user: at % 2 === 0 ? 'admin' : 'app_ro' },
    }),
  );
  const folder = await auditFolder(t, records);
  const { status, stdout, stderr } = await folder.audit('list', '--user', 'admin', '--limit', '3');
  assert.deepEqual([status, stderr], [0, 'There are more than these 3: --limit shows more, a filter fewer.\n']);
  const [title = '', ...rows] = stdout.trimEnd().split('\n');
  assert.match(title, /^TIME +ACTION +OUTCOME +REASON +CALLER +DATABASE +GRANT +ID$/);
  assert.deepEqual(
    rows.map((row) => row.split(/ {2,}/)),
    [29, 27, 25].map((number) => {
      const { time = 0, id = '' } = records[number - 1] ?? {};
      const who = [`cluster/caller-${number}`, 'orders/admin', 'payments-api', id];
      return [new Date(time).toISOString(), 'token.issue', 'issued', '-', ...who];
    }),
  );
  const filters: readonly (readonly [args: readonly string[], rows: number])[] = [
    [['--from', '10m', '--to', '5m'], 5],
    [['--from', new Date(now - 10.5 * MINUTE).toISOString(), '--action', 'token.issue'], 10],
    [['--caller', 'caller-7', '--issuer', 'cluster', '--database', 'orders'], 1],
    [['--endpoint', 'writer', '--grant', 'payments-api', '--outcome', 'issued'], 30],
    [['--observed', 'no-nights', '--user', 'admin'], 15],
    [['--observed', 'no'], 0],
    [['--caller', 'caller'], 0],
  ];
  for (const [args, expected] of filters) {
    const listed = await folder.audit('list', ...args);
    assert.deepEqual([listed.status, listed.stderr], [0, expected === 0 ? 'No record matches.\n' : '']);
    assert.equal(listed.stdout.trimEnd().split('\n').length - 1, expected, args.join(' '));
  }
});

test('audit list shows control and bidirectional characters as text', async (t) => {
  const odd = '\u001b]0;title\u0007\u009b2J\u202egnp\u2066\u200b\n\r\0\u2028';
  const folder = await auditFolder(t, [
    auditRecord({ subject: odd, database: odd, user: odd, issuer: odd, grant: odd, reason: odd, outcome: 'refused' }),
  ]);
  const { stdout } = await folder.audit('list', '--outcome', 'refused');
  // oxlint-disable-next-line no-control-regex -- they are what must not be there
  assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/);
  assert.match(stdout, /\\u\{1b\}\]0;title\\u\{7\}\\u\{9b\}2J\\u\{202e\}gnp\\u\{2066\}/);
  assert.equal(stdout.trimEnd().split('\n').length, 2);
});

test('a refused flood shows how many refusals one record stands for', async (t) => {
  const folder = await auditFolder(t, [auditRecord({ outcome: 'refused', reason: 'not_granted', repeated: 37 })]);
  assert.match((await folder.audit('list', '--outcome', 'refused')).stdout, / refused x37 +not_granted /);
});

test('audit list is recorded before it shows anything: who read, and what was asked for', async (t) => {
  const folder = await auditFolder(t, [auditRecord()]);
  const { stdout } = await folder.audit('list', '--database', 'orders', '--limit', '5');
  const read = readSqliteRecords(folder.store).find((record) => record.action !== 'token.issue');
  const { instance, issuer, subject, action, outcome, detail } = read ?? assert.fail('it is not recorded');
  const user = userInfo().username;
  assert.deepEqual([instance, issuer, subject], ['pod-1-cli', 'command-line', user]);
  assert.deepEqual([action, outcome], ['audit.list', 'answered']);
  assert.deepEqual(JSON.parse(detail ?? ''), { database: 'orders', limit: 5, format: 'table' });
  assert.ok(!stdout.includes('audit.list'), 'the filter holds for the record of the reading too');
  assert.equal((await folder.audit('verify')).status, 0);
});

test('where the reading cannot be recorded nothing is shown; --unrecorded reads a copy without a record', async (t) => {
  const folder = await auditFolder(t, [auditRecord()]);
  const key = join(folder.path, 'data', 'checkpoint-key.pem');
  renameSync(key, `${key}.away`);
  const refused = await folder.audit('list');
  assert.deepEqual([refused.status, refused.stdout], [1, '']);
  assert.match(refused.stderr, /^Nothing is shown, .* cannot use the checkpoint key .*\.\n.*--unrecorded/);
  const read = await folder.audit('list', '--unrecorded');
  assert.deepEqual([read.status, read.stderr], [0, 'This reading is not recorded.\n']);
  assert.match(read.stdout, /orders\/app_rw/);
  assert.equal(readSqliteRecords(folder.store).length, 1);
  renameSync(`${key}.away`, key);
  rmSync(folder.store);
  const missing = await folder.audit('list');
  assert.deepEqual([missing.status, missing.stdout], [1, '']);
  assert.equal(missing.stderr, `there is no audit store at ${folder.store}\n`);
});

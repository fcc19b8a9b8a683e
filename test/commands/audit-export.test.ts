import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvHeader } from '../../src/issuance/audit-csv.ts';
import { auditFolder } from '../support/audit-folder.ts';
import { auditRecord } from '../support/audit-records.ts';
import { assertRecord } from '../support/contract.ts';
import { readSqliteRecords } from '../support/sqlite-records.ts';

/** More than two pages. */
const COUNT = 1_203;

test('audit export writes every record of a filter in each form, newest first, and is recorded', async (t) => {
  const start = Date.now() - COUNT * 1_000;
  const records = Array.from({ length: COUNT }, (_, at) =>
    auditRecord({ time: start + at * 1_000, subject: at === 3 ? '=cmd()\n"x"' : 'caller' }),
  );
  const folder = await auditFolder(t, records);
  const newest = records.map(({ id }) => id).toReversed();
  const only = ['--issuer', 'cluster'];

  const ndjson = await folder.audit('export', ...only);
  assert.deepEqual([ndjson.status, ndjson.stderr], [0, '']);
  const lines = ndjson.stdout.trimEnd().split('\n');
  lines.forEach(assertRecord);
  assert.deepEqual(idsOf(lines.map((line) => JSON.parse(line))), newest);

  const json = await folder.audit('export', ...only, '--format', 'json');
  const all = JSON.parse(json.stdout);
  assert.deepEqual(
    all,
    lines.map((line) => JSON.parse(line)),
  );

  const csv = await folder.audit('export', ...only, '--format', 'csv');
  assert.ok(csv.stdout.startsWith(csvHeader()));
  // One cell has a line break of its own.
  assert.equal(csv.stdout.trimEnd().split('\r\n').length, COUNT + 1);
  assert.match(csv.stdout, /,"'=cmd\(\)\n""x""",/);

  const events = (await folder.audit('export', ...only, '--format', 'cloudevents')).stdout.trimEnd().split('\n');
  assert.deepEqual(idsOf(events.map((line) => JSON.parse(line))), newest);
  assert.deepEqual(
    events.map((line) => JSON.parse(line).data),
    all,
  );

  const ocsf = (await folder.audit('export', ...only, '--format', 'ocsf')).stdout.trimEnd().split('\n');
  assert.deepEqual(
    ocsf.map((line) => JSON.parse(line).metadata.uid),
    newest,
  );

  const readings = readSqliteRecords(folder.store).filter(({ action }) => action === 'audit.export');
  assert.deepEqual(
    readings.map(({ detail }) => JSON.parse(detail ?? '').format),
    ['ndjson', 'json', 'csv', 'cloudevents', 'ocsf'],
  );
});

test('an export of nothing is an empty one of its form', async (t) => {
  const folder = await auditFolder(t, [auditRecord()]);
  const empty = async (format: string) => {
    const { status, stdout } = await folder.audit('export', '--user', 'nobody', '--format', format);
    assert.equal(status, 0);
    return stdout;
  };
  assert.equal(await empty('ndjson'), '');
  assert.deepEqual(JSON.parse(await empty('json')), []);
  assert.equal(await empty('csv'), csvHeader());
  assert.equal(await empty('ocsf'), '');
});

function idsOf(records: readonly { readonly id: string }[]): string[] {
  return records.map(({ id }) => id);
}

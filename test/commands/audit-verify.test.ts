import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { auditFolder } from '../support/audit-folder.ts';
import { auditRecord } from '../support/audit-records.ts';
import { runProgram } from '../support/service-process.ts';

const records = (count: number) =>
  Array.from({ length: count }, (_, at) => auditRecord({ subject: `caller ${at + 1}` }));

function change(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

test('audit verify says of an untouched store that it is good, with status 0, and shows no record', async (t) => {
  const folder = await auditFolder(t, records(30));
  const log = join(folder.path, 'service.log');
  writeFileSync(log, folder.printed.join('\n'));
  const { status, stdout, stderr } = await folder.audit('verify', '--checkpoints', log);
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^pod-1: 30 records, 1\.\.30, \d+ checkpoints?, last at 20\d\d-\S+Z, \d+ printed: good\n$/);
  const again = await folder.audit('verify', '--json');
  const { good, instances, findings } = JSON.parse(again.stdout);
  assert.deepEqual([again.status, good, findings, instances.length], [0, true, [], 1]);
  assert.deepEqual([instances[0].records, instances[0].first, instances[0].last], [30, 1, 30]);
});

test('audit verify names an edited record, with status 1, as text and as JSON', async (t) => {
  const folder = await auditFolder(t, records(30));
  change(folder.store, `UPDATE audit_records SET port = 1 WHERE sequence = 7`);
  const { status, stdout } = await folder.audit('verify');
  assert.equal(status, 1);
  assert.match(stdout, /^pod-1: 30 records, .*: 1 finding\n {2}record 7 \([0-9a-f-]{36}\) is not what was written/);
  assert.ok(!stdout.includes('caller'));
  const json = JSON.parse((await folder.audit('verify', '--json')).stdout);
  assert.equal(json.good, false);
  const [{ kind, sequence, sentence }] = json.instances[0].findings;
  assert.deepEqual([kind, sequence], ['record_edited', 7]);
  assert.match(sentence, /^record 7 /);
});

test('audit verify finds a store that was taken back, and one that is gone, by printed checkpoints', async (t) => {
  const folder = await auditFolder(t, records(10));
  const earlier = join(folder.path, 'earlier.db');
  copyFileSync(folder.store, earlier);
  await folder.write(records(10));
  const log = join(folder.path, 'service.log');
  writeFileSync(log, folder.printed.join('\n'));
  copyFileSync(earlier, folder.store);
  assert.equal((await folder.audit('verify')).status, 0);
  const back = await folder.audit('verify', '--checkpoints', log);
  assert.equal(back.status, 1);
  assert.match(
    back.stdout,
    /records 11 to 20 were cut off from the end: the checkpoint of size 20 in .*service\.log:\d+/,
  );
  rmSync(folder.store);
  const { status, stderr } = await folder.audit('verify', '--checkpoints', log);
  assert.equal(status, 1);
  assert.match(stderr, /^there is no audit store at .*nothing is proven\.\n$/s);
});

test('audit verify trusts the keys it is given, as text or in a file, and no others then', async (t) => {
  const folder = await auditFolder(t, records(3));
  rmSync(join(folder.path, 'data', 'checkpoint-key.pem'));
  assert.match((await folder.audit('verify')).stderr, /^cannot use the checkpoint key/);
  assert.equal((await folder.audit('verify', '--verifier-key', folder.verifierKey)).status, 0);
  const file = join(folder.path, 'keys');
  writeFileSync(file, `# of the pods\n\n${folder.verifierKey}\n`);
  assert.equal((await folder.audit('verify', '--verifier-key', file)).status, 0);
  const other = await auditFolder(t, records(1));
  const wrong = await folder.audit('verify', '--verifier-key', other.verifierKey);
  assert.equal(wrong.status, 1);
  assert.match(wrong.stdout, /it has no valid signature of this key/);
  const none = await folder.audit('verify', '--verifier-key', 'no key');
  assert.match(none.stderr, /--verifier-key no key is neither a file nor a key/);
});

test('audit verify takes a key for a key, also where a file has its name', async (t) => {
  const [folder, other] = [await auditFolder(t, records(3)), await auditFolder(t, records(1))];
  const planted = join(folder.path, other.verifierKey);
  mkdirSync(dirname(planted), { recursive: true });
  writeFileSync(planted, folder.verifierKey);
  const args = ['audit', 'verify', '--config', folder.config, '--verifier-key', other.verifierKey];
  const { status, stdout } = await runProgram(t, args, {}, folder.path).ended;
  assert.equal(status, 1);
  assert.match(stdout, /it has no valid signature of this key/);
});

test('audit verify lets no text of the store reach the terminal as it is', async (t) => {
  const folder = await auditFolder(t, records(3));
  change(folder.store, `CREATE VIEW "odd\u001b[2J\u202e" AS SELECT 1`);
  const { status, stdout } = await folder.audit('verify');
  assert.equal(status, 1);
  assert.match(stdout, /^the store was changed: the view odd\\u\{1b\}\[2J\\u\{202e\} is not/m);
});

test('audit verify --json escapes in texts of the store what moves a terminal, and they say the same', async (t) => {
  const folder = await auditFolder(t, records(3));
  const odd = 'odd\u001b\u007f\u009b\u202e\u200b\u{e0041}';
  change(folder.store, `CREATE VIEW "${odd}" AS SELECT 1`);
  const { stdout } = await folder.audit('verify', '--json');
  assert.ok(stdout.includes('odd\\u001b\\u007f\\u009b\\u202e\\u200b\\udb40\\udc41 is not'));
  assert.match(stdout, /^[ -~]+\n$/);
  assert.ok(JSON.parse(stdout).findings[0].says.includes(odd));
});

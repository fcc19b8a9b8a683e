import assert from 'node:assert/strict';
import { chownSync, existsSync, readdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import { auditRecord } from '../support/audit-records.ts';
import { auditSetup, testDirectory } from '../support/audit-setup.ts';
import { writeServiceFiles } from '../support/running-service.ts';
import { runProgram } from '../support/service-process.ts';

const ROTATE = 1024 * 1024;
const SOMEBODY = 4_711;
const skip = userInfo().uid === 0 ? false : 'only root can give files to another user';

/** A `file` store with one record, as the service of this user leaves it. */
async function fileFolder(t: TestContext) {
  const path = testDirectory(t);
  const directory = join(path, 'data', 'audit');
  writeServiceFiles(path, (text) => `${text}audit: { instance: pod-1, store: { type: file } }\n`);
  const log = await openAuditLog(auditSetup({ type: 'file', directory, rotateSize: ROTATE }, join(path, 'data')));
  await log.record(auditRecord());
  await log.close();
  const config = join(path, 'config.yaml');
  const list = (...args: readonly string[]) => runProgram(t, ['audit', 'list', '--config', config, ...args]).ended;
  return { directory, list };
}

function giveTo(user: number, directory: string): void {
  chownSync(directory, user, user);
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    chownSync(join(directory, name), user, user);
  }
}

test('audit list of a file store is recorded there by the user of the service', async (t) => {
  const { directory, list } = await fileFolder(t);
  const { status, stdout, stderr } = await list();
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /orders\/app_rw/);
  assert.deepEqual(readdirSync(directory), ['pod-1', 'pod-1-cli']);
});

test('root writes nothing into a file store of another user, and is told who should read it', { skip }, async (t) => {
  const { directory, list } = await fileFolder(t);
  giveTo(SOMEBODY, directory);
  const { status, stdout, stderr } = await list();
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /^Nothing is shown, .* belongs to the user 4711, .*\(sudo -u '#4711' …\)\.\n/);
  assert.ok(!existsSync(join(directory, 'pod-1-cli')));
  assert.match((await list('--unrecorded')).stdout, /orders\/app_rw/);
});

test("a volume that is root's does not hide whose the records in it are, nor does a mistake made earlier", {
  skip,
}, async (t) => {
  const { directory, list } = await fileFolder(t);
  assert.equal((await list()).status, 0);
  giveTo(SOMEBODY, join(directory, 'pod-1'));
  assert.match((await list()).stderr, /belongs to the user 4711/);
});

test("a service that is root has its readings recorded by root, also in another user's directory", {
  skip,
}, async (t) => {
  const { directory, list } = await fileFolder(t);
  chownSync(directory, SOMEBODY, SOMEBODY);
  assert.equal((await list()).status, 0);
});

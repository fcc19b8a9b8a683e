import assert from 'node:assert/strict';
import { appendFileSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Asking, startAsking, unfit } from '../support/asking.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { mintJwt, writeServiceFiles } from '../support/running-service.ts';
import { runProgram } from '../support/service-process.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { assertVerifies } from '../support/verify-store.ts';

const MEBIBYTE = 1024 * 1024;

const STORES = {
  sqlite: (disk: string) => `{ type: sqlite, path: "${disk}/data/audit.db" }`,
  file: (disk: string) => `{ type: file, directory: "${disk}/data", rotateSize: 1MiB }`,
};

type Service = { readonly disk: SmallDisk; readonly folder: string; readonly asking: Asking };

async function serveOnSmallDisk(t: TestContext, kind: keyof typeof STORES, reserve: string): Promise<Service> {
  const folder = testDirectory(t);
  const disk = mountSmallDisk(t, 48);
  const audit = `audit: { store: ${STORES[kind](disk.path)}, diskReserve: ${reserve} }\n`;
  const key = writeServiceFiles(folder, (text) => `${text.replaceAll('1000/s', '100000/s')}${audit}`);
  const authorization = `Bearer ${await mintJwt(key, {})}`;
  const { listening } = runProgram(t, ['--config', join(folder, 'config.yaml')]);
  const asking = startAsking(await listening, authorization, 8);
  t.after(() => asking.stop());
  await asking.next(201);
  return { disk, folder, asking };
}

/** Takes room until so many bytes are left, or a write fails. */
function fill(path: string, left: number): void {
  const chunk = Buffer.alloc(64 * 1024);
  for (;;) {
    const { bavail, bsize } = statfsSync(path);
    if (bavail * bsize <= left) return;
    try {
      appendFileSync(join(path, 'filler'), chunk);
    } catch {
      return;
    }
  }
}

async function assertRecovers(t: TestContext, { asking, folder }: Service, since: number): Promise<void> {
  const { at } = await asking.next(201);
  t.diagnostic(`tokens again ${(at - since).toFixed(0)} ms after the fault went`);
  assert.ok(at - since < 5_000);
  await sleep(300);
  await asking.stop();
  const refused = asking.answers.filter(({ status }) => status === 503);
  t.diagnostic(`${refused.length} times 503, the slowest ${Math.max(...refused.map(({ ms }) => ms)).toFixed(0)} ms`);
  // A second, and what a busy machine takes to deliver it.
  assert.deepEqual(unfit(asking.answers, 1_500), []);
  await assertVerifies(t, folder);
}

for (const kind of ['sqlite', 'file'] as const) {
  test(`${kind}: issuing stops while the configured reserve remains on the disk, and goes on by itself with room`, async (t) => {
    const service = await serveOnSmallDisk(t, kind, '16MiB');
    fill(service.disk.path, 17 * MEBIBYTE);
    await service.asking.next(503);
    const { bavail, bsize } = statfsSync(service.disk.path);
    assert.ok(bavail * bsize > 12 * MEBIBYTE, 'most of the reserve is still there');
    await sleep(1_000);
    rmSync(join(service.disk.path, 'filler'));
    await assertRecovers(t, service, performance.now());
  });

  test(`${kind}: a full disk is 503 within a second, loses nothing, and goes on by itself with room`, async (t) => {
    const service = await serveOnSmallDisk(t, kind, '0MiB');
    fill(service.disk.path, 0);
    await service.asking.next(503);
    await sleep(2_000);
    assert.equal(service.asking.answers.at(-1)?.status, 503);
    rmSync(join(service.disk.path, 'filler'));
    await assertRecovers(t, service, performance.now());
  });

  test(`${kind}: a disk that does not answer is 503 within a second, and nothing hangs when it does again`, async (t) => {
    const service = await serveOnSmallDisk(t, kind, '0MiB');
    service.disk.freeze();
    await service.asking.next(503);
    await sleep(5_000);
    assert.equal(service.asking.answers.at(-1)?.status, 503);
    service.disk.thaw();
    await assertRecovers(t, service, performance.now());
  });

  test(`${kind}: a disk that turns read-only is 503 within a second, and no token leaves any more`, async (t) => {
    const service = await serveOnSmallDisk(t, kind, '0MiB');
    service.disk.failReadOnly();
    const turned = performance.now();
    await service.asking.next(503);
    await sleep(2_000);
    await service.asking.stop();
    const after = service.asking.answers.filter(({ at, ms }) => at - ms > turned + 100);
    assert.deepEqual(new Set(after.map(({ status }) => status)), new Set([503]));
    assert.deepEqual(unfit(service.asking.answers, 1_500), []);
  });
}

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answered, type Asking, startAsking, unfit } from '../support/asking.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { mintJwt, writeServiceFiles } from '../support/running-service.ts';
import { runProgram } from '../support/service-process.ts';
import { assertVerifies } from '../support/verify-store.ts';

const INSTANCES = ['pod-1', 'pod-2'];

type Replicas = {
  readonly server: PostgresServer;
  readonly database: string;
  readonly folders: readonly string[];
  readonly asking: readonly Asking[];
};

/** Two instances of the service on one real PostgreSQL, each under load. */
async function serveReplicas(t: TestContext): Promise<Replicas> {
  const server = await startPostgres();
  t.after(() => server.remove());
  const database = await server.createDatabase();
  const store = JSON.stringify(server.storeConfig(database));
  // Replicas share the key, as they would a Secret.
  const checkpointKeyFile = join(testDirectory(t), 'checkpoint-key.pem');
  const replicas = INSTANCES.map(async (instance) => {
    const folder = testDirectory(t);
    const audit = `audit: { store: ${store}, instance: ${instance}, checkpointKeyFile: ${checkpointKeyFile} }\n`;
    const key = writeServiceFiles(folder, (text) => `${text.replaceAll('1000/s', '100000/s')}${audit}`);
    const { listening } = runProgram(t, ['--config', join(folder, 'config.yaml')]);
    const asking = startAsking(await listening, `Bearer ${await mintJwt(key, {})}`, 6);
    t.after(() => asking.stop());
    await asking.next(201);
    return { folder, asking };
  });
  const started = await Promise.all(replicas);
  return {
    server,
    database,
    folders: started.map(({ folder }) => folder),
    asking: started.map(({ asking }) => asking),
  };
}

const onEach = (asking: readonly Asking[], status: number) => Promise.all(asking.map((each) => each.next(status)));

/** Each token that a client received has its record, both chains verify, and nobody waited much longer than a second. */
async function assertSound(t: TestContext, { server, database, folders, asking }: Replicas): Promise<void> {
  await Promise.all(asking.map((each) => each.stop()));
  const answers = asking.flatMap((each): readonly Answered[] => each.answers);
  const refused = answers.filter(({ status }) => status === 503);
  t.diagnostic(
    `${answers.length - refused.length} tokens, ${refused.length} times 503, the slowest ` +
      `${Math.max(0, ...refused.map(({ ms }) => ms)).toFixed(0)} ms`,
  );
  // A second, and what a busy machine takes to deliver it.
  assert.deepEqual(unfit(answers, 1_500), []);
  const rows = await server.query(database, 'SELECT id FROM rtv_audit.records');
  const recorded = new Set(rows.map(({ id }) => id));
  const lost = answers.filter(({ status, auditId }) => status === 201 && !recorded.has(auditId));
  assert.deepEqual(lost, []);
  const instances = await server.query(database, 'SELECT DISTINCT instance FROM rtv_audit.records ORDER BY instance');
  assert.deepEqual(
    instances.map(({ instance }) => instance),
    INSTANCES,
  );
  await assertVerifies(t, folders[0] ?? '');
}

async function assertRecovers(t: TestContext, replicas: Replicas): Promise<void> {
  const since = performance.now();
  const first = await onEach(replicas.asking, 201);
  const took = Math.max(...first.map(({ at }) => at - since));
  t.diagnostic(`both issue again ${took.toFixed(0)} ms after the fault went`);
  assert.ok(took < 5_000);
  await sleep(500);
  await assertSound(t, replicas);
}

test('PostgreSQL stopped under load of two instances: 503 within a second, and both go on when it is back', async (t) => {
  const replicas = await serveReplicas(t);
  await replicas.server.stop();
  await onEach(replicas.asking, 503);
  await sleep(3_000);
  await replicas.server.start();
  await assertRecovers(t, replicas);
});

test('PostgreSQL crashed and restarted under load of two instances, three times', async (t) => {
  const replicas = await serveReplicas(t);
  for (let round = 0; round < 3; round++) {
    await sleep(Math.random() * 500);
    await replicas.server.crash();
    await replicas.server.start();
    await onEach(replicas.asking, 201);
  }
  await assertRecovers(t, replicas);
});

test('PostgreSQL paused under load of two instances: 503 within a second, nothing hangs, both go on', async (t) => {
  const replicas = await serveReplicas(t);
  replicas.server.pause();
  await onEach(replicas.asking, 503);
  await sleep(10_000);
  for (const { answers } of replicas.asking) assert.equal(answers.at(-1)?.status, 503);
  replicas.server.resume();
  await assertRecovers(t, replicas);
});

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { auditRecord } from '../support/audit-records.ts';
import { day, dayName, daysThere, makeDays } from '../support/postgres-days.ts';
import { EACH_DAY, fillDays, HOUR, retire, sequences, tenDays } from '../support/postgres-retirement.ts';
import { findingsIn, openPostgresTrail, postgresReader } from '../support/postgres-trail.ts';
import { startPostgres } from '../support/postgres-server.ts';

const server = await startPostgres();
after(() => server.remove());

test('records before the time go up to a kept checkpoint, with their partitions, and the rest verifies', async (t) => {
  const { database, config, trail } = await tenDays(t, server);
  await retire(trail.store, day(-4) + HOUR);
  assert.deepEqual(await sequences(server, database), ['pod-1:181-300/120']);
  const days = await daysThere(server, database);
  assert.deepEqual(
    days,
    [-4, -3, -2, -1, 0, 1, 2].map((from) => dayName(day(from))),
  );
  const reader = await postgresReader(t, config);
  const [chain] = await reader.chains();
  assert.deepEqual([chain?.anchor?.sequence, chain?.head?.sequence], [180, 300]);
  assert.deepEqual(
    (await reader.checkpoints('pod-1', 0, 100)).map(({ size }) => size),
    [180, 210, 240, 270, 300],
  );
  assert.deepEqual(await findingsIn(reader), []);
  await trail.add(auditRecord({ time: Date.now() }));
  assert.deepEqual(await findingsIn(reader), []);
});

test('what was removed is all that could be: no record before the time is left behind a kept checkpoint', async (t) => {
  const { database, trail } = await tenDays(t, server);
  // In the middle of a commit: its records stay, for no checkpoint is between them.
  await retire(trail.store, day(-4) + 12 * HOUR + EACH_DAY / 2);
  assert.deepEqual(await sequences(server, database), ['pod-1:181-300/120']);
  await retire(trail.store, day(-4) + 12 * HOUR + EACH_DAY);
  assert.deepEqual(await sequences(server, database), ['pod-1:211-300/90']);
});

test('without a retention nothing goes', async (t) => {
  const { database, trail } = await tenDays(t, server);
  assert.equal(await trail.store.tidy(null), false);
  assert.deepEqual(await sequences(server, database), ['pod-1:1-300/300']);
});

test('chains of instances that are gone are retired to their end, and go on when one comes back', async (t) => {
  const { database, config, trail } = await tenDays(t, server);
  const clock = { now: 0 };
  const gone = await openPostgresTrail(t, config, { instance: 'pod-2', now: () => clock.now });
  await fillDays(gone, clock, 'pod-2');
  // Its last records have no kept checkpoint: it was killed.
  await gone.add(auditRecord({ time: clock.now + 100 }));
  await gone.store.close();
  await retire(trail.store, day(0));
  assert.deepEqual(await sequences(server, database), []);
  assert.deepEqual(
    await daysThere(server, database),
    [0, 1, 2].map((from) => dayName(day(from))),
  );
  const reader = await postgresReader(t, config);
  const chains = (await reader.chains()).map(({ instance, anchor, head }) => [
    instance,
    anchor?.sequence,
    head?.sequence,
  ]);
  assert.deepEqual(chains, [
    ['pod-1', 300, 300],
    ['pod-2', 301, 301],
  ]);
  assert.deepEqual(await findingsIn(reader), []);
  const back = await openPostgresTrail(t, config, { instance: 'pod-2' });
  await back.add(auditRecord({ time: Date.now() }));
  assert.deepEqual(await sequences(server, database), ['pod-2:302-302/1']);
  assert.deepEqual(await findingsIn(reader), []);
  await retire(trail.store, day(1));
  assert.deepEqual(await sequences(server, database), []);
  assert.deepEqual(await findingsIn(reader), []);
});

test('records of a wrong clock go too, from the default partition', async (t) => {
  const { database, config } = await tenDays(t, server);
  const clock = { now: 1_000_000_000_000 };
  const trail = await openPostgresTrail(t, config, { instance: 'pod-3', now: () => clock.now });
  await trail.add(auditRecord({ time: 1_000_000_000_000 }), auditRecord({ time: 1_000_000_000_001 }));
  clock.now = Date.now();
  await trail.add(auditRecord({ time: clock.now }));
  await retire(trail.store, day(-20));
  assert.deepEqual(await sequences(server, database), ['pod-1:1-300/300', 'pod-3:3-3/1']);
  assert.deepEqual(await findingsIn(await postgresReader(t, config)), []);
});

test('a record younger than those behind it holds them back', async (t) => {
  const database = await server.createDatabase();
  const config = server.storeConfig(database);
  const clock = { now: 0 };
  const trail = await openPostgresTrail(t, config, { now: () => clock.now });
  for (const [index, time] of [day(-9), day(-1), day(-9)].entries()) {
    clock.now = (index + 1) * 10_000;
    await trail.add(auditRecord({ time }));
  }
  await retire(trail.store, day(-5));
  assert.deepEqual(await sequences(server, database), ['pod-1:2-3/2']);
  assert.deepEqual(await findingsIn(await postgresReader(t, config)), []);
});

test('many records go in slices, between which others are written', async (t) => {
  const database = await server.createDatabase();
  const config = server.storeConfig(database);
  const trail = await openPostgresTrail(t, config);
  await makeDays(config, [day(-9)]);
  const old = () => Array.from({ length: 1_000 }, (_, i) => auditRecord({ time: day(-9) + i }));
  for (let i = 0; i < 12; i++) await trail.add(...old());
  let slices = 0;
  for (; await trail.store.tidy(day(-5)); slices++) await trail.add(auditRecord({ time: Date.now() }));
  assert.ok(slices >= 1);
  assert.deepEqual(await sequences(server, database), [`pod-1:12001-${12_000 + slices}/${slices}`]);
  assert.deepEqual(await findingsIn(await postgresReader(t, config)), []);
});

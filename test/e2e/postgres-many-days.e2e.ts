import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { auditRecord } from '../support/audit-records.ts';
import { DAY, day, makeDays } from '../support/postgres-days.ts';
import { openPostgresTrail, postgresReader } from '../support/postgres-trail.ts';
import { startPostgres } from '../support/postgres-server.ts';

const server = await startPostgres();
after(() => server.remove());

describe('over many days', () => {
  /** One record on every second of 100 days, some of which have no partition. */
  async function spread(t: Parameters<typeof openPostgresTrail>[0]) {
    const config = server.storeConfig(await server.createDatabase());
    const trail = await openPostgresTrail(t, config);
    await makeDays(
      config,
      Array.from({ length: 20 }, (_, i) => day(-4 * i - 6)),
    );
    const records = Array.from({ length: 50 }, (_, i) => auditRecord({ time: day(-2 * (50 - i)) + i }));
    await trail.add(...records);
    return { trail, records, reading: await postgresReader(t, config) };
  }

  test('pages lose and repeat nothing while records come and partitions with them', async (t) => {
    const { trail, records, reading } = await spread(t);
    const found: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await reading.page({ filter: { issuer: 'cluster' }, limit: 7, cursor });
      found.push(...page.events.map((line): string => JSON.parse(line).id));
      await trail.add(auditRecord({ time: Date.now() }));
      if (page.next === null) break;
      cursor = page.next;
    }
    assert.deepEqual(found, records.map(({ id }) => id).toReversed());
  });

  test('a time range is exact to the millisecond', async (t) => {
    const { records, reading } = await spread(t);
    const [first, last] = [records[10] ?? assert.fail(), records[30] ?? assert.fail()];
    const ids = async (from: number, to: number) =>
      (await reading.page({ filter: { from, to }, limit: 100 })).events.map((line): string => JSON.parse(line).id);
    const inside = records.slice(10, 30).map(({ id }) => id);
    assert.deepEqual(await ids(first.time, last.time), inside.toReversed());
    assert.deepEqual(await ids(first.time + 1, last.time + 1), [last.id, ...inside.slice(1).toReversed()]);
    assert.deepEqual(await ids(-5, Number.MAX_SAFE_INTEGER), records.map(({ id }) => id).toReversed());
    assert.deepEqual(await ids(last.time, first.time), []);
  });

  test('the chain is read in its order over all partitions, in pages of any size', async (t) => {
    const { trail, reading } = await spread(t);
    await trail.add(...Array.from({ length: 20 }, (_, i) => auditRecord({ time: day(-1) - i * 3 * DAY })));
    for (const limit of [1, 7, 64, 1_000]) {
      const sequences: number[] = [];
      for (let after = 0; ; after = sequences.at(-1) ?? 0) {
        const records = await reading.records('pod-1', after, limit);
        if (records.length === 0) break;
        sequences.push(...records.map(({ sequence }) => sequence));
      }
      assert.deepEqual(
        sequences,
        Array.from({ length: 70 }, (_, i) => i + 1),
      );
    }
  });
});

test('texts longer than an index can hold are told apart', async (t) => {
  const config = server.storeConfig(await server.createDatabase());
  const trail = await openPostgresTrail(t, config);
  const long = Array.from({ length: 6_000 }, (_, i) => String.fromCodePoint(0x1f600 + ((i * 7919) % 60))).join('');
  const subjects = [long, `${long}x`, long.slice(0, 510), long.slice(0, 508)];
  for (const subject of subjects) await trail.add(auditRecord({ subject, user: subject, database: subject }));
  const reading = await postgresReader(t, config);
  for (const subject of subjects) {
    for (const filter of [{ subject }, { user: subject, database: subject }]) {
      const { events } = await reading.page({ filter, limit: 10 });
      assert.deepEqual(
        events.map((line) => JSON.parse(line).subject),
        [subject],
      );
    }
  }
});

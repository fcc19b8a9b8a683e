import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Store } from '../../src/audit/store.ts';
import { auditRecord } from './audit-records.ts';
import { day, makeDays } from './postgres-days.ts';
import type { PostgresConfig, PostgresServer } from './postgres-server.ts';
import { openPostgresTrail, type PostgresTrail } from './postgres-trail.ts';

export const HOUR = 3_600_000;
/** Records of each day, one commit. */
export const EACH_DAY = 30;

export type TenDays = { readonly database: string; readonly config: PostgresConfig; readonly trail: PostgresTrail };

/** One commit of `EACH_DAY` records on each of the last ten days, and none today. Each checkpoint is kept. */
export async function fillDays(trail: PostgresTrail, clock: { now: number }, instance = 'pod-1'): Promise<void> {
  for (let ago = -10; ago < 0; ago++) {
    clock.now = day(ago) + 12 * HOUR;
    const records = Array.from({ length: EACH_DAY }, (_, i) => auditRecord({ time: clock.now + i, subject: instance }));
    await trail.add(...records);
  }
}

export async function tenDays(t: TestContext, server: PostgresServer): Promise<TenDays> {
  const database = await server.createDatabase();
  const config = server.storeConfig(database);
  const clock = { now: 0 };
  const trail = await openPostgresTrail(t, config, { now: () => clock.now });
  await makeDays(config, [day(-9), day(-6), day(-3)]);
  await fillDays(trail, clock);
  return { database, config, trail };
}

/** Until nothing is left to do; how many slices had more after them. */
export async function retire(store: Store, before: number): Promise<number> {
  for (let slices = 0; ; slices++) {
    if (!(await store.tidy(before))) return slices;
    assert.ok(slices < 1_000);
  }
}

/** The sequence numbers there are of each instance, `INSTANCE:FIRST-LAST/COUNT`. */
export async function sequences(server: PostgresServer, database: string): Promise<string[]> {
  const rows = await server.query(
    database,
    `SELECT instance || ':' || min(sequence) || '-' || max(sequence) || '/' || count(*) AS range
      FROM rtv_audit.records GROUP BY instance ORDER BY instance`,
  );
  return rows.map(({ range }) => String(range));
}

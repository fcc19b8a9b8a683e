import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditStore } from '../../src/audit/audit-store.ts';
import { openReader } from '../../src/audit/open-store.ts';
import type { StoreReader } from '../../src/audit/store.ts';
import type { AuditFilter } from '../../src/issuance/audit-query.ts';
import { startPostgres } from '../../test/support/postgres-server.ts';
import { medianOf } from '../median.ts';
import { fillPostgres } from './fill-postgres.ts';
import { fillStore, FIRST_TIME, RARE, TIME_SPAN } from './fill-store.ts';

const LIMIT = 100;
const REPEATS = 15;

const middle = FIRST_TIME + TIME_SPAN / 2;
const day = 86_400_000;

const QUERIES: readonly (readonly [what: string, filter: AuditFilter])[] = [
  ['everything', {}],
  ['one database of five', { database: 'orders' }],
  ['one user of 200', { user: 'app_7' }],
  ['one caller of 500', { subject: 'system:serviceaccount:payments:api-7' }],
  ['one issuer of three', { issuer: 'corp' }],
  ['one endpoint of two', { endpoint: 'reader' }],
  ['one grant of 20', { grant: 'grant-7' }],
  ['an observing grant, 1 in 1,500', { observed: 'watched-1' }],
  ['an observing grant of nothing', { observed: 'nothing' }],
  ['outcome refused, one in 50', { outcome: 'refused' }],
  ['outcome failed, one in 1,000', { outcome: 'failed' }],
  ['database and user', { database: 'orders', user: 'app_7' }],
  ['database and user, one month', { database: 'orders', user: 'app_7', from: middle, to: middle + 30 * day }],
  ['issuer, endpoint and outcome', { issuer: 'corp', endpoint: 'reader', outcome: 'refused' }],
  ['a rare user: 20 records', { user: RARE.user }],
  ['a rare user on a database', { database: 'orders', user: RARE.user }],
  ['a user that is nowhere', { user: 'nobody' }],
  ['two that never meet', { user: RARE.user, subject: 'system:serviceaccount:payments:api-7' }],
  ['one day in the middle', { from: middle, to: middle + day }],
];

/** Bytes of a record, and the time of a page of 100, over so many records in SQLite. */
export async function measureSqlite(records: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'rtv-bench-'));
  try {
    const path = join(directory, 'audit.db');
    const store = { type: 'sqlite', path } as const;
    await measureStore(
      store,
      records,
      () => fillStore(store, records),
      () => {
        const bytes = statSync(path).size / records;
        console.log(`  bytes a record, indexes and checkpoints included: ${bytes.toFixed(0)}; goal: under 500`);
      },
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The same in PostgreSQL. */
export async function measurePostgres(records: number): Promise<void> {
  const server = await startPostgres({ settings: { shared_buffers: '512MB', max_wal_size: '4GB' } });
  try {
    const database = await server.createDatabase();
    const config = server.storeConfig(database);
    const fill = () => fillPostgres(server, config, records);
    await measureStore(config, records, fill, async () => {
      const [row] = await server.query(database, 'SELECT pg_database_size(current_database()) AS size');
      console.log(`  bytes a record, indexes included: ${(Number(row?.['size']) / records).toFixed(0)}`);
    });
  } finally {
    await server.remove();
  }
}

async function measureStore(
  store: AuditStore,
  records: number,
  fill: () => Promise<void>,
  whenFilled: () => void | Promise<void>,
): Promise<void> {
  const begun = performance.now();
  await fill();
  const seconds = (performance.now() - begun) / 1_000;
  console.log(
    `${store.type}: ${records} records, written in ${seconds.toFixed(0)} s (${(records / seconds).toFixed(0)}/s)`,
  );
  await whenFilled();
  const reader = await openReader(store);
  try {
    console.log(`  page of ${LIMIT}, ms          first    median   longest   records`);
    for (const [what, filter] of QUERIES) await measureQuery(reader, what, filter);
  } finally {
    await reader.close();
  }
}

async function measureQuery(reader: StoreReader, what: string, filter: AuditFilter): Promise<void> {
  const times: number[] = [];
  let cursor: string | undefined;
  let found = 0;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const begun = performance.now();
    const { events, next } = await reader.page({ filter, limit: LIMIT, cursor });
    times.push(performance.now() - begun);
    if (repeat === 0) found = events.length;
    // On through the pages: each is at a place that was not read before.
    cursor = next ?? undefined;
  }
  const cells = [times[0] ?? 0, medianOf(times), Math.max(...times)].map((time) => time.toFixed(1).padStart(9));
  console.log(`  ${what.padEnd(32)}${cells.join('')}${String(found).padStart(10)}`);
}

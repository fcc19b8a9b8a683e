import { parseArgs } from 'node:util';
import { measurePostgres, measureSqlite } from './pages.ts';
import { measureThroughput } from './throughput.ts';

/** What the audit costs: throughput, bytes a record, the time of a page. */
export async function measureAudit(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      records: { type: 'string', default: '10000000' },
      rounds: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '6' },
      only: { type: 'string' },
    },
  });
  const { only } = values;
  if (only === undefined || only === 'throughput') {
    await measureThroughput({ rounds: Number(values.rounds), seconds: Number(values.seconds) });
  }
  if (only === undefined || only === 'sqlite') await measureSqlite(Number(values.records));
  if (only === undefined || only === 'postgres') await measurePostgres(Number(values.records));
}

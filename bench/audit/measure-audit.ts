import { parseArgs } from 'node:util';
import { measurePages } from './pages.ts';
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
  if (values.only !== 'pages') {
    await measureThroughput({ rounds: Number(values.rounds), seconds: Number(values.seconds) });
  }
  if (values.only !== 'throughput') await measurePages(Number(values.records));
}

import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openFileReader } from '../../src/audit/file/file-reader.ts';
import type { StoreReader } from '../../src/audit/store.ts';
import type { AuditFilter } from '../../src/issuance/audit-query.ts';
import { auditRecord } from './audit-records.ts';
import { testDirectory } from './audit-setup.ts';
import { recordFiles } from './file-records.ts';
import { openFileTrail } from './file-trail.ts';

export const START = 1_790_000_000_000;
export const MINUTE = 60_000;

export function readTrail(directory: string): Promise<StoreReader> {
  return openFileReader({ type: 'file', directory, rotateSize: 1 });
}

export function idsOf(events: readonly string[]): string[] {
  return events.map((line) => JSON.parse(line).id);
}

/** All pages of a query; `between` runs after each. */
export async function walk(
  reader: StoreReader,
  filter: AuditFilter = {},
  limit = 50,
  between = async () => {},
): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await reader.page({ filter, limit, cursor });
    assert.ok(page.events.length <= limit);
    ids.push(...idsOf(page.events));
    if (page.next === null) return ids;
    cursor = page.next;
    await between();
  }
}

/** 6,000 records of one minute each in some 25 files, written up to two minutes out of the order of their times. */
export async function disorderedTrail(t: TestContext) {
  const directory = join(testDirectory(t), 'audit');
  const trail = await openFileTrail(t, directory, { rotateSize: 300_000 });
  const records = Array.from({ length: 6_000 }, (_, index) => {
    const late = index % 10 === 7 ? 2 * MINUTE : (index % 3) * 20_000;
    return auditRecord({ time: START + index * MINUTE - late, subject: `subject-${index % 500}` });
  });
  for (let at = 0; at < records.length; at += 40) await trail.add(...records.slice(at, at + 40));
  assert.ok(recordFiles(directory).length > 20);
  return { directory, trail, records, reader: await readTrail(directory) };
}

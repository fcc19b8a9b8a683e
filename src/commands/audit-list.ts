import { auditQueryText } from '../issuance/audit-query-text.ts';
import { FILTER_OPTIONS, readFilter } from './audit-filter.ts';
import { pagesOf, recordIn } from './audit-pages.ts';
import { openOnRecord, UNRECORDED_OPTION } from './audit-reading.ts';
import { type CommandContext, type ExitStatus, UsageError } from './command.ts';
import { CONFIG_OPTION, loadNamedConfig, readOptions } from './config-option.ts';
import { recordTable } from './record-table.ts';

const OPTIONS = {
  ...CONFIG_OPTION,
  ...UNRECORDED_OPTION,
  ...FILTER_OPTIONS,
  limit: { type: 'string', default: '50' },
} as const;

/** A table of more would be read by nobody; `audit export` has no limit. */
const MOST = 10_000;

/** `audit list`: a table of records, newest first. */
export async function auditList(context: CommandContext): Promise<ExitStatus> {
  const { config, limit: limitText, unrecorded = false, ...conditions } = readOptions(context, OPTIONS);
  const filter = readFilter(conditions, Date.now());
  const limit = readLimit(limitText);
  const loaded = loadNamedConfig(context, { config });
  if (loaded === undefined) return 1;
  const detail = auditQueryText({ filter, limit }, 'table');
  const reader = await openOnRecord(context, loaded, { action: 'audit.list', detail, unrecorded });
  try {
    const lines: string[] = [];
    // One more than is shown tells whether there are more.
    for await (const page of pagesOf(reader, filter, limit + 1)) lines.push(...page);
    for (const row of recordTable(lines.slice(0, limit).map(recordIn))) context.print(row);
    if (lines.length === 0) context.printError('No record matches.');
    if (lines.length > limit)
      context.printError(`There are more than these ${limit}: --limit shows more, a filter fewer.`);
  } finally {
    await reader.close();
  }
  return 0;
}

function readLimit(text: string): number {
  const limit = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : Infinity;
  if (limit > MOST) throw new UsageError(`--limit is a number from 1 to ${MOST}.`);
  return limit;
}

import { cloudEvent } from '../audit/export/cloud-event.ts';
import { ocsfEvent } from '../audit/export/ocsf.ts';
import { csvHeader, csvRow } from '../issuance/audit-csv.ts';
import { auditQueryText } from '../issuance/audit-query-text.ts';
import { FILTER_OPTIONS, readFilter } from './audit-filter.ts';
import { pagesOf, recordIn } from './audit-pages.ts';
import { openOnRecord, UNRECORDED_OPTION } from './audit-reading.ts';
import { type CommandContext, type ExitStatus, UsageError } from './command.ts';
import { CONFIG_OPTION, loadNamedConfig, readOptions } from './config-option.ts';

const OPTIONS = {
  ...{ ...CONFIG_OPTION, ...UNRECORDED_OPTION, ...FILTER_OPTIONS },
  format: { type: 'string', default: 'ndjson' },
} as const;

/** How the records of an export are written, one after the other. */
type Form = {
  readonly before: string;
  readonly record: (line: string, version: string) => string;
  readonly between: string;
  readonly after: string;
};

const lines = (record: Form['record']): Form => ({ before: '', record, between: '', after: '' });

const FORMS: Readonly<Record<string, Form>> = {
  ndjson: lines((line) => `${line}\n`),
  json: { before: '[\n', record: (line) => line, between: ',\n', after: '\n]\n' },
  csv: { ...lines((line) => csvRow(recordIn(line))), before: csvHeader() },
  cloudevents: lines((line) => `${JSON.stringify(cloudEvent(recordIn(line)))}\n`),
  ocsf: lines((line, version) => `${JSON.stringify(ocsfEvent(recordIn(line), version))}\n`),
};

/** `audit export`: all records of a filter, newest first, in a form that programs read. */
export async function auditExport(context: CommandContext): Promise<ExitStatus> {
  const { config, format, unrecorded = false, ...conditions } = readOptions(context, OPTIONS);
  const form = Object.hasOwn(FORMS, format) ? FORMS[format] : undefined;
  if (form === undefined) throw new UsageError(`--format is one of ${Object.keys(FORMS).join(', ')}.`);
  const filter = readFilter(conditions, Date.now());
  const loaded = loadNamedConfig(context, { config });
  if (loaded === undefined) return 1;
  const detail = auditQueryText({ filter, limit: Infinity }, format);
  const reader = await openOnRecord(context, loaded, { action: 'audit.export', detail, unrecorded });
  try {
    let before = form.before;
    for await (const page of pagesOf(reader, filter, Infinity)) {
      await context.write(before + page.map((line) => form.record(line, context.version)).join(form.between));
      before = form.between;
    }
    await context.write((before === form.before ? before : '') + form.after);
  } finally {
    await reader.close();
  }
  return 0;
}

import type { PublishedRecord } from './published-record.ts';

/** The columns of the CSV form: the members of the published record, in the order an auditor reads them. */
export const CSV_COLUMNS = [
  ...(['time', 'action', 'outcome', 'reason', 'detail', 'repeated'] as const),
  ...(['issuer', 'subject', 'claims', 'jti_hash'] as const),
  ...(['database', 'endpoint', 'host', 'port', 'region', 'user', 'resource_arn'] as const),
  ...([
    'grant',
    'observed',
    'config_hash',
    'token_fingerprint',
    'token_expires_at',
    'access_key_id',
    'role_arn',
  ] as const),
  ...(['client', 'client_address', 'user_agent', 'request_id', 'trace_id'] as const),
  ...(['id', 'instance', 'sequence', 'previous_hash', 'hash', 'version'] as const),
] as const satisfies readonly (keyof PublishedRecord)[];

/** The header line of the CSV form (RFC 4180), with its line end. */
export function csvHeader(): string {
  return `${CSV_COLUMNS.join(',')}\r\n`;
}

/** One record as a line of CSV (RFC 4180), with its line end. Null is an empty cell; claims and lists are JSON. */
export function csvRow(record: PublishedRecord): string {
  return `${CSV_COLUMNS.map((column) => cell(record[column])).join(',')}\r\n`;
}

function cell(value: PublishedRecord[keyof PublishedRecord]): string {
  if (value === null) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  const inert = inertText(text);
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/**
 * Spreadsheets run a cell that begins like a formula, and subjects and user agents are the attacker's choice (OWASP: "CSV
 * Injection"). An apostrophe makes it text.
 */
function inertText(text: string): string {
  return /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
}

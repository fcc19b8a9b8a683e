import { auditQueryText } from '../issuance/audit-query-text.ts';
import type { WantedPage } from '../issuance/read-audit.ts';
import { accept, type Decided, type FieldProblem, refuse } from '../issuance/refusal.ts';
import { type AuditFormat, type AuditParameters, auditQuerySchema } from './audit-schemas.ts';
import { fieldProblems, namedProblems, refuseFields } from './field-problems.ts';
import { formPairs } from './form-pairs.ts';

/** A page of the audit, and the form it is wanted in. `parameters` are those that were asked for. */
export type WantedEvents = WantedPage & { readonly format: AuditFormat; readonly parameters: AuditParameters };

/**
 * Reads the query string of `GET /v1/audit/events` strictly: a condition that is misspelled, empty or there twice would
 * otherwise widen what the auditor believes to have asked for.
 */
export function readAuditQuery(query: string, acceptHeader: string | undefined): Decided<WantedEvents> {
  const read = readPairs(query);
  if (!read.ok) return read;
  const pairs = read.value;
  const repeated = repeatedNames(pairs.map(([name]) => name));
  const parsed = auditQuerySchema.safeParse(Object.fromEntries(pairs.map(readNumber)));
  const problems = [
    ...namedProblems(repeated, 'is there twice'),
    ...(parsed.success ? orderProblems(parsed.data) : fieldProblems(parsed.error)),
  ];
  if (!parsed.success || problems.length > 0) return refuseFields(problems);
  return accept(wantedBy(parsed.data, acceptHeader));
}

/** Refuses every parameter: whoever writes `?format=csv` where there is none would take the answer for what they asked. */
export function readNoQuery(query: string): Decided<null> {
  const read = readPairs(query);
  if (!read.ok) return read;
  const names = read.value.map(([name]) => name);
  return names.length === 0 ? accept(null) : refuseFields(namedProblems(names, 'is not a field of this request'));
}

function readPairs(query: string): Decided<[string, string][]> {
  try {
    return accept(formPairs(query));
  } catch {
    const problems = [{ field: '', message: 'is not a valid query string' }];
    return refuse({ reason: 'request_malformed', detail: 'the query string cannot be decoded', problems });
  }
}

function wantedBy(parameters: AuditParameters, acceptHeader: string | undefined): WantedEvents {
  const { from, to, caller, limit, cursor, format = acceptedFormat(acceptHeader), ...conditions } = parameters;
  const query = {
    filter: { from: timeOf(from), to: timeOf(to), subject: caller, ...conditions },
    limit,
    cursor,
  };
  return { query, format, parameters, detail: auditQueryText(query, format) };
}

/**
 * The page behind, as a reference to the same address (RFC 8288). It names the form, so that it means the same without
 * `Accept`. Every value is percent-encoded: what an auditor was made to ask for cannot end the header.
 */
export function nextLink({ parameters, format }: WantedEvents, next: string): string {
  const given = Object.entries({ ...parameters, format, cursor: next }).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return `</v1/audit/events?${query.toString()}>; rel="next"`;
}

function repeatedNames(names: readonly string[]): string[] {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const name of names) (seen.has(name) ? repeated : seen).add(name);
  return [...repeated];
}

/** Only plain digits are a number here: not `1e2`, not ` 5`. */
function readNumber([name, value]: [string, string]): [string, string | number] {
  return [name, name === 'limit' && /^[1-9][0-9]{0,5}$/.test(value) ? Number(value) : value];
}

function orderProblems({ from, to }: AuditParameters): FieldProblem[] {
  if (from === undefined || to === undefined || Date.parse(from) < Date.parse(to)) return [];
  return [{ field: 'to', message: 'must be later than from' }];
}

function timeOf(moment: string | undefined): number | undefined {
  return moment === undefined ? undefined : Date.parse(moment);
}

const ACCEPTED: Readonly<Record<string, AuditFormat>> = {
  'application/json': 'json',
  'application/x-ndjson': 'ndjson',
  'text/csv': 'csv',
};

/** JSON, unless `Accept` names another form and not JSON too. */
function acceptedFormat(header: string | undefined): AuditFormat {
  const types = header?.split(',').map((type) => type.split(';')[0]?.trim().toLowerCase() ?? '') ?? [];
  const formats = types.flatMap((type) => ACCEPTED[type] ?? []);
  return formats.includes('json') ? 'json' : (formats[0] ?? 'json');
}

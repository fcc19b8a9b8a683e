import type { z } from 'zod';
import { type ConfigPath, type Finding, formatPath } from './config-problem.ts';
import { nearest } from './nearest.ts';
import { keysAt, takesText } from './schema-places.ts';

type Issue = z.core.$ZodIssue;

/** Turns what the schema refuses into sentences: what is wrong, and what to write. One for each place. */
export function explainIssues(issues: readonly Issue[], value: unknown): Finding[] {
  const findings = new Map<string, Finding>();
  for (const finding of issues.flatMap((issue) => explain(issue, value))) {
    const place = `${finding.atKey === true ? 'key ' : ''}${formatPath(finding.path)}`;
    if (!findings.has(place)) findings.set(place, finding);
  }
  return [...findings.values()];
}

/** The mend where a schema has none of its own: hand it to `safeParse` as `error`. */
export function generalMend(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_value') return `Write one of: ${issue.values.join(', ')}.`;
  if (issue.code !== 'invalid_type') return undefined;
  if (issue.expected === 'array') return 'Write a list: [a, b], or one item a line, each behind a dash.';
  if (issue.expected === 'object' || issue.expected === 'record') return 'Write keys with their values here.';
  if (issue.expected === 'boolean') return 'Write true or false, without quotes.';
  return `Write a ${issue.expected}.`;
}

function explain(issue: Issue, value: unknown): Finding[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  if (issue.code === 'unrecognized_keys') {
    // The reader of the YAML has reported __proto__ already, also where the schema does not see it.
    return issue.keys.filter((key) => key !== '__proto__').map((key) => unknownKey(path, key, value));
  }
  if (issue.code === 'invalid_key') {
    const mend = issue.issues[0]?.message ?? 'Write another name.';
    return [{ path, message: `${formatPath(path)} is not a name that can be used here.`, mend, atKey: true }];
  }
  if (issue.code === 'invalid_union') {
    const branch = likeliestBranch(issue.errors);
    if (branch !== undefined) {
      return branch.flatMap((inner) => explain({ ...inner, path: [...path, ...inner.path] }, value));
    }
  }
  const says = issue.code === 'custom' ? issue.params?.['says'] : undefined;
  if (typeof says === 'string') return [{ path, message: `${formatPath(path)} ${says}.`, mend: issue.message }];
  const written = valueAt(value, path);
  return [{ path, message: describe(path, written), mend: issue.message + quoteHint(path, written) }];
}

/** Of a value that may be written in several ways, the way its writer meant: the right type, with the fewest mistakes. */
function likeliestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const ofType = branches.filter(
    (issues) => !issues.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0),
  );
  const fewest = Math.min(...ofType.map((issues) => issues.length));
  const best = ofType.filter((issues) => issues.length === fewest);
  return best.length === 1 ? best[0] : undefined;
}

function unknownKey(path: ConfigPath, key: string, value: unknown): Finding {
  const whole = [...path, key];
  const place = formatPath(whole);
  const known = keysAt(path, valueAt(value, [...path, 'type']));
  const near = nearest(key, known);
  const mend = near === undefined ? `Remove it, or write one of: ${known.join(', ')}.` : `Did you mean ${near}?`;
  return { path: whole, message: `${place} is not a known key.`, mend, atKey: true };
}

function describe(path: ConfigPath, written: unknown): string {
  const place = formatPath(path) || 'The configuration';
  if (written === undefined) return `${place} is missing.`;
  if (written === null || written === '') return `${place} is empty.`;
  if (Array.isArray(written))
    return written.length === 0 ? `${place} is empty.` : `${place} cannot be a list like this.`;
  if (typeof written === 'object') {
    return Object.keys(written).length === 0 ? `${place} is empty.` : `${place} cannot be a map like this.`;
  }
  return `${place} cannot be ${show(written)}.`;
}

/** Shortened, and without what stands before an `@`: it could be a password in a URL. */
function show(written: unknown): string {
  if (typeof written !== 'string') return String(written);
  const shown = JSON.stringify(written.replace(/\/\/.*@/s, '//…@'));
  return shown.length > 80 ? `${shown.slice(0, 79)}…"` : shown;
}

/** A text that looks like a number or a boolean is one in YAML: the commonest slip of all. */
function quoteHint(path: ConfigPath, written: unknown): string {
  if (typeof written !== 'boolean' && !Number.isFinite(written)) return '';
  return takesText(path, String(written)) ? ` Put it in quotes: without them it is a ${typeof written}.` : '';
}

function valueAt(value: unknown, path: ConfigPath): unknown {
  return path.reduce<unknown>((holder, step) => {
    const holds = typeof holder === 'object' && holder !== null && Object.hasOwn(holder, step);
    return holds ? Reflect.get(holder, step) : undefined;
  }, value);
}

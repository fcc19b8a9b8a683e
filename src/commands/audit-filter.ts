import type { AuditFilter } from '../issuance/audit-query.ts';
import { ACTIONS, OUTCOMES } from '../issuance/audit-record.ts';
import { UsageError } from './command.ts';

const ONE = { type: 'string', multiple: true } as const;

/** The options that say which records are wanted. */
export const FILTER_OPTIONS = {
  ...{ from: ONE, to: ONE, caller: ONE, issuer: ONE, database: ONE, user: ONE, endpoint: ONE },
  ...{ outcome: ONE, grant: ONE, observed: ONE, action: ONE },
} as const;

export type FilterOptions = { readonly [Name in keyof typeof FILTER_OPTIONS]?: readonly string[] | undefined };

/**
 * Reads the filter. An option that is there twice is a mistake: the answer would be another than what was asked for.
 *
 * @param now milliseconds since the epoch, for times such as `7d`.
 * @throws {UsageError} for what is no condition.
 */
export function readFilter(options: FilterOptions, now: number): AuditFilter {
  const filter = {
    from: momentOf('from', one(options, 'from'), now),
    to: momentOf('to', one(options, 'to'), now),
    action: wordOf('action', one(options, 'action'), ACTIONS),
    outcome: wordOf('outcome', one(options, 'outcome'), OUTCOMES),
    issuer: one(options, 'issuer'),
    subject: one(options, 'caller'),
    database: one(options, 'database'),
    user: one(options, 'user'),
    endpoint: one(options, 'endpoint'),
    grant: one(options, 'grant'),
    observed: one(options, 'observed'),
  };
  if (filter.from !== undefined && filter.to !== undefined && filter.from >= filter.to) {
    throw new UsageError('--from must be earlier than --to.');
  }
  return filter;
}

function one(options: FilterOptions, name: keyof FilterOptions): string | undefined {
  const values = options[name] ?? [];
  if (values.length > 1) throw new UsageError(`--${name} is there twice.`);
  // An unset variable of a script would otherwise ask for what nobody has.
  if (values[0] === '') throw new UsageError(`--${name} is empty.`);
  return values[0];
}

function wordOf<Word extends string>(
  name: string,
  value: string | undefined,
  words: readonly Word[],
): Word | undefined {
  if (value === undefined) return undefined;
  const found = words.find((word) => word === value);
  if (found === undefined) throw new UsageError(`--${name} is one of ${words.join(', ')}.`);
  return found;
}

const MILLISECONDS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** RFC 3339, with a date alone for the beginning of its day in UTC. */
const INSTANT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2}))?$/i;

/** Milliseconds since the epoch. @throws {UsageError} for what is no time. */
export function momentOf(name: string, value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(value) ?? [];
  const time =
    count === undefined
      ? Date.parse(INSTANT.test(value) ? value : '')
      : now - Number(count) * (MILLISECONDS[unit] ?? 0);
  if (Number.isNaN(time) || time < 0) {
    throw new UsageError(
      `--${name} is a time such as 2026-11-24T10:15:00Z or 2026-11-24, or one ago such as 30m, 24h or 7d.`,
    );
  }
  return time;
}

import type { AuditFilter } from '../../issuance/audit-query.ts';

/** What a filter asks of records beside their time. */
export type Condition = {
  /** An indexed column, or null where there is none. */
  readonly column: string | null;
  /** The member of the canonical record. */
  readonly member: string;
  readonly value: string;
  /** Whether the member is a list that has the value among others: its index has all records with a list. */
  readonly listed: boolean;
};

/** The columns hold so much of a text (src/audit/postgres/schema.ts). */
const COLUMN_CHARACTERS = 255;

const COLUMNS = [
  ['subject', 'subject', 'subject'],
  ['user', 'database_user', 'user'],
  ['database', 'database', 'database'],
  ['grant', 'grant_name', 'grant'],
  ['observed', 'observed', 'observed'],
  ['endpoint', 'endpoint', 'endpoint'],
  ['issuer', 'issuer', 'issuer'],
  ['outcome', 'outcome', 'outcome'],
  ['action', 'action', 'action'],
  ['tokenFingerprint', null, 'token_fingerprint'],
] as const satisfies readonly (readonly [keyof AuditFilter, string | null, string])[];

export function conditionsOf(filter: AuditFilter): readonly Condition[] {
  return COLUMNS.flatMap(([field, column, member]) => {
    const value = filter[field];
    // As records are written (src/audit/record-row.ts): no store keeps these characters.
    if (value === undefined) return [];
    return [{ column, member, value: value.toWellFormed().replaceAll('\0', '\ufffd'), listed: field === 'observed' }];
  });
}

/**
 * The sets of columns with an index that conditions can be looked up by. Database and user have one for both, which leaves
 * none of them to choose alone.
 */
export function indexesFor(conditions: readonly Condition[]): readonly (readonly Condition[])[] {
  const login = ['database', 'database_user'].flatMap((column) => conditions.filter((each) => each.column === column));
  const both = login.length === 2;
  const single = conditions.filter((each) => each.column !== null && !(both && login.includes(each)));
  return [...(both ? [login] : []), ...single.map((each) => [each])];
}

/** Collects the values of a statement. */
export type Parameters = { readonly values: unknown[]; add(value: unknown): string };

export function createParameters(): Parameters {
  const values: unknown[] = [];
  return { values, add: (value) => `$${values.push(value)}` };
}

/** True of exactly the records that meet the condition. */
export function exactly({ column, member, value, listed }: Condition, parameters: Parameters): string {
  if (listed) return `(${column} IS NOT NULL AND (record->'${member}')::jsonb ? ${parameters.add(value)}::text)`;
  if (column === null || isCut(value)) return `record->>'${member}' = ${parameters.add(value)}`;
  return `${column} = ${parameters.add(value)}`;
}

/** What the column holds of the value. */
export function columnValue({ value }: Condition): string {
  return isCut(value) ? [...value].slice(0, COLUMN_CHARACTERS).join('') : value;
}

/** Whether the column may hold less than the value, so that it cannot tell it from others that begin like it. */
export function isCut(value: string): boolean {
  return [...value].length >= COLUMN_CHARACTERS;
}

import type { PostgresServer } from './postgres-server.ts';

/** One step of a plan that the server carried out. */
export type PlanNode = {
  readonly type: string;
  /** The partition, for a scan. */
  readonly relation: string | null;
  readonly index: string | null;
  /** Rows it gave, in all its runs. */
  readonly rows: number;
  /** Rows it looked at in vain. */
  readonly removed: number;
};

/** Makes the server log the plans of all statements of a database, as they were carried out. */
export async function logPlans(server: PostgresServer, database: string): Promise<void> {
  const settings = ["session_preload_libraries = 'auto_explain'", 'auto_explain.log_min_duration = 0'];
  const format = ['auto_explain.log_analyze = on', 'auto_explain.log_timing = off', "auto_explain.log_format = 'json'"];
  // The first setting makes the others known.
  for (const setting of [...settings, ...format]) {
    await server.query(database, `LOAD 'auto_explain'; ALTER DATABASE ${database} SET ${setting}`);
  }
}

/** The nodes of all plans of statements on records in a part of the server's log. */
export function plansIn(log: string): PlanNode[] {
  const texts = [...log.matchAll(/plan:\n((?:\t.*\n?)+)/g)].map(([, text = '']) => text);
  return texts.map((text): unknown => JSON.parse(text)).flatMap(nodesOfRecords);
}

function nodesOfRecords(logged: unknown): PlanNode[] {
  const { 'Query Text': query, Plan: plan } = fieldsOf(logged);
  return typeof query === 'string' && query.includes('FROM rtv_audit.records') ? nodesOf(plan) : [];
}

function nodesOf(node: unknown): PlanNode[] {
  const fields = fieldsOf(node);
  const children = fields['Plans'];
  const own: PlanNode = {
    type: String(fields['Node Type']),
    relation: textIn(fields, 'Relation Name'),
    index: textIn(fields, 'Index Name'),
    rows: Number(fields['Actual Rows'] ?? 0) * Number(fields['Actual Loops'] ?? 0),
    removed: Number(fields['Rows Removed by Filter'] ?? 0) + Number(fields['Rows Removed by Index Recheck'] ?? 0),
  };
  return [own, ...(Array.isArray(children) ? children.flatMap(nodesOf) : [])];
}

function textIn(fields: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = fields[name];
  return typeof value === 'string' ? value : null;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

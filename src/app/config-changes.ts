import { setImmediate as yieldToRequests } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config.ts';

/** What a reload changed in one list, for the log: names only, and not all of them where they are many. */
export type ListChanges = {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  /** `+name`, `-name` and `~name`, at most `MOST_NAMES`. */
  readonly names: readonly string[];
};

/** Lists that did not change are left out. */
export type ConfigChanges = Readonly<Partial<Record<'issuers' | 'databases' | 'grants' | 'auditors', ListChanges>>> & {
  /** Other parts of the configuration that changed, such as `limits`. */
  readonly sections?: readonly string[];
};

const MOST_NAMES = 20;
/** Entries that are compared before requests get their turn again. */
const AT_ONCE = 500;

export async function configChanges(before: Config, after: Config): Promise<ConfigChanges> {
  const lists = {
    issuers: await listChanges(byName(before.issuers), byName(after.issuers)),
    databases: await listChanges(new Map(Object.entries(before.databases)), new Map(Object.entries(after.databases))),
    grants: await listChanges(byName(before.grants), byName(after.grants)),
    auditors: await listChanges(byName(before.auditors), byName(after.auditors)),
  };
  const sections = changedSections(before, after);
  return {
    ...Object.fromEntries(Object.entries(lists).filter(([, { names }]) => names.length > 0)),
    ...(sections.length === 0 ? {} : { sections }),
  };
}

function changedSections(before: Config, after: Config): string[] {
  const { server, audit, caBundles, aws, limits } = before;
  return Object.entries({ server, audit, caBundles, aws, limits })
    .filter(([name, section]) => !isDeepStrictEqual(section, new Map(Object.entries(after)).get(name)))
    .map(([name]) => name);
}

function byName<Entry extends { readonly name: string }>(entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  return new Map(entries.map((entry) => [entry.name, entry]));
}

async function listChanges(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): Promise<ListChanges> {
  const names: string[] = [];
  const count = { added: 0, removed: 0, changed: 0 };
  let seen = 0;
  function note(kind: keyof typeof count, sign: string, name: string): void {
    count[kind]++;
    if (names.length < MOST_NAMES) names.push(sign + name);
  }
  for (const [name, entry] of after) {
    if (++seen % AT_ONCE === 0) await yieldToRequests();
    if (!before.has(name)) note('added', '+', name);
    else if (!isDeepStrictEqual(before.get(name), entry)) note('changed', '~', name);
  }
  for (const name of before.keys()) if (!after.has(name)) note('removed', '-', name);
  return { ...count, names };
}

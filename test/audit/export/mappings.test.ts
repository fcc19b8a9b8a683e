import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cloudEvent } from '../../../src/audit/export/cloud-event.ts';
import { ocsfEvent } from '../../../src/audit/export/ocsf.ts';
import type { PublishedRecord } from '../../../src/issuance/published-record.ts';
import { otherRecord, publishedRecord } from '../../support/published-record.ts';

/* docs/audit-mappings.md against the code, both ways. */

const text = readFileSync(new URL('../../../docs/audit-mappings.md', import.meta.url), 'utf8');

/** The rows of a table: a member of the record, and the paths where it shows. */
function tableOf(name: string): ReadonlyMap<string, readonly string[]> {
  const table = text.split(`<!-- ${name} -->\n`)[1]?.split('\n\n')[0] ?? '';
  const rows = [...table.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)];
  return new Map(
    rows.map(([, member = '', paths = '']) => [member, [...paths.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path)]),
  );
}

/** Each value that is no object, by its path. Claims and the list of observing grants are one value. */
function leaves(value: unknown, path = ''): [path: string, value: string][] {
  if (typeof value !== 'object' || value === null || /claims$|observed$/.test(path))
    return [[path, JSON.stringify(value)]];
  if (Array.isArray(value)) return value.flatMap((item) => leaves(item, `${path}[]`));
  return Object.entries(value).flatMap(([name, member]) => leaves(member, path === '' ? name : `${path}.${name}`));
}

function changedPaths(before: object, after: object): string[] {
  // One path of a list stands for all of its items.
  const texts = (event: object) => {
    const grouped = Map.groupBy(leaves(event), ([path]) => path);
    return new Map([...grouped].map(([path, all]) => [path, all.map(([, text]) => text).join()]));
  };
  const [one, other] = [texts(before), texts(after)];
  return [...new Set([...one.keys(), ...other.keys()])].filter((path) => one.get(path) !== other.get(path));
}

const MAPPINGS = {
  cloudevents: cloudEvent,
  ocsf: (record: PublishedRecord) => ocsfEvent(record, '1.2.3'),
} as const;

for (const [name, map] of Object.entries(MAPPINGS)) {
  test(`the table of ${name} has a row for every member of a record, and says where a change of it shows`, () => {
    const table = tableOf(name);
    assert.deepEqual([...table.keys()].toSorted(), Object.keys(publishedRecord()).toSorted());
    for (const [member, other] of Object.entries(otherRecord())) {
      const changed = Object.assign(publishedRecord(), { [member]: other });
      assert.deepEqual(
        changedPaths(map(publishedRecord()), map(changed)).toSorted(),
        table.get(member)?.toSorted(),
        member,
      );
    }
  });
}

test('the grant that decided is told from those that watched, and one that allowed from one that denied', () => {
  const authorizations = (changes: Partial<PublishedRecord>): unknown => {
    const event: { readonly actor?: { readonly authorizations?: unknown } } = ocsfEvent(publishedRecord(changes), '1');
    return event.actor?.authorizations;
  };
  const watching = ['no-nights', 'no-admins'].map((name) => ({ policy: { name, is_applied: false } }));
  const deciding = (decision: string) => ({ decision, policy: { name: 'payments-api', is_applied: true } });
  assert.deepEqual(authorizations({}), [deciding('Allowed'), ...watching]);
  const refused = { outcome: 'refused', reason: 'not_granted' } as const;
  assert.deepEqual(authorizations(refused), [deciding('Denied'), ...watching]);
  // It was granted, and came too often.
  assert.deepEqual(authorizations({ ...refused, reason: 'rate_limited', observed: null }), [deciding('Allowed')]);
  assert.deepEqual(authorizations({ ...refused, grant: null }), watching);
  assert.equal(authorizations({ ...refused, grant: null, observed: null }), undefined);
});

test('a member that is null shows nowhere but in the data of a CloudEvent', () => {
  for (const [member, value] of Object.entries(publishedRecord())) {
    if (typeof value !== 'string') continue;
    const without = Object.assign(publishedRecord(), { [member]: null });
    if (['id', 'time', 'instance', 'action', 'outcome'].includes(member)) continue;
    const texts = new Set(leaves(ocsfEvent(without, '1.2.3')).map(([, leaf]) => leaf));
    assert.ok(!texts.has('null'), member);
    assert.ok(!texts.has(JSON.stringify(value)) || member === 'subject' || member === 'database', member);
  }
});

import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openAuditLog } from '../../../src/audit/audit-log.ts';
import { loadCheckpointPublicKey } from '../../../src/audit/chain/checkpoint-key.ts';
import { leafHash } from '../../../src/audit/chain/extend.ts';
import { createStore, openReader } from '../../../src/audit/open-store.ts';
import { oneKey } from '../../../src/audit/verify/checkpoint-keys.ts';
import { describeFinding } from '../../../src/audit/verify/finding.ts';
import { readPrintedCheckpoints } from '../../../src/audit/verify/printed-checkpoints.ts';
import { type StoreVerdict, verifyStore } from '../../../src/audit/verify/verify-store.ts';
import { auditRecord } from '../../support/audit-records.ts';
import { auditSetup, testDirectory } from '../../support/audit-setup.ts';
import { recordFiles } from '../../support/file-records.ts';

const START = 1_790_000_000_000;

type Filled = {
  readonly store: { readonly type: 'file'; readonly directory: string; readonly rotateSize: number };
  readonly top: string;
  readonly printed: string[];
};

/** A store that was written as the service writes it: pod-1 has 120 records in several files and was restarted. */
async function filled(t: TestContext): Promise<Filled> {
  const top = testDirectory(t);
  const store = { type: 'file', directory: join(top, 'audit'), rotateSize: 40_000 } as const;
  const printed: string[] = [];
  const onCheckpoint = (note: string) => printed.push(JSON.stringify({ checkpoint: note }));
  let time = START;
  for (const [instance, commits] of [
    ['pod-1', 8],
    ['pod-2', 4],
    ['pod-1', 4],
  ] as const) {
    const log = await openAuditLog(auditSetup(store, top, { instance }), { onCheckpoint });
    for (let commit = 0; commit < commits; commit++) {
      const records = Array.from({ length: 10 }, () => auditRecord({ time: (time += 10), claims: { a: 1 } }));
      await Promise.all(records.map((record) => log.record(record)));
    }
    await log.close();
  }
  assert.ok(recordFiles(store.directory).length >= 3);
  return { store, top, printed };
}

async function verified({ store, top, printed }: Filled, withPrinted = false): Promise<StoreVerdict> {
  const keys = oneKey(loadCheckpointPublicKey(join(top, 'checkpoint-key.pem')));
  const logs = withPrinted ? [{ name: 'log', lines: linesOf(printed) }] : [];
  return verifyStore(await openReader(store), keys, await readPrintedCheckpoints(logs, keys));
}

async function* linesOf(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

function sentences({ chains }: StoreVerdict): string[] {
  return chains.flatMap(({ instance, findings }) =>
    findings.map((finding) => `${instance}: ${describeFinding(finding)}`),
  );
}

/** Changes the lines of the file that has a record of pod-1. `at` is the index of its line. */
function change(
  { store }: Filled,
  sequence: number,
  edit: (lines: string[], at: number, record: Record<string, unknown>) => string[],
): string {
  for (const path of recordFiles(store.directory)) {
    const lines = readFileSync(path, 'utf8').split('\n');
    const at = lines.findIndex((line) => line.includes(`,"sequence":${sequence},`));
    if (at === -1) continue;
    writeFileSync(path, edit(lines, at, JSON.parse(lines[at] ?? '')).join('\n'));
    return `${path}:${at + 1}`;
  }
  return assert.fail(`there is no record ${sequence}`);
}

function written(record: Record<string, unknown>): string {
  return JSON.stringify(record);
}

/** The same line with the hash that belongs to it. */
function rehashed({ hash: _hash, ...record }: Record<string, unknown>): string {
  return JSON.stringify({ ...record, hash: leafHash(JSON.stringify(record)).toString('hex') });
}

test('a file store with two instances and a restart is good, and so it is when files were retired', async (t) => {
  const all = await filled(t);
  const before = await verified(all, true);
  assert.deepEqual(sentences(before), []);
  assert.deepEqual(
    before.chains.map(({ instance, first, last }) => [instance, first, last]),
    [
      ['pod-1', 1, 120],
      ['pod-2', 1, 40],
    ],
  );
  const writer = await createStore(all.store, 'pod-1');
  await writer.open(false);
  while (await writer.tidy(START + 2_000));
  await writer.close();
  const after = await verified(all, true);
  assert.deepEqual(sentences(after), []);
  const [retired] = after.chains;
  assert.ok((retired?.retired ?? 0) > 0, 'something was retired');
  assert.deepEqual([retired?.first, retired?.last], [(retired?.retired ?? 0) + 1, 120]);
});

test('a change of any member of a record is found, and told with its number', async (t) => {
  const all = await filled(t);
  const copy = `${all.store.directory}.copy`;
  cpSync(all.store.directory, copy, { recursive: true });
  let members: string[] = [];
  change(all, 57, (lines, _, record) => {
    members = Object.keys(record);
    return lines;
  });
  assert.equal(members.length, 35);
  for (const member of members) {
    for (const edit of member === 'hash' ? [written] : [written, rehashed]) {
      cpSync(copy, all.store.directory, { recursive: true });
      const number = member === 'sequence' ? 4_000 : 'edited';
      change(all, 57, (lines, at, record) => lines.with(at, edit({ ...record, [member]: number })));
      const told = sentences(await verified(all));
      assert.match(told[0] ?? '', /^pod-1: records? 5[78]\b/, `${member}: ${told.join('\n')}`);
    }
  }
});

test('lines that are removed, put in, moved, cut and broken are found', async (t) => {
  const all = await filled(t);
  const copy = `${all.store.directory}.copy`;
  cpSync(all.store.directory, copy, { recursive: true });
  const cases: readonly (readonly [what: string, edit: () => string | void, found: (at: string) => string | RegExp])[] =
    [
      ['removed', () => change(all, 57, (lines, at) => lines.toSpliced(at, 1)), () => 'pod-1: record 57 was removed'],
      [
        'swapped',
        () => change(all, 57, (lines, at) => lines.toSpliced(at - 1, 2, lines[at] ?? '', lines[at - 1] ?? '')),
        () => 'pod-1: record 56 stands after record 57: records were reordered or put in',
      ],
      [
        'repeated',
        () => change(all, 57, (lines, at) => lines.toSpliced(at, 0, lines[at] ?? '')),
        () => 'pod-1: record 57 stands after record 57: records were reordered or put in',
      ],
      [
        'broken',
        () => change(all, 57, (lines, at) => lines.with(at, 'xyz')),
        (at) => `pod-1: record 57 cannot be read: ${at}: it is no record, checkpoint or anchor`,
      ],
      [
        'broken, two of them',
        () => change(all, 57, (lines, at) => lines.toSpliced(at, 2, '{"access_key_id":', '{}')),
        (at) => `pod-1: record 57 cannot be read: ${at}: it is not a record`,
      ],
      [
        'a file removed',
        () => rmSync(recordFiles(all.store.directory)[1] ?? ''),
        () => /^pod-1: records \d+ to \d+ were removed$/,
      ],
      [
        'the last file removed',
        () => rmSync(recordFiles(all.store.directory).at(-1) ?? ''),
        () =>
          /^pod-1: records \d+ to 120 were cut off from the end: the checkpoint of size 120 in log:\d+ covers them$/,
      ],
      [
        'an instance removed',
        () => rmSync(join(all.store.directory, 'pod-2'), { recursive: true }),
        () => /^pod-2: the whole instance is gone/,
      ],
      [
        'all rewritten',
        () => {
          rmSync(join(all.store.directory, 'pod-1'), { recursive: true });
          cpSync(join(all.store.directory, 'pod-2'), join(all.store.directory, 'pod-1'), { recursive: true });
        },
        () => /^pod-1: .*checkpoint.* one of rds-token-vendor\/pod-2$/,
      ],
    ];
  for (const [what, edit, found] of cases) {
    rmSync(all.store.directory, { recursive: true });
    cpSync(copy, all.store.directory, { recursive: true });
    const wanted = found(edit() ?? '');
    const verdict = await verified(all, true);
    assert.equal(verdict.good, false, what);
    const told = sentences(verdict);
    const isThere = told.some((sentence) => (typeof wanted === 'string' ? sentence === wanted : wanted.test(sentence)));
    assert.ok(isThere, `${what}\n${told.join('\n')}`);
    // The rest is verified too: a broken line hides nothing behind it.
    if (what !== 'an instance removed')
      assert.ok(verdict.chains.some(({ instance, last }) => instance === 'pod-2' && last === 40));
    if (what.startsWith('broken')) assert.equal(verdict.chains[0]?.last, 120);
  }
});

test('a wrong anchor of a file, which a retirement would begin the chain with, is found', async (t) => {
  const all = await filled(t);
  const [, second = '', third = ''] = recordFiles(all.store.directory);
  const [, ...rest] = readFileSync(second, 'utf8').split('\n');
  const [anchor = ''] = readFileSync(third, 'utf8').split('\n');
  writeFileSync(second, [anchor, ...rest].join('\n'));
  const told = sentences(await verified(all));
  assert.match(told.join('\n'), /pod-1: .*0{10,}\d+\.ndjson:1: the anchor is not that of the records before it/);
});

test('a last commit that is half written is no finding', async (t) => {
  const all = await filled(t);
  const path = recordFiles(all.store.directory).at(-1) ?? '';
  const lines = readFileSync(path, 'utf8').split('\n');
  const [record = ''] = lines.filter((line) => line.startsWith('{"access_key_id":')).slice(-1);
  writeFileSync(path, `${lines.join('\n')}${record}\n${record.slice(0, 100)}`);
  assert.deepEqual(sentences(await verified(all, true)), []);
});

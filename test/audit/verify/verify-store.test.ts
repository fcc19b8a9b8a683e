import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leafHash } from '../../../src/audit/chain/extend.ts';
import { oneKey } from '../../../src/audit/verify/checkpoint-keys.ts';
import { describeFinding } from '../../../src/audit/verify/finding.ts';
import { readPrintedCheckpoints } from '../../../src/audit/verify/printed-checkpoints.ts';
import { type StoreVerdict, verifyStore } from '../../../src/audit/verify/verify-store.ts';
import type { AuditRecord } from '../../../src/issuance/audit-record.ts';
import { auditRecord } from '../../support/audit-records.ts';
import { createMemoryStore, type MemoryChain, type MemoryStore } from '../../support/memory-store.ts';
import { type CheckpointKeyPair, checkpointKey, writeRecords } from '../../support/written-chain.ts';

const key = checkpointKey();

/** 12 commits of 5 records: 60. Kept checkpoints at 5, 15, 25, 35, 45, 55, 60. */
function commitsOf(subject: string): AuditRecord[][] {
  return Array.from({ length: 12 }, (_, at) =>
    Array.from({ length: 5 }, (_, i) => auditRecord({ subject: `${subject} ${at * 5 + i + 1}`, claims: { at } })),
  );
}

type Written = { readonly store: MemoryStore; readonly printed: readonly string[] };

async function written(): Promise<Written> {
  const store = createMemoryStore();
  const printed = await writeRecords(store.storeOf('pod-1'), 'pod-1', key, commitsOf('one'));
  const other = await writeRecords(store.storeOf('pod-2'), 'pod-2', key, commitsOf('two'));
  return { store, printed: [...printed, ...other] };
}

async function verified(
  { reader }: MemoryStore,
  notes: readonly string[] = [],
  retiredBefore?: number,
): Promise<StoreVerdict> {
  const keys = oneKey(key.publicKey);
  const lines = logLines(notes);
  return verifyStore(reader, keys, await readPrintedCheckpoints([{ name: 'log', lines }], keys), retiredBefore);
}

async function* logLines(notes: readonly string[]): AsyncGenerator<string> {
  for (const checkpoint of notes) yield JSON.stringify({ level: 'info', checkpoint, msg: 'audit checkpoint' });
}

/** The findings as people read them, each behind its instance. */
function sentences({ chains }: StoreVerdict): string[] {
  return chains.flatMap(({ instance, findings }) =>
    findings.map((finding) => `${instance}: ${describeFinding(finding)}`),
  );
}

function chainOf(store: MemoryStore, instance = 'pod-1'): MemoryChain {
  return store.chains.get(instance) ?? assert.fail(instance);
}

function withoutRecords(chain: MemoryChain, after: number): void {
  chain.records = chain.records.filter(({ sequence }) => sequence <= after);
}

/** Writes the same records again, but for one, as somebody would who holds a key. */
async function rewritten(store: MemoryStore, pair: CheckpointKeyPair): Promise<void> {
  const commits = commitsOf('one').map((records, at) =>
    at === 4 ? records.map((record) => ({ ...record, subject: 'nobody' })) : records,
  );
  store.chains.delete('pod-1');
  const fresh = createMemoryStore();
  await writeRecords(fresh.storeOf('pod-1'), 'pod-1', pair, commits);
  store.chains.set('pod-1', chainOf(fresh));
}

test('an untouched store is good: two instances, printed checkpoints, a restart and a retired range', async () => {
  const { store, printed } = await written();
  const more = await writeRecords(store.storeOf('pod-1'), 'pod-1', key, [[auditRecord()], [auditRecord()]]);
  store.retire('pod-2', 25);
  const verdict = await verified(store, [...printed, ...more]);
  assert.deepEqual(sentences(verdict), []);
  assert.ok(verdict.good);
  const [one, two] = verdict.chains;
  assert.deepEqual([one?.records, one?.first, one?.last, one?.retired], [62, 1, 62, 0]);
  assert.deepEqual([two?.records, two?.first, two?.last, two?.retired], [35, 26, 60, 25]);
  assert.deepEqual([one?.checkpoints, one?.printedCheckpoints], [9, 9]);
  // The checkpoint that the range was retired behind is counted with the printed ones alone.
  assert.deepEqual([two?.checkpoints, two?.printedCheckpoints], [4, 5]);
  assert.equal(two?.lastCheckpointAt, 1_790_000_000_000 + 12 * 400);
});

test('an edit of any field of a record is found, and which record it was', async () => {
  const { store } = await written();
  const chain = chainOf(store);
  const untouched = chain.records;
  const fields = Object.keys(JSON.parse(untouched[29]?.canonical ?? ''));
  assert.equal(fields.length, 34);
  for (const field of fields) {
    chain.records = untouched.map((record) => {
      if (record.sequence !== 30) return record;
      const value = JSON.parse(record.canonical)[field];
      const edited = { ...JSON.parse(record.canonical), [field]: typeof value === 'number' ? value + 1 : 'edited' };
      return { ...record, canonical: JSON.stringify(edited) };
    });
    const found = sentences(await verified(store));
    assert.equal(found.length, 1, field);
    assert.match(found[0] ?? '', /^pod-1: record 30 \(.*\) is not what was written/, field);
  }
});

test('an edit that carries its own new hash does not fit the record after it, nor any checkpoint behind it', async () => {
  const { store, printed } = await written();
  const chain = chainOf(store);
  chain.records = chain.records.map((record) => {
    if (record.sequence !== 30) return record;
    const canonical = record.canonical.replace('one 30', 'nobody');
    return { ...record, canonical, hash: leafHash(canonical) };
  });
  assert.deepEqual(
    sentences(await verified(store, printed)).map((sentence) => sentence.replace(/ \(.*?\)/, '')),
    [
      'pod-1: record 31 does not follow the record before it: records were removed, reordered or put in here',
      "pod-1: records 26 to 35 were rewritten, at least in part: they are not what the store's checkpoint of size 35 covers, nor what the 4 checkpoints after it cover",
      'pod-1: records 26 to 35 were rewritten, at least in part: they are not what the checkpoint of size 35 in log:4 covers, nor what the 3 checkpoints after it cover',
    ],
  );
});

/** What somebody does to the store; what must be found without and with the printed checkpoints. */
type Tampering = {
  readonly name: string;
  readonly tamper: (chain: MemoryChain, store: MemoryStore) => void | Promise<void>;
  readonly found: readonly RegExp[];
  /** When the store alone does not show it. */
  readonly onlyPrinted?: true;
};

const TAMPERINGS: readonly Tampering[] = [
  {
    name: 'a removed record',
    tamper: (chain) => void chain.records.splice(29, 1),
    found: [/record 30 was removed/],
  },
  {
    name: 'several removed records',
    tamper: (chain) => void chain.records.splice(0, 3),
    found: [/records 1 to 3 were removed/],
  },
  {
    name: 'a removed record whose place was closed',
    tamper(chain) {
      chain.records.splice(29, 1);
      chain.records = chain.records.map((record, at) => ({ ...record, sequence: at + 1 }));
    },
    found: [/record 30 \(.*\) says that it is record 31/, /record 59 \(.*\) says that it is record 60/],
  },
  {
    name: 'two records swapped',
    tamper(chain) {
      const [first, second] = chain.records.slice(29, 31);
      if (first && second) chain.records.splice(29, 2, second, first);
    },
    found: [/record 30 was removed/, /record 30 stands after record 31: records were reordered/],
  },
  {
    name: 'two records swapped with their sequence numbers exchanged',
    tamper(chain) {
      const [first, second] = chain.records.slice(29, 31);
      if (first && second) chain.records.splice(29, 2, { ...second, sequence: 30 }, { ...first, sequence: 31 });
    },
    found: [/record 30 \(.*\) says that it is record 31: it was moved/, /record 31 \(.*\) says that it is record 30/],
  },
  {
    name: 'a record of another instance put in the place of one',
    tamper(chain, store) {
      const other = chainOf(store, 'pod-2').records[29];
      if (other) chain.records[29] = other;
    },
    found: [/record 30 \(.*\) says that it is of instance pod-2/, /records 26 to 35 were rewritten/],
  },
  {
    name: 'a record that is no record',
    tamper(chain) {
      chain.records[29] = { sequence: 30, hash: leafHash('[]'), canonical: '[]' };
    },
    found: [/record 30 cannot be read/, /records 26 to 35 were rewritten/],
  },
  {
    name: 'the tail cut',
    tamper: (chain) => withoutRecords(chain, 52),
    found: [
      /records 53 to 60 were cut off from the end: the checkpoint of size 60 at the end of the chain covers them/,
    ],
  },
  {
    name: 'the tail and the head cut, the checkpoints left',
    tamper(chain) {
      withoutRecords(chain, 45);
      const { note = '' } = chain.checkpoints.find(({ size }) => size === 45) ?? {};
      chain.head = { sequence: 45, hash: chain.records[44]?.hash ?? null, checkpoint: note };
    },
    found: [/records 46 to 60 were cut off from the end: the store's checkpoint of size 60 covers them/],
  },
  {
    name: 'the tail, the head and the checkpoints cut',
    tamper(chain) {
      withoutRecords(chain, 45);
      chain.checkpoints = chain.checkpoints.filter(({ size }) => size <= 45);
      chain.head = {
        sequence: 45,
        hash: chain.records[44]?.hash ?? null,
        checkpoint: chain.checkpoints.at(-1)?.note ?? '',
      };
    },
    found: [/records 46 to 60 were cut off from the end: the checkpoint of size 60 in log:\d+ covers them/],
    onlyPrinted: true,
  },
  {
    name: 'the head taken away',
    tamper(chain) {
      withoutRecords(chain, 58);
      chain.head = null;
      chain.checkpoints.pop();
    },
    found: [/the end of the chain is not on record any more/, /records 56 to 58 were added: no signed checkpoint/],
  },
  {
    name: 'a head of another record',
    tamper(chain) {
      if (chain.head) chain.head = { ...chain.head, hash: leafHash('x') };
    },
    found: [/the end of the chain on record, record 60, is not the record that is there/],
  },
  {
    name: 'an older head',
    tamper(chain) {
      const { note = '' } = chain.checkpoints.find(({ size }) => size === 45) ?? {};
      chain.head = { sequence: 60, hash: chain.records[59]?.hash ?? null, checkpoint: note };
    },
    found: [/the checkpoint of size 60 at the end of the chain was made .* it is one of size 45/],
  },
  {
    name: 'records added at the end',
    tamper(chain) {
      const previous = chain.records.at(-1);
      const parsed = JSON.parse(previous?.canonical ?? '{}');
      const canonical = JSON.stringify({ ...parsed, sequence: 61, previous_hash: previous?.hash.toString('hex') });
      chain.records.push({ sequence: 61, canonical, hash: leafHash(canonical) });
    },
    found: [/record 61 was added: no signed checkpoint covers/],
  },
  {
    name: 'everything rewritten and signed with another key',
    tamper: (_, store) => rewritten(store, checkpointKey()),
    found: [
      /the store's checkpoint of size 5 was made or changed by somebody else: it has no valid signature of this key/,
    ],
  },
  {
    name: 'everything rewritten and signed with the same key',
    tamper: (_, store) => rewritten(store, key),
    found: [
      /records 1 to 5 were rewritten, at least in part: they are not what the checkpoint of size 5 in log:1 covers/,
    ],
    onlyPrinted: true,
  },
  {
    name: 'a forged beginning',
    tamper(chain, store) {
      store.retire('pod-1', 25);
      const nodes = chain.anchor?.frontier.nodes.map(() => leafHash('x')) ?? [];
      chain.anchor = { sequence: 25, hash: chain.anchor?.hash ?? null, frontier: { size: 25, nodes } };
    },
    found: [/records 1 to 25 are gone, and the chain does not begin as the checkpoint of that size says/],
  },
  {
    name: 'a beginning cut off where no checkpoint is',
    tamper: (_, store) => store.retire('pod-1', 27),
    found: [/records 1 to 27 are gone, and there is no checkpoint of that size: they were not retired/],
  },
  {
    name: 'two checkpoints swapped',
    tamper(chain) {
      const [first, second, ...rest] = chain.checkpoints;
      if (first && second)
        chain.checkpoints = [{ ...first, note: second.note }, { ...second, note: first.note }, ...rest];
    },
    found: [/checkpoint of size 5 was made .* it is one of size 15/, /checkpoint of size 15 was made .* one of size 5/],
  },
  {
    name: 'a checkpoint of another instance put in the place of one',
    tamper(chain, store) {
      const { note = '' } = chainOf(store, 'pod-2').checkpoints[2] ?? {};
      chain.checkpoints[2] = { size: 25, note };
    },
    found: [/checkpoint of size 25 was made .* it is one of rds-token-vendor\/pod-2/],
  },
  {
    name: 'an edited checkpoint',
    tamper(chain) {
      chain.checkpoints = chain.checkpoints.map(({ size, note }) => ({ size, note: note.replace('\n35\n', '\n36\n') }));
    },
    found: [/checkpoint of size 35 was made or changed by somebody else: it has no valid signature/],
  },
  {
    name: 'an instance wholly removed',
    tamper: (_, store) => void store.chains.delete('pod-1'),
    found: [/the whole instance is gone: the checkpoint of size 60 in log:\d+ covers records 1 to 60/],
    onlyPrinted: true,
  },
];

for (const { name, tamper, found, onlyPrinted } of TAMPERINGS) {
  test(`${name}: found ${onlyPrinted ? 'by checkpoints that left the machine, and by nothing else' : 'in the store alone'}`, async () => {
    const { store, printed } = await written();
    await tamper(chainOf(store), store);
    const alone = await verified(store);
    const withPrinted = await verified(store, printed);
    const told = onlyPrinted ? withPrinted : alone;
    assert.equal(alone.good, onlyPrinted === true, sentences(alone).join('\n'));
    assert.ok(!withPrinted.good);
    for (const expected of found) {
      assert.ok(
        sentences(told).some((sentence) => expected.test(sentence)),
        `${expected} in\n${sentences(told).join('\n')}`,
      );
    }
    assert.ok(
      sentences(told).every((sentence) => sentence.startsWith('pod-1: ')),
      'the other instance is good',
    );
  });
}

test('records that the retention in force keeps are found when they are gone, however well the chain goes on', async () => {
  const { store } = await written();
  store.retire('pod-1', 25);
  const signedAt = 1_790_000_000_000 + 5 * 400;
  assert.ok((await verified(store, [], signedAt + 1)).good);
  assert.deepEqual(sentences(await verified(store, [], signedAt)), [
    `pod-1: records 1 to 25 are gone, the last of them of ${new Date(signedAt).toISOString()}: the retention in force keeps them`,
  ]);
  assert.ok(!(await verified(store, [], 0)).good);
});

test('a chain without a record, whose end nobody signed, is found: its records may be where nobody looks', async () => {
  const { store } = await written();
  store.chains.set('pod-3', {
    ...{ records: [], checkpoints: [], anchor: null },
    head: { sequence: 0, hash: null, checkpoint: '' },
  });
  assert.deepEqual(sentences(await verified(store)), [
    'pod-3: the checkpoint of size 0 at the end of the chain was made or changed by somebody else: it is not a signed note',
  ]);
});

test('of a chain with many findings the first hundred are told and the others counted', async () => {
  const store = createMemoryStore();
  const records = Array.from({ length: 250 }, () => auditRecord());
  await writeRecords(store.storeOf('pod-1'), 'pod-1', key, [records]);
  const chain = chainOf(store);
  chain.records = chain.records.map((record) => ({ ...record, canonical: record.canonical.replace('psql', 'odd') }));
  const [verdict] = (await verified(store)).chains;
  assert.deepEqual([verdict?.findings.length, verdict?.findingCount], [100, 250]);
});

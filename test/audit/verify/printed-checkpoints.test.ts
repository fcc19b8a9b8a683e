import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCheckpointSigner } from '../../../src/audit/chain/checkpoint.ts';
import { keysOf, oneKey } from '../../../src/audit/verify/checkpoint-keys.ts';
import { describeFinding } from '../../../src/audit/verify/finding.ts';
import { readPrintedCheckpoints } from '../../../src/audit/verify/printed-checkpoints.ts';
import { checkpointKey } from '../../support/written-chain.ts';

const pair = checkpointKey();
const signer = createCheckpointSigner('rds-token-vendor/pod-1', pair.privateKey);
const note = noteOf(7);

function noteOf(size: number): string {
  return signer.sign({ size, root: Buffer.alloc(32, size), time: 1_790_000_000_000 });
}

async function read(text: string, keys = oneKey(pair.publicKey)) {
  return readPrintedCheckpoints([{ name: 'log', lines: linesOf(text) }], keys);
}

async function* linesOf(text: string): AsyncGenerator<string> {
  yield* text.split('\n');
}

const json = JSON.stringify({ level: 'info', checkpoint: note, msg: 'audit checkpoint' });

const FORMS: readonly (readonly [name: string, log: string])[] = [
  ['a JSON line of the service', json],
  ['a JSON line behind what a log shipper put there', `2026-11-24T10:15:00.000Z stdout F ${json}`],
  ['a JSON line that a container runtime wrapped', JSON.stringify({ log: `${json}\n`, stream: 'stdout' })],
  ['a signed note', note],
  ['a signed note behind other lines', `{"msg":"listening"}\nodd\n${note}\nmore`],
];

for (const [name, log] of FORMS) {
  test(`${name} is read`, async () => {
    const printed = await read(log);
    assert.deepEqual([printed.instances, printed.strayFindings, printed.findings('pod-1')], [['pod-1'], [], []]);
    assert.deepEqual(
      printed.of('pod-1').map(({ size, root }) => [size, root]),
      [[7, Buffer.alloc(32, 7).toString('base64')]],
    );
  });
}

test('several are in the order of their sizes, each with its line', async () => {
  const printed = await read([9, 3, 5].map((size) => noteOf(size)).join('\n'));
  assert.deepEqual(
    printed.of('pod-1').map(({ size, at }) => [size, at]),
    [
      [3, 'log:13'],
      [5, 'log:20'],
      [9, 'log:6'],
    ],
  );
});

test('lines that hold no checkpoint of ours are passed over', async () => {
  const other = createCheckpointSigner('example.org/log', pair.privateKey);
  const foreign = other.sign({ size: 1, root: Buffer.alloc(32), time: 0 });
  const log = [
    '',
    '{}',
    '{"checkpoint":7}',
    '[',
    '{"msg":"checkpoint"}',
    '{"msg":"a \\"checkpoint\\": of"',
    '\u2014 x',
    foreign,
  ];
  const printed = await read(log.join('\n\n'));
  assert.deepEqual(
    [printed.instances, printed.strayFindings.map(describeFinding)],
    [[], ['the checkpoint in log:11 was made or changed by somebody else: the line cannot be read']],
  );
});

test('an edited one and one of another key are told with their lines, and do not count', async () => {
  const forger = createCheckpointSigner('rds-token-vendor/pod-1', checkpointKey().privateKey);
  const forged = forger.sign({ size: 7, root: Buffer.alloc(32), time: 0 });
  const printed = await read([note.replace('\n7\n', '\n8\n'), forged].join('\n'));
  assert.deepEqual(printed.of('pod-1'), []);
  assert.deepEqual(printed.findings('pod-1').map(describeFinding), [
    'the checkpoint in log:6 was made or changed by somebody else: it has no valid signature of this key',
    'the checkpoint in log:13 was made or changed by somebody else: it has no valid signature of this key',
  ]);
});

test('a verifier key is for its own log and that of the command line there, and for no other', async () => {
  const keys = keysOf([signer.verifierKey]);
  assert.equal((await read(note, keys)).of('pod-1').length, 1);
  assert.notEqual(keys.keyOf('rds-token-vendor/pod-1-cli'), null);
  for (const origin of ['rds-token-vendor/pod-2', 'rds-token-vendor/pod-1-cli-cli', 'rds-token-vendor/pod-1x', '']) {
    assert.equal(keys.keyOf(origin), null, origin);
  }
  const other = createCheckpointSigner('rds-token-vendor/pod-2', pair.privateKey);
  const printed = await read(`${other.sign({ size: 1, root: Buffer.alloc(32), time: 0 })}\n${note}`, keys);
  assert.deepEqual(printed.findings('pod-2').map(describeFinding), [
    'nothing here is proven: no verifier key was given for rds-token-vendor/pod-2',
  ]);
});

test('a text that is no verifier key is refused', () => {
  const [name, id, bytes] = signer.verifierKey.split('+', 3);
  for (const text of ['', 'x', `${name}+00000000+${bytes}`, `other+${id}+${bytes}`, `${name}+${id}+AAAA`]) {
    assert.throws(() => keysOf([text]), /it is no verifier key/, text);
  }
});

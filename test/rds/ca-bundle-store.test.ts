import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { assembleFetchedBundle } from '../../src/rds/assemble-fetched-bundle.ts';
import { readBuiltInBundle } from '../../src/rds/builtin-ca-bundles.ts';
import { createCaBundleStore, type StoredBundle } from '../../src/rds/ca-bundle-store.ts';
import { caBundleUrl } from '../../src/rds/ca-bundle-urls.ts';
import { MAX_CA_PEM_BYTES } from '../../src/rds/parse-ca-pem.ts';

const NOW = Date.parse('2026-11-24T10:15:00Z');
const ID = 'us-west-2';
const URL = caBundleUrl(ID);
const STORED = stored(ID);

test('what was saved is loaded again, also after a restart', async (t) => {
  const { directory, store } = emptyStore(t);
  await store.save(STORED, URL);
  assert.deepEqual(await store.load(ID, URL), STORED);
  assert.deepEqual(await createCaBundleStore(directory, () => NOW).load(ID, URL), STORED);
});

test('a bundle that was never saved is undefined, with and without the directory', async (t) => {
  const { directory, store } = emptyStore(t);
  assert.equal(await store.load(ID, URL), undefined);
  mkdirSync(directory);
  assert.equal(await store.load(ID, URL), undefined);
});

test('the directory is made 0700, the file 0600, and nothing else is left there', async (t) => {
  const { directory, file, store } = emptyStore(t);
  await store.save(STORED, URL);
  await store.save(STORED, URL);
  assert.deepEqual(readdirSync(directory), [`${ID}.json`]);
  assert.deepEqual([statSync(directory).mode & 0o777, statSync(file).mode & 0o777], [0o700, 0o600]);
});

test('a later save replaces an earlier one, and other bundles stay', async (t) => {
  const { store } = emptyStore(t);
  await store.save(stored('eu-west-1'), caBundleUrl('eu-west-1'));
  await store.save(STORED, URL);
  await store.save({ ...STORED, fetchedAt: NOW + 1 }, URL);
  assert.equal((await store.load(ID, URL))?.fetchedAt, NOW + 1);
  assert.equal((await store.load('eu-west-1', caBundleUrl('eu-west-1')))?.bundle.id, 'eu-west-1');
});

test('saves at the same time leave one whole copy', async (t) => {
  const { directory, store } = emptyStore(t);
  await Promise.all(Array.from({ length: 8 }, (_, i) => store.save({ ...STORED, fetchedAt: i }, URL)));
  assert.deepEqual((await store.load(ID, URL))?.bundle, STORED.bundle);
  assert.deepEqual(readdirSync(directory), [`${ID}.json`]);
});

test('a save that fails leaves the former copy and no temporary file', async (t) => {
  const { directory, file, store } = emptyStore(t);
  // A folder in the file's place: the rename fails after the temporary file was written.
  mkdirSync(join(file, 'x'), { recursive: true });
  await assert.rejects(store.save(STORED, URL));
  assert.deepEqual(readdirSync(directory), [`${ID}.json`]);
});

test('a directory that cannot be made fails the save', async (t) => {
  const { directory } = emptyStore(t);
  writeFileSync(directory, 'a file');
  await assert.rejects(createCaBundleStore(directory, () => NOW).save(STORED, URL));
});

test('a copy from another address is not used', async (t) => {
  const { file, store } = emptyStore(t);
  await store.save(STORED, 'https://mirror.example/us-west-2-bundle.pem');
  await assert.rejects(store.load(ID, URL), { message: `${file} was fetched from another address than ${URL}` });
});

test('a copy whose roots have all expired meanwhile is not used', async (t) => {
  const { directory, file, store } = emptyStore(t);
  await store.save(STORED, URL);
  const later = createCaBundleStore(directory, () => Date.parse('2200-01-01T00:00:00Z'));
  const why = 'holds no certificate that is valid now: all have expired, or none is valid yet';
  await assert.rejects(later.load(ID, URL), { message: `${file} ${why}` });
});

const DAMAGE: readonly [what: string, change: (copy: Record<string, unknown>) => unknown][] = [
  ['is of another version', (copy) => ({ ...copy, version: 2 })],
  ['is of another bundle', (copy) => ({ ...copy, id: 'us-east-1' })],
  ['has no time', (copy) => ({ ...copy, fetchedAt: undefined })],
  ['has a time in words', (copy) => ({ ...copy, fetchedAt: '2026-11-24' })],
  ['has no PEM', (copy) => ({ ...copy, pem: null })],
  ['has a changed PEM', (copy) => ({ ...copy, pem: `${String(copy['pem'])}#` })],
  ['has another digest', (copy) => ({ ...copy, sha256: '0'.repeat(64) })],
  ['has no digest', (copy) => ({ ...copy, sha256: undefined })],
  ['is null', () => null],
  ['is a list', (copy) => [copy]],
  ['is a number', () => 1],
];
for (const [what, change] of DAMAGE) {
  test(`a copy that ${what} is damaged, and the file is named`, async (t) => {
    const { file, store } = emptyStore(t);
    await store.save(STORED, URL);
    writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')))));
    await assert.rejects(store.load(ID, URL), { message: `${file} is damaged` });
  });
}

for (const [what, text] of [
  ['is empty', ''],
  ['was cut', '{"version":1,"id":"us-west-2","pem":"-----BEG'],
  ['is not JSON', 'secret words'],
  ['is binary', '\0\xff\ufeff'],
] as const) {
  test(`a copy that ${what} is damaged, and the text is not quoted`, async (t) => {
    const { directory, file, store } = emptyStore(t);
    mkdirSync(directory);
    writeFileSync(file, text);
    await assert.rejects(store.load(ID, URL), { message: `${file} is damaged` });
  });
}

test('a copy that is too big is not read', async (t) => {
  const { directory, file, store } = emptyStore(t);
  mkdirSync(directory);
  writeFileSync(file, Buffer.alloc(2 * MAX_CA_PEM_BYTES + 1, ' '));
  await assert.rejects(store.load(ID, URL), { message: `${file} is too big` });
});

test('a bundle of as many bytes as may be fetched can be loaded again', async (t) => {
  const { store } = emptyStore(t);
  const pem = STORED.bundle.pem + '\n'.repeat(MAX_CA_PEM_BYTES - STORED.bundle.pem.length);
  const full = { bundle: assembleFetchedBundle(ID, pem, NOW), fetchedAt: NOW };
  await store.save(full, URL);
  assert.deepEqual(await store.load(ID, URL), full);
});

function stored(id: string): StoredBundle {
  return { bundle: assembleFetchedBundle(id, readBuiltInBundle(id, NOW)?.pem ?? '', NOW), fetchedAt: NOW };
}

function emptyStore(t: TestContext) {
  const parent = mkdtempSync(join(tmpdir(), 'rtv-ca-store-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const directory = join(parent, 'ca');
  return { directory, file: join(directory, `${ID}.json`), store: createCaBundleStore(directory, () => NOW) };
}

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readBuiltInBundle } from '../../src/rds/builtin-ca-bundles.ts';
import { CaBundleError } from '../../src/rds/ca-bundle-error.ts';
import { MAX_CA_PEM_BYTES } from '../../src/rds/parse-ca-pem.ts';
import { readCaFile } from '../../src/rds/read-ca-file.ts';

const NOW = Date.parse('2026-11-24T10:15:00Z');
const PEM = readBuiltInBundle('eu-west-1', NOW)?.pem ?? '';
const folder = mkdtempSync(join(tmpdir(), 'rtv-ca-file-'));
after(() => rmSync(folder, { recursive: true }));

function written(name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

test('a file with the configured SHA-256 is read, whatever case the digits have', async () => {
  const file = written('good.pem', PEM);
  for (const digits of [sha256(PEM), sha256(PEM).toUpperCase()]) {
    const bundle = await readCaFile({ id: 'file-1', file, sha256: digits }, NOW);
    assert.deepEqual(
      [bundle.id, bundle.origin, bundle.sourceUrl, bundle.sha256, bundle.pem, bundle.certificates.length],
      ['file-1', 'file', null, sha256(PEM), PEM, 3],
    );
  }
});

test('a file with one changed byte is refused, naming both digests and the mend', async () => {
  const changed = PEM.replace('\n', '\n#\n');
  const file = written('changed.pem', changed);
  await refused(
    { file, sha256: sha256(PEM) },
    `The CA bundle ${file} has the SHA-256 ${sha256(changed)}, but ${sha256(PEM)} is configured. ` +
      'If the file was changed on purpose, write its new SHA-256 into caBundle.sha256.',
  );
});

const HOSTILE: readonly [what: string, content: string | Buffer, why: string][] = [
  ['words', 'hello', 'holds something other than a certificate at line 1'],
  ['nothing', '', 'holds no certificate'],
  ['bytes that are not UTF-8', Buffer.from(`# é\n${PEM}`, 'latin1'), 'holds bytes that are not UTF-8'],
  ['half a certificate', PEM.slice(0, 500), 'ends within the certificate that begins at line 1'],
];
for (const [what, content, why] of HOSTILE) {
  test(`a file of ${what} is refused although its SHA-256 is right`, async () => {
    const file = written('hostile.pem', content);
    await refused({ file, sha256: sha256(content) }, `The CA bundle ${file} ${why}.`);
  });
}

test('a missing file is refused by name', async () => {
  const file = join(folder, 'missing.pem');
  const why = `ENOENT: no such file or directory, stat '${file}'`;
  await refused({ file, sha256: sha256('') }, `The CA bundle ${file} cannot be read: ${why}.`);
});

test('a folder or a device is refused by name', async () => {
  for (const file of [folder, '/dev/null']) {
    await refused({ file, sha256: sha256('') }, `The CA bundle ${file} cannot be read: is not a file.`);
  }
});

test('a file of more than 2 MiB is not read', async () => {
  const file = written('big.pem', Buffer.alloc(MAX_CA_PEM_BYTES + 1, '#'));
  await refused({ file, sha256: sha256('') }, `The CA bundle ${file} cannot be read: has more than 2097152 bytes.`);
});

async function refused(options: { file: string; sha256: string }, message: string): Promise<void> {
  await assert.rejects(readCaFile({ id: 'file-1', ...options }, NOW), (error) => {
    assert.ok(error instanceof CaBundleError);
    assert.equal(error.message, message);
    return true;
  });
}

import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type LocalCa, makeCa } from '../../demo/certificate-authority.ts';
import { tlsContextOf } from '../../src/http/tls-options.ts';
import { clientOf, makeTlsMaterial, SERVER_NAMES, type TlsMaterial } from '../support/tls-material.ts';

const DAY_MS = 86_400_000;
const now = Date.now();
const PAST = { notBefore: now - 3 * DAY_MS, notAfter: now - 2 * DAY_MS };
const FUTURE = { notBefore: now + 2 * DAY_MS, notAfter: now + 3 * DAY_MS };

type Files = TlsMaterial['files'];

test('good files become what connections are made with', async (t) => {
  const { files, clientCa } = await makeTlsMaterial(t);
  const context = tlsContextOf(files, now);
  assert.equal(context.clientCertificates, 'optional');
  assert.deepEqual(context.clientCas, [clientCa.certPem]);
  assert.deepEqual([context.options.minVersion, context.options.maxVersion], ['TLSv1.2', 'TLSv1.3']);
  assert.equal(tlsContextOf({ ...files, clientCertificates: 'required' }, now).clientCertificates, 'required');
  const none = tlsContextOf({ ...files, clientCaFile: undefined }, now);
  assert.deepEqual([none.clientCertificates, none.clientCas], ['none', []]);
});

const GOOD: readonly [what: string, change: (files: Files, ca: LocalCa) => Promise<void> | void][] = [
  [
    'an RSA key',
    async ({ certFile, keyFile }, ca) => put(certFile, keyFile, await ca.issue(SERVER_NAMES, { rsaBits: 2048 })),
  ],
  [
    'a key in the form of EC PRIVATE KEY',
    ({ keyFile }) => rewrite(keyFile, (pem) => createPrivateKey(pem).export({ type: 'sec1', format: 'pem' })),
  ],
  [
    'explanations around the PEM',
    ({ certFile }) => rewrite(certFile, (pem) => `Bag Attributes\n    friendlyName: x\n${pem}\nend\n`),
  ],
  ['Windows line ends', ({ certFile }) => rewrite(certFile, (pem) => pem.replaceAll('\n', '\r\n'))],
  [
    'certificate and key in one file',
    ({ certFile, keyFile }) => {
      rewrite(certFile, (pem) => readFileSync(keyFile, 'utf8') + pem);
      writeFileSync(keyFile, readFileSync(certFile));
    },
  ],
  [
    'a certificate that is valid from tomorrow, because clocks differ',
    async ({ certFile, keyFile }, ca) => put(certFile, keyFile, await ca.issue(SERVER_NAMES, { validity: FUTURE })),
  ],
  [
    'a chain of two',
    async ({ certFile, keyFile }, ca) => put(certFile, keyFile, await (await ca.issueCa('below')).issue(SERVER_NAMES)),
  ],
  [
    'an expired client CA beside a good one',
    async ({ clientCaFile }) => {
      const expired = await makeCa('expired', PAST);
      rewrite(clientCaFile, (pem) => expired.certPem + pem);
    },
  ],
  [
    'a symbolic link, as a mounted Secret has',
    ({ certFile }) => {
      renameSync(certFile, `${certFile}.real`);
      symlinkSync(`${certFile}.real`, certFile);
    },
  ],
];
for (const [what, change] of GOOD) {
  test(`files with ${what} are taken`, async (t) => {
    const { files, serverCa } = await makeTlsMaterial(t);
    await change(files, serverCa);
    assert.ok(tlsContextOf(files, now).options.cert);
  });
}

const MISTAKES: readonly [what: string, change: (files: Files, ca: LocalCa) => Promise<void> | void, says: RegExp][] = [
  ['no certificate file', ({ certFile }) => rmSync(certFile), /tls\.certFile: \/.*tls\.crt cannot be read: ENOENT/],
  ['no key file', ({ keyFile }) => rmSync(keyFile), /tls\.keyFile: \/.*tls\.key cannot be read: ENOENT/],
  [
    'no CA file',
    ({ clientCaFile }) => rmSync(clientCaFile),
    /tls\.clientCaFile: \/.*clients\.pem cannot be read: ENOENT/,
  ],
  [
    'a folder for the certificate',
    ({ certFile }) => {
      rmSync(certFile);
      mkdirSync(certFile);
    },
    /tls\.certFile: .* it is not a regular file/,
  ],
  [
    'a certificate file of 3 MiB',
    ({ certFile }) => rewrite(certFile, (pem) => pem + ' '.repeat(3 << 20)),
    /has more than 2097152 bytes/,
  ],
  ['an empty certificate file', ({ certFile }) => rewrite(certFile, () => ''), /tls\.crt holds no certificate/],
  ['an empty key file', ({ keyFile }) => rewrite(keyFile, () => ''), /tls\.key holds no private key/],
  ['an empty CA file', ({ clientCaFile }) => rewrite(clientCaFile, () => ''), /clients\.pem holds no certificate/],
  [
    'a certificate that is half written',
    ({ certFile }) => rewrite(certFile, (pem) => pem.slice(0, 300)),
    /holds no certificate/,
  ],
  [
    'a chain whose second half is missing',
    ({ certFile }) => rewrite(certFile, (pem) => pem + pem.slice(0, 300)),
    /holds a certificate that is cut short/,
  ],
  [
    'a certificate with a damaged byte',
    ({ certFile }) => rewrite(certFile, (pem) => pem.replace('MII', 'AAA')),
    /a certificate that cannot be read \(number 1\)/,
  ],
  [
    'a key that is half written',
    ({ keyFile }) => rewrite(keyFile, (pem) => pem.slice(0, 120)),
    /a private key that cannot be read/,
  ],
  [
    'a damaged key',
    ({ keyFile }) => rewrite(keyFile, (pem) => pem.replace('MI', 'AA')),
    /a private key that cannot be read/,
  ],
  [
    'certificate and key exchanged',
    ({ certFile, keyFile }) => {
      const cert = readFileSync(certFile);
      writeFileSync(certFile, readFileSync(keyFile));
      writeFileSync(keyFile, cert);
    },
    /tls\.crt holds no certificate/,
  ],
  [
    'the key of another certificate',
    async ({ keyFile }, ca) => writeFileSync(keyFile, (await ca.issue(SERVER_NAMES)).keyPem),
    /tls\.key is not the key of the certificate in .*tls\.crt/,
  ],
  [
    'a key of another kind',
    ({ keyFile }) =>
      writeFileSync(
        keyFile,
        generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
      ),
    /is not the key of the certificate/,
  ],
  [
    'a chain in the wrong order',
    async ({ certFile }, ca) => rewrite(certFile, (pem) => ca.certPem + pem),
    /is the key of another certificate in .* than the first/,
  ],
  [
    'an encrypted key',
    ({ keyFile }) =>
      rewrite(keyFile, (pem) =>
        createPrivateKey(pem).export({
          type: 'pkcs8',
          format: 'pem',
          cipher: 'aes-256-cbc',
          passphrase: 'secret-word',
        }),
      ),
    /tls\.key is encrypted/,
  ],
  [
    'a key encrypted the old way',
    ({ keyFile }) =>
      rewrite(keyFile, (pem) =>
        createPrivateKey(pem).export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret-word' }),
      ),
    /tls\.key is encrypted/,
  ],
  [
    'an RSA key of 1024 bits',
    async ({ certFile, keyFile }, ca) => put(certFile, keyFile, await ca.issue(SERVER_NAMES, { rsaBits: 1024 })),
    /OpenSSL does not take .*tls\.crt with .*tls\.key: .*key too small/,
  ],
  [
    'an expired certificate',
    async ({ certFile, keyFile }, ca) => put(certFile, keyFile, await ca.issue(SERVER_NAMES, { validity: PAST })),
    /tls\.crt expired at \d{4}-.*Z/,
  ],
];
for (const [what, change, says] of MISTAKES) {
  test(`files with ${what} are refused, in words that name file and mend`, async (t) => {
    const { files, serverCa } = await makeTlsMaterial(t);
    const contents = [files.certFile, files.keyFile].map((file) => readFileSync(file, 'utf8'));
    await change(files, serverCa);
    assert.throws(
      () => tlsContextOf(files, now),
      (error) => {
        assert.ok(error instanceof Error);
        assert.match(error.message, says);
        assert.match(error.message, /^server\.tls\.\w+: .*\.$/s);
        for (const line of contents
          .join('')
          .split('\n')
          .filter((text) => text.length > 20 && !text.startsWith('-'))) {
          assert.ok(!error.message.includes(line));
        }
        return true;
      },
    );
  });
}

const CA_MISTAKES: readonly [what: string, pem: (ca: LocalCa) => Promise<string> | string, says: RegExp][] = [
  ["a client's own certificate", async (ca) => (await clientOf(ca, 'c')).certPem, /holds CN=c, which is not a CA/],
  ['a private key', async (ca) => ca.certPem + (await clientOf(ca, 'c')).keyPem, /clients\.pem holds a private key/],
  ['a CA without its root', async (ca) => (await ca.issueCa('below')).certPem, /holds CN=below without its issuer/],
  ['expired CAs only', async () => (await makeCa('old', PAST)).certPem, /holds expired CAs only/],
  ['a CA that is cut short', (ca) => ca.certPem + ca.certPem.slice(0, 200), /is cut short/],
  ['something else', () => 'clients\n', /holds no certificate/],
];
for (const [what, pem, says] of CA_MISTAKES) {
  test(`a CA file with ${what} is refused`, async (t) => {
    const { files, clientCa } = await makeTlsMaterial(t);
    writeFileSync(files.clientCaFile, await pem(clientCa));
    assert.throws(() => tlsContextOf(files, now), says);
  });
}

test('certificates that are required, but of no CA, are a mistake', async (t) => {
  const { files } = await makeTlsMaterial(t);
  const required = { ...files, clientCertificates: 'required', clientCaFile: undefined } as const;
  assert.throws(
    () => tlsContextOf(required, now),
    /clientCertificates: they are required, but clientCaFile names no CA/,
  );
});

test('a CA with its root is taken, whichever stands first', async (t) => {
  const { files, clientCa } = await makeTlsMaterial(t);
  const below = await clientCa.issueCa('below');
  for (const pems of [
    [below, clientCa],
    [clientCa, below],
  ]) {
    writeFileSync(files.clientCaFile, pems.map(({ certPem }) => certPem).join(''));
    const names = tlsContextOf(files, now).clientCas.map((pem) => new X509Certificate(pem).subject);
    assert.deepEqual(new Set(names), new Set(['CN=client CA', 'CN=below']));
  }
});

function put(certFile: string, keyFile: string, { certPem, keyPem }: { certPem: string; keyPem: string }): void {
  writeFileSync(certFile, certPem);
  writeFileSync(keyFile, keyPem);
}

function rewrite(file: string, change: (pem: string) => string | Buffer): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

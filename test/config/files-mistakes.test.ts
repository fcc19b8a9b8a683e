import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type LocalCa, makeCa } from '../../demo/certificate-authority.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { loadText, problemsOf, VALID, withChange } from '../support/config-file.ts';
import { type Mistake, testMistakes } from '../support/config-mistakes.ts';
import { makeTlsMaterial, SERVER_NAMES, type TlsMaterial } from '../support/tls-material.ts';

/* Files that the configuration names: those that are not there, and those of TLS that hold something else. */

const MISSING =
  "the file /no/such does not exist. Correct the path (a relative one starts at the configuration's folder) or the file's permissions.";

/** A row whose second issuer has this. */
function issuer(what: string, written: string, ...problems: string[]): Mistake {
  return [what, '  - name: corp', `  - ${written}\n    name: corp`, ...problems];
}

const mistakes: readonly Mistake[] = [
  issuer(
    'a token for the keys that is not there',
    'bearerTokenFile: /no/such',
    `7:22: issuers[1].bearerTokenFile: ${MISSING}`,
  ),
  issuer(
    'a token for token reviews that is not there',
    'kubernetes: { tokenReview: true, tokenFile: /no/such, caFile: / }',
    `7:49: issuers[1].kubernetes.tokenFile: ${MISSING}`,
    "7:67: issuers[1].kubernetes.caFile: the file / is not a regular file. Correct the path (a relative one starts at the configuration's folder) or the file's permissions.",
  ),
  issuer(
    'a token for an API server on this machine that is not there',
    'kubernetes: { tokenReview: true, apiServer: "http://127.0.0.1:8001", tokenFile: /no/such, caFile: /no/such }',
    `7:85: issuers[1].kubernetes.tokenFile: ${MISSING}`,
  ),
  [
    'files of the server that counts, which are not there',
    '  perCaller: 20/s',
    '  store: { type: redis, host: valkey, passwordFile: /no/such, caFile: /no/such }',
    `28:53: limits.store.passwordFile: ${MISSING}`,
    `28:71: limits.store.caFile: ${MISSING}`,
  ],
  [
    'files of TLS that are not there',
    'port: 8080',
    'tls: { certFile: /no/such, keyFile: /no/such, clientCaFile: /no/such }',
    `2:20: server.tls.certFile: ${MISSING}`,
    `2:39: server.tls.keyFile: ${MISSING}`,
    `2:63: server.tls.clientCaFile: ${MISSING}`,
  ],
  [
    'TLS without a key',
    'port: 8080',
    'tls: { certFile: /no/such }',
    "2:3: server.tls.keyFile is missing. Write a file's path; a relative one starts at this file's folder.",
  ],
  [
    'certificates that are neither optional nor required',
    'port: 8080',
    'tls: { certFile: /no/such, keyFile: /no/such, clientCertificates: "yes" }',
    '2:69: server.tls.clientCertificates cannot be "yes". Write one of: optional, required.',
  ],
];

testMistakes(mistakes);

for (const [what, written] of [
  ['what the kubelet puts into every pod', 'kubernetes: { tokenReview: true }'],
  [
    'what the kubelet puts into every pod, for the keys',
    'bearerTokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token',
  ],
  ['files of a cluster that is not asked', 'kubernetes: { tokenFile: /no/such, caFile: /no/such }'],
] as const) {
  test(`${what} need not be where the configuration is checked`, () => {
    assert.deepEqual(problemsOf(withChange('  - name: corp', `  - ${written}\n    name: corp`)), []);
  });
}

type Files = TlsMaterial['files'];

function withTls({ certFile, keyFile, clientCaFile }: Files, more = ''): string {
  const tls = `{ certFile: ${certFile}, keyFile: ${keyFile}, clientCaFile: ${clientCaFile}${more} }`;
  return withChange('port: 8080', `tls: ${tls}`);
}

const GOOD: readonly [what: string, change: (files: Files, ca: LocalCa) => Promise<void> | void][] = [
  ['as they are issued', () => undefined],
  [
    'with a chain and an RSA key',
    async ({ certFile, keyFile }, ca) => {
      const below = await ca.issueCa('below');
      const { certPem, keyPem } = await below.issue(SERVER_NAMES, { rsaBits: 2048 });
      writeFileSync(certFile, certPem);
      writeFileSync(keyFile, keyPem);
    },
  ],
  [
    'in one file',
    ({ certFile, keyFile }) => {
      writeFileSync(certFile, readFileSync(keyFile, 'utf8') + readFileSync(certFile, 'utf8'));
      writeFileSync(keyFile, readFileSync(certFile));
    },
  ],
  [
    'with explanations, a key in another form and Windows line ends',
    ({ certFile, keyFile }) => {
      writeFileSync(certFile, `Bag Attributes\n    friendlyName: x\n${readFileSync(certFile, 'utf8')}`);
      const key = createPrivateKey(readFileSync(keyFile)).export({ type: 'sec1', format: 'pem' });
      writeFileSync(keyFile, key.replaceAll('\n', '\r\n'));
    },
  ],
];
for (const [what, change] of GOOD) {
  test(`a certificate and its key ${what} are accepted`, async (t) => {
    const { files, serverCa } = await makeTlsMaterial(t);
    await change(files, serverCa);
    assert.deepEqual(problemsOf(withTls(files, ', clientCertificates: required')), []);
  });
}

const DAY_MS = 86_400_000;
const YESTERDAY = { notBefore: Date.now() - 3 * DAY_MS, notAfter: Date.now() - DAY_MS };
const NO_CERTIFICATE = "holds no certificate in PEM. Give it the server's own certificate, then the chain.";
const NO_KEY =
  'holds no private key that can be read. Give it a private key in PEM without a passphrase, and protect the file.';
const NO_PAIR =
  "is not the key of the certificate in certFile. Give the two that were issued together; the server's own certificate stands first.";

type TlsMistake = readonly [
  what: string,
  change: (material: TlsMaterial) => Promise<void> | void,
  key: 'certFile' | 'keyFile' | 'clientCaFile',
  says: string | RegExp,
];

const TLS_MISTAKES: readonly TlsMistake[] = [
  ['an empty certificate', ({ files }) => writeFileSync(files.certFile, ''), 'certFile', NO_CERTIFICATE],
  [
    'a key for a certificate',
    ({ files }) => writeFileSync(files.certFile, readFileSync(files.keyFile)),
    'certFile',
    NO_CERTIFICATE,
  ],
  [
    'a certificate that is cut short',
    ({ files }) => writeFileSync(files.certFile, readFileSync(files.certFile, 'utf8').slice(0, 200)),
    'certFile',
    NO_CERTIFICATE,
  ],
  [
    'a certificate for a key',
    ({ files }) => writeFileSync(files.keyFile, readFileSync(files.certFile)),
    'keyFile',
    NO_KEY,
  ],
  [
    'an encrypted key',
    ({ files }) => {
      const key = createPrivateKey(readFileSync(files.keyFile));
      const how = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const;
      writeFileSync(files.keyFile, key.export(how));
    },
    'keyFile',
    NO_KEY,
  ],
  [
    'the key of another certificate',
    ({ files }) => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      writeFileSync(files.keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    },
    'keyFile',
    NO_PAIR,
  ],
  [
    "the CA's certificate before the server's own",
    ({ files, serverCa }) => writeFileSync(files.certFile, serverCa.certPem + readFileSync(files.certFile, 'utf8')),
    'keyFile',
    NO_PAIR,
  ],
  [
    'a certificate that has expired',
    async ({ serverCa, putServerCertificate }) =>
      putServerCertificate(await serverCa.issue(SERVER_NAMES, { validity: YESTERDAY })),
    'certFile',
    /holds a certificate that expired at \d{4}-\d\d-\d\dT[\d:.]+Z\. Give it one that is valid\./,
  ],
  [
    'no CA for clients',
    ({ files }) => writeFileSync(files.clientCaFile, 'none\n'),
    'clientCaFile',
    'holds no certificate in PEM. Give it CA certificates.',
  ],
];
for (const [what, change, key, says] of TLS_MISTAKES) {
  test(`TLS with ${what} is refused where the file is named, with the mend`, async (t) => {
    const material = await makeTlsMaterial(t);
    await change(material);
    const [problem = '', ...more] = problemsOf(withTls(material.files));
    assert.deepEqual(more, []);
    const beginning = new RegExp(`^2:\\d+: server\\.tls\\.${key}: the file ${material.files[key]} `);
    assert.match(problem, beginning);
    const rest = problem.replace(beginning, '');
    if (typeof says === 'string') assert.equal(rest, says);
    else assert.match(rest, says);
  });
}

test('client certificates that are required without a CA for them are refused where it is said', async (t) => {
  const { files } = await makeTlsMaterial(t);
  const text = withTls(files, ', clientCertificates: required').replace(`, clientCaFile: ${files.clientCaFile}`, '');
  const [problem = '', ...more] = problemsOf(text);
  assert.deepEqual(more, []);
  assert.match(
    problem,
    /^2:\d+: server\.tls\.clientCertificates is required, but no CA is named that they come from\. Add clientCaFile\.$/,
  );
});

test('a mistake elsewhere hides no mistake in the files of TLS', () => {
  const text = VALID.replace('port: 8080', 'prot: 8080\n  tls: { certFile: /no/such, keyFile: / }');
  assert.deepEqual(
    problemsOf(text).map((problem) => problem.split(' ')[1]),
    ['server.prot', 'server.tls.certFile:', 'server.tls.keyFile:'],
  );
});

test('relative files of TLS start at the folder of the configuration', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-config-'));
  try {
    const ca = await makeCa('CA');
    const { certPem, keyPem } = await ca.issue(SERVER_NAMES);
    for (const [name, pem] of [
      ['tls.crt', certPem],
      ['tls.key', keyPem],
      ['ca.pem', ca.certPem],
    ] as const) {
      writeFileSync(join(folder, name), pem);
    }
    const tls = '{ certFile: tls.crt, keyFile: ./tls.key, clientCaFile: ca.pem }';
    writeFileSync(join(folder, 'config.yaml'), withChange('port: 8080', `tls: ${tls}`));
    const { config } = loadConfig(join(folder, 'config.yaml'));
    assert.deepEqual(config.server.tls, {
      certFile: join(folder, 'tls.crt'),
      keyFile: join(folder, 'tls.key'),
      clientCaFile: join(folder, 'ca.pem'),
      clientCertificates: 'optional',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.equal(loadText(VALID).config.server.tls, undefined);
});

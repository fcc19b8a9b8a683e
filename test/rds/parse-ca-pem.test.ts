import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, test } from 'node:test';
import { readBuiltInBundle } from '../../src/rds/builtin-ca-bundles.ts';
import { MAX_CA_PEM_BYTES, parseCaPem } from '../../src/rds/parse-ca-pem.ts';
import { makeCa } from '../../demo/certificate-authority.ts';

const NOW = Date.parse('2026-11-24T10:15:00Z');
const DAY = 86_400_000;
const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

/** Three real roots of us-west-2, in the order of AWS's file. */
const REGION = readBuiltInBundle('us-west-2', NOW)?.pem ?? '';
const FIRST = REGION.slice(0, REGION.indexOf(END) + END.length + 1);

let corporate = '';
let expired = '';
let future = '';
let leaf = '';
let privateKey = '';

before(async () => {
  const ca = await makeCa('Corp', { notBefore: NOW - DAY, notAfter: NOW + DAY });
  corporate = ca.certPem;
  ({ certPem: leaf, keyPem: privateKey } = await ca.issue({ dnsNames: ['localhost'] }));
  expired = (await makeCa('Old', { notBefore: NOW - 2 * DAY, notAfter: NOW - DAY })).certPem;
  future = (await makeCa('New', { notBefore: NOW + DAY, notAfter: NOW + 2 * DAY })).certPem;
});

test('a root of AWS is read with its CA id, fingerprints and dates', () => {
  const [root] = parseCaPem(FIRST, NOW);
  const x509 = new X509Certificate(FIRST);
  assert.equal(root?.caId, 'rds-ca-rsa2048-g1');
  assert.match(root.subject, /(?:^|, )CN=Amazon RDS us-west-2 Root CA RSA2048 G1(?:,|$)/);
  assert.equal(root.sha256, x509.fingerprint256.replaceAll(':', '').toLowerCase());
  assert.equal(root.sha1, x509.fingerprint.replaceAll(':', '').toLowerCase());
  assert.deepEqual([root.notBefore, root.notAfter], [Date.parse(x509.validFrom), Date.parse(x509.validTo)]);
});

test('the certificates of a file come in its order', () => {
  assert.deepEqual(
    parseCaPem(REGION, NOW).map(({ caId }) => caId),
    ['rds-ca-rsa2048-g1', 'rds-ca-rsa4096-g1', 'rds-ca-ecc384-g1'],
  );
});

test('a CA that is not an RDS root has no CA id', () => {
  assert.deepEqual(
    parseCaPem(corporate, NOW).map(({ caId, subject }) => [caId, subject]),
    [[null, 'CN=Corp']],
  );
});

for (const name of [
  'Amazon RDS Root 2019 CA',
  'Amazon RDS Preview us-east-2 Root CA RSA2048 G1',
  'Amazon RDS us-west-2 Root CA RSA2048 G1 ',
  'x Amazon RDS us-west-2 Root CA RSA2048 G1',
  'Amazon RDS us-west-2 2019 CA',
]) {
  test(`the common name “${name}” gives no CA id`, async () => {
    const { certPem } = await makeCa(name, { notBefore: NOW - DAY, notAfter: NOW + DAY });
    assert.equal(parseCaPem(certPem, NOW)[0]?.caId, null);
  });
}

const GOOD: readonly [what: string, pem: () => string, certificates: number][] = [
  ['comments and blank lines', () => `# us-west-2\n\n${FIRST}\n# end\n   \n`, 1],
  ['CRLF line ends', () => FIRST.replaceAll('\n', '\r\n'), 1],
  ['no line end at the end', () => FIRST.trimEnd(), 1],
  ['a certificate twice', () => FIRST + FIRST, 1],
  ['an expired certificate beside a valid one', () => expired + FIRST, 2],
  ['a certificate that is not valid yet beside a valid one', () => FIRST + future, 2],
  ['a body on one line', () => FIRST.replace(/(?<=[A-Za-z0-9+/=])\n(?=[A-Za-z0-9+/=])/g, ''), 1],
];
for (const [what, pem, certificates] of GOOD) {
  test(`a file with ${what} is read`, () => assert.equal(parseCaPem(pem(), NOW).length, certificates));
}

const NOT_VALID = 'holds no certificate that is valid now: all have expired, or none is valid yet';
const BAD: readonly [what: string, pem: () => string, message: string][] = [
  ['nothing', () => '', 'holds no certificate'],
  ['comments only', () => '# soon\n', 'holds no certificate'],
  ['an HTML page', () => '<!doctype html><title>404</title>', 'holds something other than a certificate at line 1'],
  ['a byte order mark', () => `\ufeff${FIRST}`, 'holds something other than a certificate at line 1'],
  [
    'words after a certificate',
    () => `${FIRST}ok\n`,
    `holds something other than a certificate at line ${lines(FIRST) + 1}`,
  ],
  [
    'an indented certificate',
    () => FIRST.replace(BEGIN, ` ${BEGIN}`),
    'holds something other than a certificate at line 1',
  ],
  [
    'a trusted certificate',
    () => FIRST.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE'),
    'holds something other than a certificate at line 1',
  ],
  ['a revocation list', () => '-----BEGIN X509 CRL-----\n', 'holds something other than a certificate at line 1'],
  [
    'a private key',
    () => FIRST + privateKey,
    `holds a private key at line ${lines(FIRST) + 1}; write certificates only`,
  ],
  [
    'a private key within a certificate',
    () => `${BEGIN}\n${privateKey}`,
    'holds a private key at line 2; write certificates only',
  ],
  ['a cut end', () => FIRST.slice(0, FIRST.indexOf(END)), 'ends within the certificate that begins at line 1'],
  [
    'a cut second certificate',
    () => FIRST + FIRST.slice(0, 200),
    `ends within the certificate that begins at line ${lines(FIRST) + 1}`,
  ],
  ['a missing end', () => FIRST.replace(`${END}\n`, '') + FIRST, 'holds a certificate that cannot be read at line 1'],
  ['an empty certificate', () => `${BEGIN}\n${END}\n`, 'holds a certificate that cannot be read at line 1'],
  ['a certificate of words', () => `${BEGIN}\naGVsbG8=\n${END}\n`, 'holds a certificate that cannot be read at line 1'],
  [
    'a certificate that is not base64',
    () => FIRST.replace('MII', 'M*I'),
    'holds a certificate that cannot be read at line 1',
  ],
  [
    'base64url',
    () => FIRST.replaceAll('+', '-').replaceAll('/', '_'),
    'holds a certificate that cannot be read at line 1',
  ],
  [
    'bytes after the certificate',
    () => pemOf(Buffer.concat([derOf(FIRST), Buffer.alloc(3)])),
    'holds a certificate that cannot be read at line 1',
  ],
  ['a cut certificate', () => pemOf(derOf(FIRST).subarray(0, -1)), 'holds a certificate that cannot be read at line 1'],
  ['a server certificate', () => FIRST + leaf, `holds a certificate that is not a CA's at line ${lines(FIRST) + 1}`],
  ['expired certificates only', () => expired, NOT_VALID],
  ['certificates that are not valid yet only', () => future, NOT_VALID],
  ['expired and future certificates', () => expired + future, NOT_VALID],
  ['more than 2 MiB', () => `${FIRST}#${'x'.repeat(MAX_CA_PEM_BYTES - FIRST.length)}`, 'has more than 2097152 bytes'],
];
for (const [what, pem, message] of BAD) {
  test(`a file with ${what} is refused: it ${message}`, () => {
    assert.throws(() => parseCaPem(pem(), NOW), { message });
  });
}

test('a file of exactly 2 MiB is read', () => {
  assert.equal(parseCaPem(`${FIRST}#${'x'.repeat(MAX_CA_PEM_BYTES - FIRST.length - 1)}`, NOW).length, 1);
});

test('a certificate is valid from its first millisecond until just before its last', () => {
  assert.equal(parseCaPem(corporate, NOW - DAY).length, 1);
  assert.equal(parseCaPem(corporate, NOW + DAY - 1).length, 1);
  assert.throws(() => parseCaPem(corporate, NOW - DAY - 1), { message: NOT_VALID });
  assert.throws(() => parseCaPem(corporate, NOW + DAY), { message: NOT_VALID });
});

function lines(text: string): number {
  return text.split('\n').length - 1;
}

function derOf(pem: string): Buffer {
  return new X509Certificate(pem).raw;
}

function pemOf(der: Buffer): string {
  return `${BEGIN}\n${der.toString('base64')}\n${END}\n`;
}

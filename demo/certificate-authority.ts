import 'reflect-metadata';
import { KeyObject, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** A certificate and its private key, PEM. */
export type Issued = { readonly certPem: string; readonly keyPem: string };

/** A CA of the sandbox or of one test, which issues server certificates, or what `changes` says. */
export type LocalCa = {
  readonly certPem: string;
  issue(names: Names, changes?: Changes): Promise<Issued>;
  /** A CA below this one. What it issues comes with its own certificate behind. */
  issueCa(name: string): Promise<LocalCa>;
};

export type Names = { readonly dnsNames?: readonly string[]; readonly ips?: readonly string[] };

export type Changes = {
  readonly validity?: Validity;
  /** Extended key usages. */
  readonly usages?: readonly (keyof typeof x509.ExtendedKeyUsage)[];
  /** Elliptic-curve keys unless said otherwise. */
  readonly rsaBits?: number;
};

/** When a certificate is valid, milliseconds since the epoch. */
export type Validity = { readonly notBefore: number; readonly notAfter: number };

const DAY_MS = 86_400_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Makes a CA of this common name, valid from yesterday for a week unless said otherwise, as its certificates are. */
export async function makeCa(name: string, validity: Validity = thisWeek()): Promise<LocalCa> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [name] }],
    ...datesOf(validity),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: await caExtensions(keys),
  });
  return caOf(certificate, keys, validity, '');
}

/** @param chain PEM of the CAs between what it issues and its root */
function caOf(ca: x509.X509Certificate, caKeys: webcrypto.CryptoKeyPair, validity: Validity, chain: string): LocalCa {
  const signing = { issuer: ca.subject, signingKey: caKeys.privateKey, signingAlgorithm: ALGORITHM };
  return {
    certPem: pemOf(ca),
    async issue({ dnsNames = [], ips = [] }, changes = {}) {
      const keys = await (changes.rsaBits === undefined ? makeKeys() : makeRsaKeys(changes.rsaBits));
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: [{ CN: [dnsNames[0] ?? ips[0] ?? 'nobody'] }],
        ...signing,
        ...datesOf(changes.validity ?? validity),
        publicKey: keys.publicKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
          new x509.ExtendedKeyUsageExtension(
            (changes.usages ?? ['serverAuth']).map((usage) => x509.ExtendedKeyUsage[usage]),
          ),
          new x509.SubjectAlternativeNameExtension([
            ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
            ...ips.map((value) => ({ type: 'ip' as const, value })),
          ]),
          await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
        ],
      });
      return { certPem: pemOf(certificate) + chain, keyPem: privateKeyPem(keys.privateKey) };
    },
    async issueCa(name) {
      const keys = await makeKeys();
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: [{ CN: [name] }],
        ...signing,
        ...datesOf(validity),
        publicKey: keys.publicKey,
        extensions: await caExtensions(keys),
      });
      return caOf(certificate, keys, validity, pemOf(certificate) + chain);
    },
  };
}

async function caExtensions({ publicKey }: webcrypto.CryptoKeyPair): Promise<x509.Extension[]> {
  return [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
  ];
}

function datesOf({ notBefore, notAfter }: Validity): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
}

function pemOf(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

function thisWeek(): Validity {
  return { notBefore: Date.now() - DAY_MS, notAfter: Date.now() + 7 * DAY_MS };
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function makeRsaKeys(modulusLength: number): Promise<webcrypto.CryptoKeyPair> {
  const publicExponent = new Uint8Array([1, 0, 1]);
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength, publicExponent };
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

/** Positive, as RFC 5280 §4.1.2.2 asks. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function privateKeyPem(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' });
}

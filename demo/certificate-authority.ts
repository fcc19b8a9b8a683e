import 'reflect-metadata';
import { KeyObject, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** A certificate and its private key, PEM. */
export type Issued = { readonly certPem: string; readonly keyPem: string };

/** A self-signed CA of the sandbox or of one test, which issues server certificates. */
export type LocalCa = {
  readonly certPem: string;
  issue(names: { dnsNames?: readonly string[]; ips?: readonly string[] }): Promise<Issued>;
};

/** When a certificate is valid, milliseconds since the epoch. */
export type Validity = { readonly notBefore: number; readonly notAfter: number };

const DAY_MS = 86_400_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Makes a CA of this common name, valid from yesterday for a week unless said otherwise, as its certificates are. */
export async function makeCa(name: string, validity: Validity = thisWeek()): Promise<LocalCa> {
  const dates = { notBefore: new Date(validity.notBefore), notAfter: new Date(validity.notAfter) };
  const caKeys = await makeKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [name] }],
    ...dates,
    keys: caKeys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  return {
    certPem: `${ca.toString('pem')}\n`,
    async issue({ dnsNames = [], ips = [] }) {
      const keys = await makeKeys();
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: [{ CN: [dnsNames[0] ?? ips[0] ?? 'nobody'] }],
        issuer: ca.subject,
        ...dates,
        publicKey: keys.publicKey,
        signingKey: caKeys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          new x509.SubjectAlternativeNameExtension([
            ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
            ...ips.map((value) => ({ type: 'ip' as const, value })),
          ]),
          await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
        ],
      });
      return { certPem: `${certificate.toString('pem')}\n`, keyPem: privateKeyPem(keys.privateKey) };
    },
  };
}

function thisWeek(): Validity {
  return { notBefore: Date.now() - DAY_MS, notAfter: Date.now() + 7 * DAY_MS };
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
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

import { createHash, X509Certificate } from 'node:crypto';
import type { CaCertificate } from './ca-bundle.ts';

/** The largest bundle that is read, bytes. AWS's global bundle has about 170,000. */
export const MAX_CA_PEM_BYTES = 2 * 1024 * 1024;

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';
const RDS_ROOT = /^Amazon RDS [a-z0-9-]+ Root CA ([A-Z0-9]+) (G\d+)$/;

/**
 * Reads a file of CA certificates, each between `BEGIN CERTIFICATE` and `END CERTIFICATE`, with nothing else in it but
 * blank lines and comment lines that begin with `#`. It is strict because clients trust what it passes: no other kind
 * of block, no certificate that is not a CA's, at least one certificate that is valid at `now` (milliseconds since the
 * epoch). Expired ones beside a valid one are let through, as AWS publishes old and new roots side by side.
 * A certificate that is there twice is returned once.
 *
 * @throws {Error} whose message says what is wrong and at which line; it never quotes the text
 */
export function parseCaPem(pem: string, now: number): CaCertificate[] {
  if (Buffer.byteLength(pem) > MAX_CA_PEM_BYTES) throw new Error(`has more than ${MAX_CA_PEM_BYTES} bytes`);
  const certificates = new Map<string, CaCertificate>();
  for (const { body, line } of blocksOf(pem)) {
    const certificate = readCertificate(body, line);
    certificates.set(certificate.sha256, certificate);
  }
  const all = [...certificates.values()];
  if (all.length === 0) throw new Error('holds no certificate');
  if (!all.some(({ notBefore, notAfter }) => notBefore <= now && now < notAfter)) {
    throw new Error('holds no certificate that is valid now: all have expired, or none is valid yet');
  }
  return all;
}

function blocksOf(pem: string): { readonly body: string; readonly line: number }[] {
  const blocks: { body: string; line: number }[] = [];
  let open: { body: string; line: number } | undefined;
  for (const [index, raw] of pem.split('\n').entries()) {
    const text = raw.trimEnd();
    const line = index + 1;
    if (/^-----BEGIN .*PRIVATE KEY-----$/.test(text))
      throw new Error(`holds a private key at line ${line}; write certificates only`);
    if (open !== undefined && text === END) {
      blocks.push(open);
      open = undefined;
    } else if (open !== undefined) {
      open.body += text;
    } else if (text === BEGIN) {
      open = { body: '', line };
    } else if (text !== '' && !text.startsWith('#')) {
      throw new Error(`holds something other than a certificate at line ${line}`);
    }
  }
  if (open !== undefined) throw new Error(`ends within the certificate that begins at line ${open.line}`);
  return blocks;
}

function readCertificate(body: string, line: number): CaCertificate {
  const der = Buffer.from(body, 'base64');
  const x509 = decode(der);
  // OpenSSL ignores what follows the certificate within a block; other clients may not.
  if (x509 === undefined || der.toString('base64') !== body || !x509.raw.equals(der)) {
    throw new Error(`holds a certificate that cannot be read at line ${line}`);
  }
  if (!x509.ca) throw new Error(`holds a certificate that is not a CA's at line ${line}`);
  return {
    subject: x509.subject.replaceAll('\n', ', '),
    caId: rdsCaId(x509.subject),
    sha256: createHash('sha256').update(der).digest('hex'),
    sha1: createHash('sha1').update(der).digest('hex'),
    notBefore: x509.validFromDate.getTime(),
    notAfter: x509.validToDate.getTime(),
  };
}

function decode(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** AWS's name of a CA, from the common name it gives the CA's root: `Amazon RDS us-west-2 Root CA RSA2048 G1`. */
function rdsCaId(subject: string): string | null {
  const [, key, generation] = RDS_ROOT.exec(commonName(subject)) ?? [];
  return key === undefined || generation === undefined ? null : `rds-ca-${key}-${generation}`.toLowerCase();
}

function commonName(subject: string): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? '';
}

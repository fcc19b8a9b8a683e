import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { whyUnreadable } from './check-files.ts';
import { type Finding, type Findings, formatPath } from './config-problem.ts';
import type { Parts } from './parts.ts';

/**
 * Checks that the files of `server.tls` hold a certificate and its key. What OpenSSL itself has against them shows when the
 * service starts; files that cannot be read are `checkFiles`' finding.
 */
export function checkServerTls(
  { tls }: Parts,
  { folder, now }: { readonly folder: string; readonly now: number },
): Findings {
  const errors: Finding[] = [];
  if (tls === null) return { errors, warnings: [] };
  const { certFile, keyFile, clientCaFile, clientCertificates } = tls;
  if (clientCertificates === 'required' && clientCaFile === undefined) {
    const path = ['server', 'tls', 'clientCertificates'];
    const message = `${formatPath(path)} is required, but no CA is named that they come from.`;
    errors.push({ path, message, mend: 'Add clientCaFile.' });
  }
  const certificate = read(resolve(folder, certFile), (pem) => new X509Certificate(pem));
  const key = read(resolve(folder, keyFile), createPrivateKey);
  if (clientCaFile !== undefined && read(resolve(folder, clientCaFile), (pem) => new X509Certificate(pem)) === null) {
    errors.push(wrong('clientCaFile', clientCaFile, 'holds no certificate in PEM', 'Give it CA certificates.'));
  }
  if (certificate === null) {
    const mend = "Give it the server's own certificate, then the chain.";
    errors.push(wrong('certFile', certFile, 'holds no certificate in PEM', mend));
  }
  if (key === null) {
    const mend = 'Give it a private key in PEM without a passphrase, and protect the file.';
    errors.push(wrong('keyFile', keyFile, 'holds no private key that can be read', mend));
  }
  if (certificate instanceof X509Certificate) errors.push(...checkCertificate(tls, certificate, key, now));
  return { errors, warnings: [] };
}

type Tls = NonNullable<Parts['tls']>;

function checkCertificate(
  { certFile, keyFile }: Tls,
  certificate: X509Certificate,
  key: KeyObject | null | undefined,
  now: number,
): Finding[] {
  const found: Finding[] = [];
  if (key != null && !certificate.checkPrivateKey(key)) {
    const mend = "Give the two that were issued together; the server's own certificate stands first.";
    found.push(wrong('keyFile', keyFile, 'is not the key of the certificate in certFile', mend));
  }
  if (certificate.validToDate.getTime() <= now) {
    const says = `holds a certificate that expired at ${certificate.validToDate.toISOString()}`;
    found.push(wrong('certFile', certFile, says, 'Give it one that is valid.'));
  }
  return found;
}

function wrong(key: string, file: string, says: string, mend: string): Finding {
  const path = ['server', 'tls', key];
  return { path, message: `${formatPath(path)}: the file ${file} ${says}.`, mend };
}

/** What a file holds; null where it holds something else, undefined where it cannot be read. */
function read<Held>(file: string, parse: (pem: Buffer) => Held): Held | null | undefined {
  if (whyUnreadable(file) !== undefined) return undefined;
  try {
    return parse(readFileSync(file));
  } catch {
    return null;
  }
}

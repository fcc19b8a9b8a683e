import { constants, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';

/** The files of `server.tls`, absolute paths to PEM. */
export type TlsFiles = {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile?: string | undefined;
  readonly clientCertificates: 'optional' | 'required';
};

/** What connections are made with until the files change. */
export type TlsContext = {
  readonly options: SecureContextOptions;
  /** PEM of each CA that client certificates may come from. */
  readonly clientCas: readonly string[];
  readonly clientCertificates: 'none' | 'optional' | 'required';
};

/** Files are read whole. Bundles of CAs have some 200 KiB. */
const MAX_FILE_BYTES = 2 * 1024 * 1024;

/**
 * Of TLS 1.2 only what is both forward secret and authenticated: Mozilla's intermediate list (Server Side TLS 5.7)
 * without DHE. All of TLS 1.3 is both.
 */
const CIPHERS = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ...['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
].join(':');

/**
 * Reads the files and makes sure that connections can be made with them.
 *
 * @param now milliseconds since the epoch
 * @throws {Error} whose message names the key of the configuration, the file and the mend; it quotes nothing of a file
 */
export function tlsContextOf(files: TlsFiles, now: number): TlsContext {
  const { certFile, keyFile, clientCaFile, clientCertificates } = files;
  if (clientCertificates === 'required' && clientCaFile === undefined) {
    throw new Error('server.tls.clientCertificates: they are required, but clientCaFile names no CA: add it.');
  }
  const chain = certificatesOf('certFile', certFile);
  const key = privateKeyOf(keyFile);
  checkPair(chain, key, files, now);
  const clientCas = clientCaFile === undefined ? [] : clientCasOf(clientCaFile, now).map(String);
  const options: SecureContextOptions = {
    cert: pemOf(chain),
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    // An empty list: without one Node would take in all public CAs, which nothing here is checked against.
    ca: clientCas,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: CIPHERS,
    // All are good: the client knows best which one its processor is fast at.
    honorCipherOrder: false,
    // A renegotiation could change who the client is, within a request. A resumed session would be whoever it was when it
    // began: the certificate that expired, the CA that was withdrawn since. So each connection proves its certificate.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (clientCas.length === 0 ? 0 : constants.SSL_OP_NO_TICKET),
  };
  try {
    createSecureContext(options);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown error';
    throw new Error(`server.tls.certFile: OpenSSL does not take ${certFile} with ${keyFile}: ${why}.`, {
      cause: error,
    });
  }
  return { options, clientCas, clientCertificates: clientCas.length === 0 ? 'none' : clientCertificates };
}

function checkPair(chain: readonly X509Certificate[], key: KeyObject, files: TlsFiles, now: number): void {
  const { certFile, keyFile } = files;
  const [leaf, ...issuers] = chain;
  if (!leaf?.checkPrivateKey(key)) {
    throw mistake(
      'keyFile',
      keyFile,
      issuers.some((issuer) => issuer.checkPrivateKey(key))
        ? `is the key of another certificate in ${certFile} than the first: put the server's own certificate first`
        : `is not the key of the certificate in ${certFile}: give the two that were issued together`,
    );
  }
  if (leaf.validToDate.getTime() <= now) {
    throw mistake(
      'certFile',
      certFile,
      `expired at ${leaf.validToDate.toISOString()}: give a certificate that is valid`,
    );
  }
}

/** The CAs that client certificates may come from. */
function clientCasOf(file: string, now: number): X509Certificate[] {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(readBounded('clientCaFile', file))) {
    throw mistake('clientCaFile', file, 'holds a private key: write CA certificates only');
  }
  const cas = certificatesOf('clientCaFile', file);
  for (const ca of cas) {
    const subject = oneLine(ca.subject);
    if (!ca.ca) {
      throw mistake('clientCaFile', file, `holds ${subject}, which is not a CA: write the CA that issued it instead`);
    }
    // OpenSSL builds each chain to a root, and would silently accept no certificate of this CA.
    if (!cas.some((other) => ca.checkIssued(other) && ca.verify(other.publicKey))) {
      throw mistake('clientCaFile', file, `holds ${subject} without its issuer: add the CAs up to the root`);
    }
  }
  if (cas.every(({ validToDate }) => validToDate.getTime() <= now)) {
    throw mistake('clientCaFile', file, 'holds expired CAs only: give one that is valid');
  }
  return cas;
}

function certificatesOf(name: string, file: string): X509Certificate[] {
  const pem = readBounded(name, file);
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw mistake(name, file, 'holds no certificate: give a PEM file with BEGIN CERTIFICATE');
  // One that is cut would be left out, and OpenSSL would stop there without a word.
  if (blocks.length !== (pem.match(/-----BEGIN CERTIFICATE-----/g) ?? []).length) {
    throw mistake(name, file, 'holds a certificate that is cut short: write it again');
  }
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw mistake(name, file, `holds a certificate that cannot be read (number ${index + 1}): write it again`);
    }
  });
}

function privateKeyOf(file: string): KeyObject {
  const pem = readBounded('keyFile', file);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw mistake('keyFile', file, 'holds no private key: give a PEM file with BEGIN PRIVATE KEY');
  }
  // No key of the configuration takes a password, and none would be safer than the file it stood in.
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type:.*ENCRYPTED/m.test(pem)) {
    throw mistake('keyFile', file, 'is encrypted: write it without a password (openssl pkey) and protect the file');
  }
  try {
    return createPrivateKey(pem);
  } catch {
    throw mistake('keyFile', file, 'holds a private key that cannot be read: write it again');
  }
}

function readBounded(name: string, file: string): string {
  let text: string;
  try {
    const stats = statSync(file);
    // A pipe or a device would be read without end.
    if (!stats.isFile()) throw new Error('it is not a regular file');
    if (stats.size > MAX_FILE_BYTES) throw new Error(`it has more than ${MAX_FILE_BYTES} bytes`);
    text = readFileSync(file, 'latin1');
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown error';
    throw new Error(`server.tls.${name}: ${file} cannot be read: ${why}.`, { cause: error });
  }
  return text;
}

function mistake(name: string, file: string, says: string): Error {
  return new Error(`server.tls.${name}: ${file} ${says}.`);
}

function pemOf(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join('');
}

function oneLine(subject: string): string {
  return subject.replaceAll('\n', ', ');
}

import 'reflect-metadata';
import { KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { X509CertificateGenerator } from '@peculiar/x509';
import { type Changes, type Issued, type LocalCa, makeCa } from '../../demo/certificate-authority.ts';
import { thumbprintOfCertificate } from '../../src/http/tls-listener.ts';
import type { TlsFiles } from '../../src/http/tls-options.ts';

/** What `server.tls` is made of in tests: a CA that clients trust, a CA that the service trusts, PEM files. */
export type TlsMaterial = {
  readonly serverCa: LocalCa;
  readonly clientCa: LocalCa;
  readonly files: TlsFiles & { readonly clientCaFile: string };
  /** Writes another certificate and key where the service has them. */
  putServerCertificate(issued: Issued): void;
  putClientCas(...cas: readonly LocalCa[]): void;
};

export const SERVER_NAMES = { dnsNames: ['localhost'], ips: ['127.0.0.1'] };

export async function makeTlsMaterial(test: TestContext, server: Changes = {}): Promise<TlsMaterial> {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-tls-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  const [serverCa, clientCa] = await Promise.all([makeCa('server CA'), makeCa('client CA')]);
  const files = {
    certFile: join(folder, 'tls.crt'),
    keyFile: join(folder, 'tls.key'),
    clientCaFile: join(folder, 'clients.pem'),
    clientCertificates: 'optional' as const,
  };
  function putServerCertificate({ certPem, keyPem }: Issued): void {
    writeFileSync(files.certFile, certPem);
    writeFileSync(files.keyFile, keyPem);
  }
  function putClientCas(...cas: readonly LocalCa[]): void {
    writeFileSync(files.clientCaFile, cas.map(({ certPem }) => certPem).join(''));
  }
  putServerCertificate(await serverCa.issue(SERVER_NAMES, server));
  putClientCas(clientCa);
  return { serverCa, clientCa, files, putServerCertificate, putClientCas };
}

/** A client's certificate: PEM, as TLS options, and its thumbprint. */
export type Client = Issued & {
  readonly options: { readonly cert: string; readonly key: string };
  readonly thumbprint: string;
};

/** A client that no CA knows. */
export async function selfSignedClient(): Promise<Client> {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const certificate = await X509CertificateGenerator.createSelfSigned({ name: 'CN=self', keys, signingAlgorithm });
  const keyPem = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  return clientWith({ certPem: certificate.toString('pem'), keyPem });
}

/** Issues a certificate for the usage clientAuth, or what `changes` says. */
export async function clientOf(ca: LocalCa, name: string, changes: Changes = {}): Promise<Client> {
  return clientWith(await ca.issue({ dnsNames: [name] }, { usages: ['clientAuth'], ...changes }));
}

function clientWith(issued: Issued): Client {
  const thumbprint = thumbprintOfCertificate(new X509Certificate(issued.certPem));
  return { ...issued, options: { cert: issued.certPem, key: issued.keyPem }, thumbprint };
}

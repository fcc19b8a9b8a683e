import { makeCa } from './certificate-authority.ts';

/** A CA made for this run and a certificate of it, all PEM. */
export type Certificates = { readonly ca: string; readonly cert: string; readonly key: string };

const DAY_MS = 86_400_000;

/** Makes a CA and a server certificate for `localhost` and 127.0.0.1. The CA's key is dropped: it can sign no other. */
export async function makeCertificates(now: number): Promise<Certificates> {
  const ca = await makeCa('rds-token-vendor demo CA', { notBefore: now - DAY_MS, notAfter: now + 7 * DAY_MS });
  const { certPem, keyPem } = await ca.issue({ dnsNames: ['localhost'], ips: ['127.0.0.1'] });
  return { ca: ca.certPem, cert: certPem, key: keyPem };
}

import type { IssuerConfig } from '../config.ts';
import type { KeySource } from './load-key-set.ts';

/** Where the configuration says that an issuer's keys are. */
export function keySourceOf({ issuer, jwks, caFile, bearerTokenFile }: IssuerConfig): KeySource {
  if (jwks === undefined) return { issuer, jwks: { kind: 'discovery' }, caFile, bearerTokenFile };
  if ('url' in jwks) return { issuer, jwks: { kind: 'url', location: jwks.url }, caFile, bearerTokenFile };
  return { issuer, jwks: { kind: 'file', location: jwks.file } };
}

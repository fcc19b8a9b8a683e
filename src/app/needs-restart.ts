import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config.ts';

/** What is opened once: sockets, the audit log, the server that counts. A reload cannot change it. */
const FIXED: Readonly<Record<string, (config: Config) => unknown>> = {
  'server.host': ({ server }) => server.host,
  'server.port': ({ server }) => server.port,
  'server.adminHost': ({ server }) => server.adminHost ?? server.host,
  'server.adminPort': ({ server }) => server.adminPort,
  'server.tls': ({ server }) => server.tls !== undefined,
  'server.tls.clientCertificates': ({ server }) => clientCertificates(server),
  'limits.store': ({ limits }) => limits.store,
  'aws.allowInstanceProfile': ({ aws }) => aws.allowInstanceProfile,
  'aws.callerIdentity': ({ aws }) => aws.callerIdentity,
};

/** How they are asked for: with every connection, so the server is opened with it. */
function clientCertificates({ tls }: Config['server']): string {
  return tls?.clientCaFile === undefined ? 'none' : tls.clientCertificates;
}

/** Keys whose change needs a restart, in a fixed order; none when the reload can be done. */
export function needsRestart(inForce: Config, next: Config): string[] {
  const fixed = Object.entries(FIXED).filter(([, of]) => !isDeepStrictEqual(of(inForce), of(next)));
  return [...fixed.map(([key]) => key), ...changedAudit(inForce.audit, next.audit)];
}

/** All of `audit` but the claims that are kept, which each decision takes along. */
function changedAudit(inForce: Config['audit'], next: Config['audit']): string[] {
  const before = new Map(Object.entries(inForce));
  const after = new Map(Object.entries(next));
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys]
    .filter((key) => key !== 'keepClaims' && !isDeepStrictEqual(before.get(key), after.get(key)))
    .sort()
    .map((key) => `audit.${key}`);
}

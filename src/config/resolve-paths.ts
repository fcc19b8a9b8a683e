import { resolve } from 'node:path';
import type { Config, IssuerConfig } from '../config.ts';

/** Makes every file path absolute. Relative ones start at the folder of the configuration file, wherever it runs. */
export function resolvePaths(config: Config, folder: string): Config {
  const absolute = (path: string) => resolve(folder, path);
  const { server, issuers, databases, audit, caBundles, limits } = config;
  return {
    ...config,
    ...(server.tls === undefined ? {} : { server: { ...server, tls: resolveTlsPaths(server.tls, absolute) } }),
    issuers: issuers.map((issuer) => resolveIssuerPaths(issuer, absolute)),
    databases: Object.fromEntries(
      Object.entries(databases).map(([name, { caBundle, ...database }]) => {
        const bundle = typeof caBundle === 'object' ? { ...caBundle, file: absolute(caBundle.file) } : caBundle;
        return [name, bundle === undefined ? database : { ...database, caBundle: bundle }];
      }),
    ),
    audit: {
      ...audit,
      store: resolveStorePaths(audit.store, absolute),
      checkpointKeyFile: absolute(audit.checkpointKeyFile),
    },
    limits: { ...limits, store: resolveLimitStorePaths(limits.store, absolute) },
    caBundles: {
      ...caBundles,
      directory: absolute(caBundles.directory),
      ...(caBundles.caFile === undefined ? {} : { caFile: absolute(caBundles.caFile) }),
    },
  };
}

type TlsConfig = NonNullable<Config['server']['tls']>;

function resolveTlsPaths(tls: TlsConfig, absolute: (path: string) => string): TlsConfig {
  const { certFile, keyFile, clientCaFile } = tls;
  const resolved = { ...tls, certFile: absolute(certFile), keyFile: absolute(keyFile) };
  if (clientCaFile !== undefined) resolved.clientCaFile = absolute(clientCaFile);
  return resolved;
}

function resolveIssuerPaths(issuer: IssuerConfig, absolute: (path: string) => string): IssuerConfig {
  const resolved = { ...issuer };
  if (issuer.jwks !== undefined && 'file' in issuer.jwks) resolved.jwks = { file: absolute(issuer.jwks.file) };
  if (issuer.caFile !== undefined) resolved.caFile = absolute(issuer.caFile);
  if (issuer.kubernetes !== undefined) {
    const { tokenFile, caFile } = issuer.kubernetes;
    resolved.kubernetes = { ...issuer.kubernetes, tokenFile: absolute(tokenFile), caFile: absolute(caFile) };
  }
  if (issuer.bearerTokenFile !== undefined) resolved.bearerTokenFile = absolute(issuer.bearerTokenFile);
  return resolved;
}

type StoreConfig = Config['audit']['store'];

function resolveStorePaths(store: StoreConfig, absolute: (path: string) => string): StoreConfig {
  switch (store.type) {
    case 'sqlite':
      return { ...store, path: absolute(store.path) };
    case 'file':
      return { ...store, directory: absolute(store.directory) };
    case 'postgres':
      return resolveServerPaths(store, absolute);
  }
}

type LimitStoreConfig = Config['limits']['store'];

function resolveLimitStorePaths(store: LimitStoreConfig, absolute: (path: string) => string): LimitStoreConfig {
  return store.type === 'memory' ? store : resolveServerPaths(store, absolute);
}

function resolveServerPaths<Store extends { passwordFile?: string | undefined; caFile?: string | undefined }>(
  store: Store,
  absolute: (path: string) => string,
): Store {
  const resolved = { ...store };
  if (store.passwordFile !== undefined) resolved.passwordFile = absolute(store.passwordFile);
  if (store.caFile !== undefined) resolved.caFile = absolute(store.caFile);
  return resolved;
}

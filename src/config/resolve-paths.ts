import { resolve } from 'node:path';
import type { Config, IssuerConfig } from '../config.ts';

/** Makes every file path absolute. Relative ones start at the folder of the configuration file, wherever it runs. */
export function resolvePaths(config: Config, folder: string): Config {
  const absolute = (path: string) => resolve(folder, path);
  const { issuers, databases, audit, caBundles } = config;
  return {
    ...config,
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
    caBundles: {
      ...caBundles,
      directory: absolute(caBundles.directory),
      ...(caBundles.caFile === undefined ? {} : { caFile: absolute(caBundles.caFile) }),
    },
  };
}

function resolveIssuerPaths(issuer: IssuerConfig, absolute: (path: string) => string): IssuerConfig {
  const resolved = { ...issuer };
  if (issuer.jwks !== undefined && 'file' in issuer.jwks) resolved.jwks = { file: absolute(issuer.jwks.file) };
  if (issuer.caFile !== undefined) resolved.caFile = absolute(issuer.caFile);
  return resolved;
}

type StoreConfig = Config['audit']['store'];

function resolveStorePaths(store: StoreConfig, absolute: (path: string) => string): StoreConfig {
  switch (store.type) {
    case 'sqlite':
      return { ...store, path: absolute(store.path) };
    case 'file':
      return { ...store, directory: absolute(store.directory) };
    case 'postgres': {
      const { passwordFile, caFile, ...rest } = store;
      return {
        ...rest,
        ...(passwordFile === undefined ? {} : { passwordFile: absolute(passwordFile) }),
        ...(caFile === undefined ? {} : { caFile: absolute(caFile) }),
      };
    }
  }
}

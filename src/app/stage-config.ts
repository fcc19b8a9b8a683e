import { isIP } from 'node:net';
import type { LoadedConfig } from '../config/load-config.ts';
import { compileAddressRanges } from '../config/address-ranges.ts';
import type { Service } from '../http/service.ts';
import type { TlsListener } from '../http/tls-listener.ts';
import { tlsContextOf } from '../http/tls-options.ts';
import { compileAuditors } from '../issuance/auditors.ts';
import { compileGrants } from '../issuance/grants.ts';
import type { IssuancePorts } from '../issuance/issue-token.ts';
import { createVerifyCaller } from '../jwt/verify-caller.ts';
import type { AwsCredentials } from './aws-credentials.ts';
import type { CaBundlePool } from './ca-bundle-pool.ts';
import type { IssuerPool } from './issuer-pool.ts';
import type { InForce } from './running-config.ts';
import type { Staged } from './staged.ts';

/** What stays the same for as long as the process runs. */
export type Permanent = Pick<Service, 'auditReader' | 'now' | 'onDecision'> & {
  readonly issuance: Pick<IssuancePorts, 'audit' | 'newAuditId' | 'signAuthToken'>;
  readonly aws: AwsCredentials;
  readonly issuers: IssuerPool;
  readonly caBundles: CaBundlePool;
  /** Undefined where the public port speaks plain HTTP. */
  readonly tls: TlsListener | undefined;
};

/**
 * Makes a whole service of a configuration, beside the one in force.
 *
 * @throws {Error} for what only shows when it is used, such as a CA bundle that is missing; nothing is left behind then.
 */
export async function stageConfig(loaded: LoadedConfig, permanent: Permanent): Promise<Staged<InForce>> {
  const { config, catalog } = loaded;
  const { audit, newAuditId, signAuthToken } = permanent.issuance;
  const grants = compileGrants(loaded.grants, catalog);
  const auditors = compileAuditors(loaded.auditors);
  const trustedProxies = compileAddressRanges(config.server.trustedProxies);
  const tlsContext = config.server.tls && tlsContextOf(config.server.tls, permanent.now());
  const caBundles = await permanent.caBundles.stage(config);
  const issuers = await stageAfter(caBundles, () => permanent.issuers.stage(config.issuers));
  const discardBoth = async () => {
    await issuers.discard();
    await caBundles.discard();
  };
  const credentials = await stageAfter({ discard: discardBoth }, async () => permanent.aws.stage(loaded));
  const service: Service = {
    issuance: {
      audit,
      newAuditId,
      configHash: loaded.hash,
      authenticate: createVerifyCaller(issuers.part, config.audit.keepClaims),
      grants,
      requireCaBundle: ({ caBundleId }) => void caBundles.part.get(caBundleId),
      resolveCredentials: credentials.part,
      signAuthToken,
    },
    catalog,
    caBundles: caBundles.part,
    rates: config.limits,
    auditors,
    auditReader: permanent.auditReader,
    // X-Forwarded-For may hold anything.
    trustsProxy: (address) => isIP(address) !== 0 && trustedProxies.holds(address),
    thumbprintOf: (socket) => permanent.tls?.thumbprintOf(socket) ?? null,
    now: permanent.now,
    onDecision: permanent.onDecision,
  };
  return {
    part: {
      loaded,
      service,
      issuers: issuers.part,
      caBundleIds: new Set([...catalog.values()].map(({ caBundleId }) => caBundleId)),
      requireCaBundle: (id) => caBundles.part.get(id),
    },
    async commit() {
      if (tlsContext !== undefined) permanent.tls?.replace(tlsContext);
      await credentials.commit();
      await issuers.commit();
      await caBundles.commit();
    },
    async discard() {
      await credentials.discard();
      await issuers.discard();
      await caBundles.discard();
    },
  };
}

/** Makes the next part, or leaves nothing of the one before. */
async function stageAfter<Part>(
  before: Pick<Staged<unknown>, 'discard'>,
  stage: () => Promise<Staged<Part>>,
): Promise<Staged<Part>> {
  try {
    return await stage();
  } catch (error) {
    await before.discard();
    throw error;
  }
}

import { hostname } from 'node:os';
import { createCredentialSource } from '../aws/credential-source.ts';
import { createOwnIdentity } from '../aws/own-identity.ts';
import { loadFromProviderChain } from '../aws/provider-chain.ts';
import { createRoleSessions } from '../aws/role-sessions.ts';
import { askCallerIdentity, createRoleCalls } from '../aws/sts-calls.ts';
import type { Config } from '../config.ts';
import { instanceNameOf } from '../config/instance-name.ts';
import type { AwsMetrics } from '../http/aws-metrics.ts';
import type { Metrics } from '../http/metrics.ts';
import type { AppOptions } from './app-options.ts';
import { type AwsCredentials, createAwsCredentials } from './aws-credentials.ts';
import { createAwsLog } from './aws-log.ts';

/** Makes what gets AWS credentials. Nothing is asked for before `start` or the first request. */
export function openAwsCredentials(
  { aws, audit }: Pick<Config, 'aws' | 'audit'>,
  metrics: AwsMetrics & Pick<Metrics, 'onFailure'>,
  { logger, env = {}, stsRegion, overrides = {} }: AppOptions,
): AwsCredentials {
  const { loadCredentials } = overrides;
  // Set and empty is not set, as for the SDK.
  const ownRegion = [env['AWS_REGION'], env['AWS_DEFAULT_REGION']].find(
    (region) => region !== undefined && region !== '',
  );
  const clock = { now: overrides.now ?? Date.now, monotonic: overrides.monotonic ?? (() => performance.now()) };
  const log = createAwsLog(logger);

  const own = createCredentialSource({
    clock,
    load:
      loadCredentials === undefined
        ? () => loadFromProviderChain({ env, region: stsRegion, allowInstanceProfile: aws.allowInstanceProfile })
        : async () => ({ ...(await loadCredentials()), origin: 'environment' as const, roleArn: null }),
    onFailure(fault) {
      metrics.onFailure('aws_credentials');
      log.noCredentials(fault);
    },
  });
  const asksIdentity = aws.callerIdentity && loadCredentials === undefined;
  const identity = createOwnIdentity({
    source: own,
    ask: asksIdentity ? (credentials) => askCallerIdentity(ownRegion ?? stsRegion, credentials) : undefined,
    onEvent: log.identity,
  });
  const sessions = createRoleSessions({
    own: own.resolve,
    callsFor: createRoleCalls,
    clock,
    random: Math.random,
    instance: instanceNameOf(audit.instance, hostname()),
    onCall(event) {
      metrics.onStsCall(event);
      if (event.error) metrics.onFailure('aws_credentials');
      log.stsCall(event);
    },
  });
  metrics.watchSessions(sessions.size);
  return createAwsCredentials({ own, identity, sessions, ownRegion });
}

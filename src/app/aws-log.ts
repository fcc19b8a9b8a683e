import type { FastifyBaseLogger } from 'fastify';
import type { IdentityEvent } from '../aws/own-identity.ts';
import type { StsEvent } from '../aws/sts-event.ts';
import type { Fault } from '../issuance/fault.ts';

/** What the log says of AWS: access key ids and ARNs, never secrets. */
export function createAwsLog(logger: FastifyBaseLogger) {
  return {
    noCredentials(fault: Fault): void {
      logger.error({ err: fault }, 'no AWS credentials');
    },
    identity({ identity, isStatic, error }: IdentityEvent): void {
      if (error === undefined) logger.info(identity, 'AWS identity');
      else logger.warn({ ...identity, err: error }, 'AWS identity: STS did not say whose the credentials are');
      if (isStatic) logger.warn(identity, 'static AWS keys: nothing renews or ends them; prefer a role');
    },
    stsCall({ operation, role, milliseconds, session, error }: StsEvent): void {
      const call = { operation, role, milliseconds: Math.round(milliseconds) };
      if (session === null) {
        logger.error({ ...call, result: error?.failure, err: error }, 'no session of a role');
        return;
      }
      const { roleArn, accessKeyId, expiresAt, packedPolicySize } = session;
      const expires = expiresAt === null ? null : new Date(expiresAt).toISOString();
      const details = { session: roleArn, access_key_id: accessKeyId, expires_at: expires };
      logger.info({ ...call, ...details, packed_policy_percent: packedPolicySize }, 'session of a role');
    },
  };
}

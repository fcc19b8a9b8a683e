import type { FastifyBaseLogger } from 'fastify';
import type { AuditReader } from '../issuance/audit-query.ts';
import type { AuditLog } from '../issuance/audit-record.ts';
import type { SignAuthToken, SigningCredentials } from '../issuance/auth-token.ts';
import type { AdmittedKeys } from '../jwt/admit-keys.ts';
import type { KeySource } from '../jwt/load-key-set.ts';

/** The parts a test may give itself; whatever it leaves out is the real one. */
export type AppOverrides = {
  readonly now?: () => number;
  readonly monotonic?: () => number;
  readonly audit?: AuditLog;
  readonly auditReader?: AuditReader;
  readonly loadKeySet?: (source: KeySource) => Promise<AdmittedKeys>;
  readonly loadCredentials?: () => Promise<SigningCredentials>;
  readonly signAuthToken?: SignAuthToken;
};

export type AppOptions = {
  readonly version: string;
  readonly logger: FastifyBaseLogger;
  /** Prints copies of audit records, each one line of JSON, where `audit.copyToStdout` is set. */
  readonly printRecords?: (lines: readonly string[]) => void;
  /** The environment of the process, for what AWS's SDKs read there. Default: nothing is set. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The region of STS where the environment names none; undefined leaves it to the environment. */
  readonly stsRegion: string | undefined;
  /** The API server of the cluster that the service runs in, for issuers that name none. */
  readonly inClusterApiServer?: string | undefined;
  readonly overrides?: AppOverrides;
};

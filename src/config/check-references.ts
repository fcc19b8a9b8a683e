import { COMMAND_LINE } from '../issuance/command-line.ts';
import { type CompileCondition, createConditionCompiler } from './cel-condition.ts';
import { checkAuditStore } from './check-audit-store.ts';
import { checkAuditors } from './check-auditors.ts';
import { checkCaBundles } from './check-ca-bundles.ts';
import { checkCredentials } from './check-credentials.ts';
import { checkDatabases } from './check-databases.ts';
import { checkFiles } from './check-files.ts';
import { checkGrants } from './check-grants.ts';
import { checkLimitStore } from './check-limit-store.ts';
import { checkPolicyTests } from './check-policy-tests.ts';
import { checkNamespaces } from './check-namespaces.ts';
import { checkServerTls } from './check-server-tls.ts';
import { checkSharedIssuers } from './check-shared-issuers.ts';
import { duplicates } from './duplicates.ts';
import type { Finding, Findings } from './config-problem.ts';
import type { Parts } from './parts.ts';

export type Surroundings = {
  /** Where relative file names start. */
  readonly folder: string;
  /** The CA bundles that are there without fetching; without this set they are not looked at. */
  readonly knownBundleIds?: ReadonlySet<string> | undefined;
  /** Milliseconds since the epoch. Default: now. */
  readonly now?: number | undefined;
  /** Default: one of its own. */
  readonly compileCondition?: CompileCondition | undefined;
};

/** What the schema cannot see: whether the parts of a configuration fit each other, AWS and the files on disk. */
export function checkReferences(
  parts: Parts,
  { folder, knownBundleIds, now = Date.now(), compileCondition = createConditionCompiler() }: Surroundings,
): Findings {
  const all = [
    checkIssuers(parts),
    checkDatabases(parts.databases ?? {}),
    checkCredentials(parts),
    checkCaBundles(parts, knownBundleIds),
    checkGrants(parts, { compileCondition, now }),
    checkAuditors(parts, compileCondition),
    checkSharedIssuers(parts),
    checkServerTls(parts, { folder, now }),
    { errors: checkPolicyTests(parts), warnings: [] },
    {
      errors: [
        ...checkNamespaces(parts),
        ...checkFiles(parts, folder),
        ...checkAuditStore(parts),
        ...checkLimitStore(parts),
      ],
      warnings: checkProxies(parts),
    },
  ];
  return { errors: all.flatMap(({ errors }) => errors), warnings: all.flatMap(({ warnings }) => warnings) };
}

function checkIssuers({ issuers }: Parts): Findings {
  const names = duplicates(issuers?.map(({ name }) => name) ?? []).map(({ index, first, value }) => ({
    path: ['issuers', index, 'name'],
    message: `issuers[${index}] has the name ${value}, and so has issuers[${first}].`,
    mend: 'Give each issuer its own name.',
  }));
  const reserved = (issuers ?? []).flatMap(({ name }, index) =>
    name === COMMAND_LINE
      ? [
          {
            path: ['issuers', index, 'name'],
            message: `issuers[${index}] has the name ${COMMAND_LINE}, by which audit records call readings on this machine.`,
            mend: 'Give it another name.',
          },
        ]
      : [],
  );
  const urls = duplicates(issuers?.map(({ issuer }) => issuer) ?? []).map(({ index, first, value }) => ({
    path: ['issuers', index, 'issuer'],
    message: `issuers[${index}] has the URL ${value}, and so has issuers[${first}].`,
    mend: 'Keep one entry for each issuer URL: a JWT must belong to exactly one issuer.',
  }));
  return { errors: [...names, ...reserved, ...urls], warnings: [] };
}

function checkProxies({ trustedProxies }: Parts): Finding[] {
  return trustedProxies.flatMap((range, index) =>
    range.endsWith('/0')
      ? [
          {
            path: ['server', 'trustedProxies', index],
            message: `server.trustedProxies[${index}] believes every client about its own address.`,
            mend: "List your proxies' addresses only.",
          },
        ]
      : [],
  );
}

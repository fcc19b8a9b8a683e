import { describeFinding, type Finding } from '../audit/verify/finding.ts';
import type { ChainVerdict } from '../audit/verify/verify-chain.ts';
import type { StoreVerdict } from '../audit/verify/verify-store.ts';

/** A verdict for people: one line for each instance, and one for each finding below it. */
export function verdictLines({ good, chains, findings }: StoreVerdict): string[] {
  const lines = [...chains.flatMap(chainLines), ...findings.map(describeFinding)];
  if (chains.length === 0) lines.push('There are no records in the store.');
  return good ? lines : [...lines, 'The audit trail is not what was written.'];
}

function chainLines(chain: ChainVerdict): string[] {
  const { instance, findingCount, findings } = chain;
  const found = findingCount === 0 ? 'good' : plural(findingCount, 'finding');
  const rest = findingCount > findings.length ? [`  and ${findingCount - findings.length} more`] : [];
  return [
    `${instance}: ${chainFacts(chain).join(', ')}: ${found}`,
    ...findings.map((finding) => `  ${describeFinding(finding)}`),
    ...rest,
  ];
}

function chainFacts(chain: ChainVerdict): string[] {
  const { records, first, last, retired, checkpoints, lastCheckpointAt, printedCheckpoints } = chain;
  return [
    plural(records, 'record'),
    ...(first === null ? [] : [`${first}..${last}`]),
    ...(retired === 0 ? [] : [`1..${retired} retired`]),
    plural(checkpoints, 'checkpoint'),
    ...(lastCheckpointAt === null ? [] : [`last at ${new Date(lastCheckpointAt).toISOString()}`]),
    ...(printedCheckpoints === 0 ? [] : [`${printedCheckpoints} printed`]),
  ];
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A verdict for programs. */
export function verdictDocument({ good, chains, findings }: StoreVerdict): object {
  return {
    good,
    instances: chains.map((chain) => ({
      instance: chain.instance,
      good: chain.findingCount === 0,
      records: chain.records,
      first: chain.first,
      last: chain.last,
      retired: chain.retired,
      checkpoints: chain.checkpoints,
      last_checkpoint_at: chain.lastCheckpointAt === null ? null : new Date(chain.lastCheckpointAt).toISOString(),
      printed_checkpoints: chain.printedCheckpoints,
      finding_count: chain.findingCount,
      findings: chain.findings.map(findingDocument),
    })),
    findings: findings.map(findingDocument),
  };
}

function findingDocument(finding: Finding): object {
  return { ...finding, sentence: describeFinding(finding) };
}

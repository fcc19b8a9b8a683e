import type { Finding } from './finding.ts';

/** Findings of one chain, as many as somebody will read. */
export type FindingsList = {
  add(finding: Finding): void;
  /** How many there were. */
  count(): number;
  /** The first ones. */
  shown(): readonly Finding[];
};

/** A chain that was rewritten has a finding for every record of it. */
const MOST_SHOWN = 100;

export function createFindingsList(): FindingsList {
  const shown: Finding[] = [];
  let count = 0;
  return {
    add(finding) {
      count += 1;
      if (shown.length < MOST_SHOWN) shown.push(finding);
    },
    count: () => count,
    shown: () => shown,
  };
}

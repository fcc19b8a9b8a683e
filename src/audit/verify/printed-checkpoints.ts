import type { KeyObject } from 'node:crypto';
import { openCheckpoint } from '../chain/checkpoint.ts';
import { instanceOf } from '../chain/log-origin.ts';
import type { CheckpointKeys } from './checkpoint-keys.ts';
import type { Finding } from './finding.ts';
import { notesIn } from './notes-in-log.ts';

/** What a checkpoint says that verified. It is small: a year of them has its place in memory. */
export type ExpectedRoot = {
  readonly size: number;
  /** Base64. */
  readonly root: string;
  /** The file and line it was read from. */
  readonly at: string;
};

/** Checkpoints that left the machine, by instance, and what is wrong with those that do not verify. */
export type PrintedCheckpoints = {
  /** In the order of their sizes. */
  of(instance: string): readonly ExpectedRoot[];
  findings(instance: string): readonly Finding[];
  readonly instances: readonly string[];
  /** How many notes of ours were found, good or not. */
  readonly count: number;
  /** Of lines that do not tell their instance. */
  readonly strayFindings: readonly Finding[];
};

/** Reads logs of the service's standard output, or signed notes, each under the name of its file. */
export async function readPrintedCheckpoints(
  logs: readonly { readonly name: string; readonly lines: AsyncIterable<string> }[],
  keys: CheckpointKeys,
): Promise<PrintedCheckpoints> {
  const roots = new Map<string, ExpectedRoot[]>();
  const wrong = new Map<string, Finding[]>();
  const strayFindings: Finding[] = [];
  let count = 0;

  function take(note: string, at: string): void {
    const [origin = ''] = note.split('\n', 1);
    const instance = instanceOf(origin);
    // Other programs sign notes too.
    if (instance === null) return;
    count += 1;
    const key = keys.keyOf(origin);
    if (key === null) return void wrong.set(instance, [{ kind: 'key_unknown', origin }]);
    const opened = open(note, key, at);
    if ('kind' in opened) listOf(wrong, instance).push(opened);
    else listOf(roots, instance).push(opened);
  }

  for (const { name, lines } of logs) {
    for await (const found of notesIn(lines)) {
      const at = `${name}:${found.line}`;
      if (found.note === null) strayFindings.push(invalid(at, 'the line cannot be read'));
      else take(found.note, at);
    }
  }
  for (const list of roots.values()) list.sort((one, other) => one.size - other.size);
  return {
    of: (instance) => roots.get(instance) ?? [],
    findings: (instance) => wrong.get(instance) ?? [],
    instances: [...new Set([...roots.keys(), ...wrong.keys()])],
    count,
    strayFindings,
  };
}

function open(note: string, key: KeyObject, at: string): ExpectedRoot | Finding {
  try {
    const { size, root } = openCheckpoint(note, key);
    return { size, root: root.toString('base64'), at };
  } catch (error) {
    return invalid(at, error instanceof Error ? error.message : String(error));
  }
}

function invalid(at: string, reason: string): Finding {
  return { kind: 'checkpoint_invalid', size: null, place: { type: 'printed', at }, reason };
}

function listOf<T>(lists: Map<string, T[]>, name: string): T[] {
  const list = lists.get(name) ?? [];
  lists.set(name, list);
  return list;
}

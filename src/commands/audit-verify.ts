import type { KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { publicKeyOf } from '../audit/chain/checkpoint.ts';
import { loadCheckpointPublicKey } from '../audit/chain/checkpoint-key.ts';
import { openReader } from '../audit/open-store.ts';
import { type CheckpointKeys, keysOf, oneKey } from '../audit/verify/checkpoint-keys.ts';
import { type PrintedCheckpoints, readPrintedCheckpoints } from '../audit/verify/printed-checkpoints.ts';
import { verifyStore } from '../audit/verify/verify-store.ts';
import type { Config } from '../config.ts';
import { momentOf } from './audit-filter.ts';
import { type CommandContext, type ExitStatus, UsageError } from './command.ts';
import { CONFIG_OPTION, loadNamedConfig, readOptions } from './config-option.ts';
import { printable, printableJson } from './printable.ts';
import { verdictDocument, verdictLines } from './verdict-text.ts';

const OPTIONS = {
  ...CONFIG_OPTION,
  'verifier-key': { type: 'string', multiple: true },
  checkpoints: { type: 'string', multiple: true },
  'retired-until': { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** `audit verify`: whether the records in the store are what was written, and all of it. Shows no record. */
export async function auditVerify(context: CommandContext): Promise<ExitStatus> {
  const options = readOptions(context, OPTIONS);
  const { config, 'verifier-key': given = [], checkpoints = [], json = false } = options;
  const loaded = loadNamedConfig(context, { config });
  if (loaded === undefined) return 1;
  const keys = trustedKeys(given, loaded.config.audit);
  // Before the store: what is printed later may not be in it.
  const printed = await readPrintedCheckpoints(
    checkpoints.map((name) => ({ name, lines: linesOf(name) })),
    keys,
  );
  if (checkpoints.length > 0 && printed.count === 0) {
    // A wrong file would prove nothing, and nobody would know.
    context.printError('There is no checkpoint of this service in the files that --checkpoints names.');
    return 1;
  }
  const before = retiredBefore(loaded.config.audit, options['retired-until']);
  try {
    return await verifyNamed(context, loaded.config.audit.store, { keys, printed, before, json });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (json) context.print(printableJson({ good: false, error: why }));
    context.printError(
      `${why.split('\n').map(printable).join('\n')}\nThe store could not be verified as a whole: nothing is proven.`,
    );
    return 1;
  }
}

type Verification = {
  readonly keys: CheckpointKeys;
  readonly printed: PrintedCheckpoints;
  readonly before: number;
  readonly json: boolean;
};

async function verifyNamed(
  context: CommandContext,
  store: Config['audit']['store'],
  { keys, printed, before, json }: Verification,
): Promise<ExitStatus> {
  const reader = await openReader(store);
  try {
    const verdict = await verifyStore(reader, keys, printed, before);
    // Names and ids are as the store has them, and it is not trusted.
    if (json) context.print(printableJson(verdictDocument(verdict)));
    else for (const line of verdictLines(verdict)) context.print(printable(line));
    return verdict.good ? 0 : 1;
  } finally {
    await reader.close();
  }
}

/** A retention runs some time after records have become old enough: milliseconds. */
const RETENTION_SLACK = 60_000;

/** What may be retired by now; `until` is for records that a shorter retention removed. */
function retiredBefore({ retention }: Config['audit'], until: string | undefined): number {
  const given = momentOf('retired-until', until, Date.now());
  if (given !== undefined) return given;
  return retention === undefined ? 0 : Date.now() - retention + RETENTION_SLACK;
}

/** Never keys from the store: whoever can rewrite it can put theirs there. */
function trustedKeys(given: readonly string[], { checkpointKeyFile }: Config['audit']): CheckpointKeys {
  if (given.length === 0) return oneKey(ownKey(checkpointKeyFile));
  return keysOf(given.flatMap(keysNamed));
}

function ownKey(file: string): KeyObject {
  try {
    return loadCheckpointPublicKey(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${why}.\nWithout that file, --verifier-key NAME+ID+KEY names the key that the service prints.`, {
      cause: error,
    });
  }
}

/** A key is never taken for a file's name: whoever can put a file of that name there would choose what is trusted. */
function keysNamed(text: string): string[] {
  if (isKey(text)) return [text];
  if (existsSync(text)) return keysInFile(text);
  // What looks like a key is told what is wrong with it where it is used.
  if (text.includes('+')) return [text];
  throw new UsageError(
    `--verifier-key ${text} is neither a file nor a key: the service prints its key, NAME+ID+KEY, at each start.`,
  );
}

function isKey(text: string): boolean {
  try {
    publicKeyOf(text);
    return true;
  } catch {
    return false;
  }
}

/** One verifier key a line. */
function keysInFile(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const handle = await open(file).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--checkpoints ${file} cannot be read: ${why}`);
  });
  yield* handle.readLines();
}

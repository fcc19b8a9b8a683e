import { createReadStream } from 'node:fs';
import { pagesOf, recordIn } from './audit-pages.ts';
import { openOnRecord, UNRECORDED_OPTION } from './audit-reading.ts';
import { type CommandContext, type ExitStatus, UsageError } from './command.ts';
import { CONFIG_OPTION, loadNamedConfig, readOptions } from './config-option.ts';
import { recordTable } from './record-table.ts';
import { type PossibleToken, readTokenForms } from './token-forms.ts';

const OPTIONS = {
  ...{ ...CONFIG_OPTION, ...UNRECORDED_OPTION },
  'token-file': { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** How far the time of a record may be from that of its token: clocks, and waiting for keys. Milliseconds. */
const MARGIN = 120_000;

/** Longer than any token that is encoded twice. Bytes. */
const LONGEST = 256 * 1024;

/**
 * `audit find`: the records of a token that was found somewhere. There may be several: two callers who ask for the same
 * user in the same second get the same token.
 */
export async function auditFind(context: CommandContext): Promise<ExitStatus> {
  const { config, 'token-file': file, json = false, unrecorded = false } = readOptions(context, OPTIONS);
  if (file === undefined)
    throw new UsageError('Name the file with the token: --token-file FILE, or - for standard input.');
  const loaded = loadNamedConfig(context, { config });
  if (loaded === undefined) return 1;
  const found = readTokenForms(await readText(file === '-' ? context.input() : createReadStream(file)));
  if (found === null) {
    context.printError('There is no RDS auth token in it.');
    return 1;
  }
  const { tokens, more } = found;
  if (more)
    context.printError(`There are more than ${tokens.length} tokens in it: only the first ones are looked for.`);
  const filters = tokens.map(filterOf);
  const detail = detailOf(filters);
  const reader = await openOnRecord(context, loaded, { action: 'audit.find', detail, unrecorded });
  try {
    const lines: string[] = [];
    for (const filter of filters) for await (const page of pagesOf(reader, filter, Infinity)) lines.push(...page);
    if (lines.length === 0) {
      context.printError(
        'No record in the store has this token: this service did not issue it, its record is retired, or the token is not ' +
          'whole here (cut, or wrapped over lines).',
      );
      return 1;
    }
    for (const line of json ? lines : recordTable(lines.map(recordIn))) context.print(line);
  } finally {
    await reader.close();
  }
  return 0;
}

type TokenFilter = { readonly from: number; readonly to: number; readonly tokenFingerprint: string };

function filterOf({ fingerprint, signedAt }: PossibleToken): TokenFilter {
  return { from: Math.max(0, signedAt - MARGIN), to: signedAt + MARGIN, tokenFingerprint: fingerprint };
}

/** Every token that is looked for, and the time within which all of them are. */
function detailOf(filters: readonly TokenFilter[]): string {
  return JSON.stringify({
    from: new Date(Math.min(...filters.map(({ from }) => from))).toISOString(),
    to: new Date(Math.max(...filters.map(({ to }) => to))).toISOString(),
    tokenFingerprints: filters.map(({ tokenFingerprint }) => tokenFingerprint),
  });
}

async function readText(chunks: AsyncIterable<Uint8Array | string>): Promise<string> {
  const read: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    read.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > LONGEST)
      throw new Error(`It holds more than ${LONGEST / 1024} KiB, it is too long: give the lines with the token alone.`);
  }
  return Buffer.concat(read).toString('utf8');
}

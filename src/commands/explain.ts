import { isIP } from 'node:net';
import { compileGrants } from '../issuance/grants.ts';
import { explain as explainDecision } from '../issuance/explain.ts';
import { momentOf } from './audit-filter.ts';
import { type CommandContext, type ExitStatus, UsageError } from './command.ts';
import { CONFIG_OPTION, loadNamedConfig, readOptions } from './config-option.ts';
import { readExplainedCaller } from './explained-caller.ts';
import { explanationDocument, explanationLines } from './explanation-text.ts';
import { printableJson } from './printable.ts';

const TEXT = { type: 'string' } as const;

const OPTIONS = {
  ...CONFIG_OPTION,
  ...{ 'jwt-file': TEXT, 'claims-file': TEXT, issuer: TEXT, certificate: TEXT },
  ...{ database: TEXT, user: TEXT, endpoint: TEXT, 'source-address': TEXT, at: TEXT },
  json: { type: 'boolean', default: false },
  all: { type: 'boolean', default: false },
} as const;

/**
 * `explain`: why a caller would or would not get a database user, grant by grant. Status 0: it would; 1: it would not,
 * or it cannot be told.
 */
export async function explain(context: CommandContext): Promise<ExitStatus> {
  const options = readOptions(context, OPTIONS);
  const { database, user, endpoint, json, all } = options;
  const now = momentOf('at', options.at, Date.now()) ?? Date.now();
  const clientAddress = addressOf(options['source-address']);
  const source = {
    jwtFile: options['jwt-file'],
    claimsFile: options['claims-file'],
    issuer: options.issuer,
    certificateFile: options.certificate,
  };
  if ((source.jwtFile === undefined) === (source.claimsFile === undefined)) {
    throw new UsageError('Name the caller: --jwt-file FILE or --claims-file FILE, or - for standard input.');
  }
  const loaded = loadNamedConfig(context, { config: options.config });
  if (loaded === undefined) return 1;
  const read = await readExplainedCaller(context, loaded, source, now);
  if (typeof read === 'string') {
    context.printError(read);
    return 1;
  }
  const grants = compileGrants(loaded.grants, loaded.catalog);
  const explanation = explainDecision(read.caller, { database, user, endpoint }, grants, { now, clientAddress });
  const explained = { ...read, explanation };
  if (json) context.print(printableJson(explanationDocument(explained)));
  else for (const line of explanationLines(explained, all)) context.print(line);
  return explanation.decided.ok && read.accepted ? 0 : 1;
}

function addressOf(text: string | undefined): string | null {
  if (text !== undefined && isIP(text) === 0) throw new UsageError('--source-address is an IP address.');
  return text ?? null;
}

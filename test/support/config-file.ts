import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../src/config/config-problem.ts';
import { type LoadedConfig, loadConfig } from '../../src/config/load-config.ts';

export const ISSUERS = `issuers:
  - name: cluster
    issuer: https://idp.example
    audiences: [vendor]
  - name: corp
    issuer: https://login.corp.example
    audiences: [vendor]
`;

export const ENDPOINTS = `    endpoints:
      writer: orders.cluster-abc.us-west-2.rds.amazonaws.com:5432
      reader:
        host: orders.cluster-ro-abc.us-west-2.rds.amazonaws.com
`;

export const GRANTS = `grants:
  - name: api
    issuer: cluster
    subject: system:serviceaccount:payments:api
    allow:
      - database: orders
        users: [app_rw]
`;

/** A valid configuration. Each test changes one thing of it. */
export const VALID = `server:
  port: 8080
${ISSUERS}databases:
  orders:
    engine: postgres
    region: us-west-2
    accountId: "123456789012"
    resourceId: cluster-ABCDEFGH
${ENDPOINTS}${GRANTS}limits:
  perCaller: 20/s
`;

/** The valid configuration with one text in it replaced by another. */
export function withChange(from: string, to: string): string {
  const [before, after, ...more] = VALID.split(from);
  if (before === undefined || after === undefined || more.length > 0) throw new Error(`${from} is not there once`);
  return before + to + after;
}

type Options = Parameters<typeof loadConfig>[1];

/** Loads a text as the file `config.yaml` of a folder of its own, in which `files` are too. */
export function loadText(
  text: string | Uint8Array,
  options: Options = {},
  files: readonly string[] = [],
): LoadedConfig {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-config-'));
  try {
    for (const file of files) writeFileSync(join(folder, file), '{}');
    writeFileSync(join(folder, 'config.yaml'), text);
    return loadConfig(join(folder, 'config.yaml'), options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Every problem of a text as `line:column: what. What to do.`; none when it loads. */
export function problemsOf(text: string | Uint8Array, options: Options = {}): string[] {
  try {
    loadText(text, options);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, column, message, mend }) => `${line}:${column}: ${message} ${mend}`);
  }
}

/** Every warning about a text, as `problemsOf` shows problems. */
export function warningsOf(text: string, options: Options = {}): string[] {
  return loadText(text, options).warnings.map(
    ({ line, column, message, mend }) => `${line}:${column}: ${message} ${mend}`,
  );
}

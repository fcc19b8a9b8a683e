import type { Engine } from '../issuance/database.ts';
import { Fault } from '../issuance/fault.ts';
import { pgServiceSection, whyNoSection } from './renderings/pg-service.ts';
import { shellQuote } from './renderings/env.ts';

/** Interactive programs that a connection can be set up in. None of the setups holds a token. */
export const CLIENTS = ['pgadmin', 'pg_service', 'psql', 'dbeaver', 'mysql'] as const;

export type ClientName = (typeof CLIENTS)[number];

/** What a program is to connect to, and what it finds on the user's machine. */
export type SetupFacts = {
  /** The database's name in the catalog. */
  readonly name: string;
  readonly engine: Engine;
  readonly host: string;
  readonly port: number;
  /** The database inside the server. */
  readonly database: string;
  readonly user: string;
  readonly endpoint: string;
  /** pgAdmin runs on the user's machine, or for many users on a server. */
  readonly mode: 'desktop' | 'server';
  /** The program that prints a token: examples/clients/sh/rds-token or one with its options. */
  readonly command: string;
  /** Where the CA bundle is on that machine. */
  readonly caFile: string;
};

export type Setup = { readonly body: string; readonly contentType: string };

/** Whether a program speaks to the engine. */
export function setupFits(client: ClientName, engine: Engine): boolean {
  if (client === 'dbeaver') return true;
  return (client === 'mysql') !== (engine === 'postgres');
}

/** Where a CA bundle is when a request does not say: pgAdmin on a server reads below the user's own storage alone. */
export function defaultCaFile(client: ClientName, mode: SetupFacts['mode'], bundleId: string): string {
  return client === 'pgadmin' && mode === 'server' ? `/${bundleId}.pem` : `/etc/ssl/rds/${bundleId}.pem`;
}

/** Why the program's setup cannot hold the operator's or the caller's values; undefined when it can. */
export function whyNoSetup(client: ClientName, facts: SetupFacts): string | undefined {
  // pgAdmin puts values of its own, unquoted for a shell, in place of %USERNAME% and the like.
  if (client === 'pgadmin' && tokenCommand(facts).includes('%')) return 'pgAdmin would replace a % in the command';
  if (client === 'pg_service') return whyNoSection(facts.name, pgServiceParameters(facts));
  const splits = Object.values(facts).some((value) => /[|\p{Cc}]/u.test(String(value)));
  return client === 'dbeaver' && splits ? 'DBeaver would split a value at its |' : undefined;
}

/**
 * The setup of one program: a file for its import, a section of its configuration, or a command line. Throws a `Fault` of
 * code `internal` for what `whyNoSetup` names.
 */
export function setupFor(client: ClientName, facts: SetupFacts): Setup {
  const why = whyNoSetup(client, facts);
  if (why !== undefined) throw new Fault('internal', `nothing was rendered: ${why}`);
  if (client === 'pgadmin') return { body: pgadmin(facts), contentType: 'application/json; charset=utf-8' };
  const body = { pg_service: pgService, psql, dbeaver, mysql }[client](facts);
  return { body, contentType: 'text/plain; charset=utf-8' };
}

/** Seconds that pgAdmin may keep a password. rds-token gives tokens that live 300 s more at least. */
const PASSWORD_SECONDS = 240;

/**
 * `servers.json` for pgAdmin's "Import/Export Servers" and `setup.py load-servers` (pgAdmin manual, "JSON format").
 * On a server the administrator must set `ENABLE_SERVER_PASS_EXEC_CMD = True`, and paths are below the user's storage.
 */
function pgadmin(facts: SetupFacts): string {
  const { name, host, port, database, user, caFile } = facts;
  const server = {
    Name: `${name} (${user})`,
    Group: 'rds-token-vendor',
    Host: host,
    Port: port,
    MaintenanceDB: database,
    Username: user,
    ConnectionParameters: { sslmode: 'verify-full', sslrootcert: caFile, connect_timeout: 10 },
    PasswordExecCommand: tokenCommand(facts),
    PasswordExecExpiration: PASSWORD_SECONDS,
  };
  return `${JSON.stringify({ Servers: { 1: server } }, null, 2)}\n`;
}

/** A section of `pg_service.conf`, for `PGPASSWORD=$(rds-token …) psql service=NAME` and whatever else uses libpq. */
function pgService(facts: SetupFacts): string {
  return pgServiceSection(facts.name, pgServiceParameters(facts));
}

function pgServiceParameters({ host, port, database, user, caFile }: SetupFacts): Record<string, string> {
  return { host, port: String(port), dbname: database, user, sslmode: 'verify-full', sslrootcert: caFile };
}

function psql(facts: SetupFacts): string {
  const { host, port, database, user, caFile } = facts;
  const parameters = { host, port, dbname: database, user, sslmode: 'verify-full', sslrootcert: caFile };
  const conninfo = Object.entries(parameters).map(([name, value]) => `${name}=${conninfoQuote(String(value))}`);
  return `PGPASSWORD="$(${tokenCommand(facts)})" psql ${shellQuote(conninfo.join(' '))}\n`;
}

/** DBeaver's command line: `dbeaver -con "$(curl …)"`. It asks for the password, which is what the command prints. */
function dbeaver({ name, engine, host, port, database, user, caFile }: SetupFacts): string {
  const driver = { postgres: 'postgresql', mysql: 'mysql8', mariadb: 'mariaDB' }[engine];
  const tls =
    engine === 'postgres'
      ? { 'prop.sslmode': 'verify-full', 'prop.sslrootcert': caFile }
      : {
          'prop.sslMode': engine === 'mysql' ? 'VERIFY_IDENTITY' : 'verify-full',
          ...(engine === 'mariadb' && { 'prop.serverSslCert': caFile }),
        };
  const parameters = { name: `${name} (${user})`, driver, host, port, database, user, savePassword: false, ...tls };
  return `${Object.entries(parameters)
    .map(([key, value]) => `${key}=${value}`)
    .join('|')}\n`;
}

function mysql(facts: SetupFacts): string {
  const { engine, host, port, database, user, caFile } = facts;
  const tls =
    engine === 'mysql'
      ? ['--ssl-mode=VERIFY_IDENTITY', `--ssl-ca=${shellQuote(caFile)}`, '--enable-cleartext-plugin']
      : ['--ssl-verify-server-cert', `--ssl-ca=${shellQuote(caFile)}`];
  const place = [`--host=${shellQuote(host)}`, `--port=${port}`, '--protocol=tcp', `--user=${shellQuote(user)}`];
  const program = engine === 'mysql' ? 'mysql' : 'mariadb';
  return `MYSQL_PWD="$(${tokenCommand(facts)})" ${[program, ...place, ...tls, `--database=${shellQuote(database)}`].join(' ')}\n`;
}

function tokenCommand({ command, name, user, endpoint }: SetupFacts): string {
  const words = [name, user, ...(endpoint === 'writer' ? [] : [endpoint])].map(shellQuote);
  return [command, ...words].join(' ');
}

/** A value of a libpq conninfo string (PostgreSQL manual, "Connection Strings"). */
function conninfoQuote(value: string): string {
  return /^[\w./:@-]+$/.test(value) ? value : `'${value.replace(/[\\']/g, '\\$&')}'`;
}

import type { Engine } from '../issuance/database.ts';
import { Fault } from '../issuance/fault.ts';
import type { Connection } from './connection.ts';
import { renderEnv } from './renderings/env.ts';
import { renderJdbc } from './renderings/jdbc.ts';
import { MY_CNF_TOKEN_BYTES, renderMyCnf } from './renderings/my-cnf.ts';
import { PG_SERVICE_TOKEN_BYTES, renderPgService, whyNoPgService } from './renderings/pg-service.ts';
import { renderPgpass } from './renderings/pgpass.ts';
import { renderPowershell } from './renderings/powershell.ts';
import { renderToken } from './renderings/token.ts';
import { renderUri } from './renderings/uri.ts';

/** What `format` of a request may be. */
export const FORMATS = ['json', 'token', 'env', 'powershell', 'uri', 'pgpass', 'pg_service', 'jdbc', 'my_cnf'] as const;

export type Format = (typeof FORMATS)[number];

export type Rendered = { readonly body: string; readonly contentType: string };

/** Whether programs of the engine read the format. */
export function formatFits(format: Format, engine: Engine): boolean {
  if (format === 'pgpass' || format === 'pg_service') return engine === 'postgres';
  if (format === 'my_cnf') return engine !== 'postgres';
  return true;
}

/** Why the format cannot hold a connection, whatever its token; undefined when it can. */
export function whyFormatCannotHold(format: Format, connection: Connection): string | undefined {
  return format === 'pg_service' ? whyNoPgService(connection) : undefined;
}

/** Why a token of this length is in no file of the format; undefined when it is. */
export function whyFormatTooShort(format: Format, bytes: number): string | undefined {
  if (format === 'pg_service' && bytes > PG_SERVICE_TOKEN_BYTES) {
    return `libpq reads service files in lines, and a token may have ${PG_SERVICE_TOKEN_BYTES} bytes there: use pgpass or env`;
  }
  if (format === 'my_cnf' && bytes > MY_CNF_TOKEN_BYTES) {
    return `the clients read option files in lines, and a token may have ${MY_CNF_TOKEN_BYTES} bytes there: use env`;
  }
  return undefined;
}

/**
 * The token in the form one kind of program reads. No rendering holds the CA bundle's path, which only the client
 * knows. Throws a `Fault` of code `internal` when a value has a line break, which would add lines of its own, or when
 * the format does not fit the engine.
 */
export function renderAuthToken(format: Exclude<Format, 'json'>, connection: Connection, token: string): Rendered {
  const { host, database, user, application_name } = connection;
  if ([host, database, user, application_name, token].some((value) => /[\p{Cc}\u2028\u2029]/u.test(value))) {
    throw new Fault('internal', 'nothing was rendered: a value holds a control character or a line break');
  }
  if (!formatFits(format, connection.engine)) {
    throw new Fault('internal', `nothing was rendered: ${format} is not for ${connection.engine}`);
  }
  return { body: RENDERERS[format](connection, token), contentType: 'text/plain; charset=utf-8' };
}

const RENDERERS: Record<Exclude<Format, 'json'>, (connection: Connection, token: string) => string> = {
  token: (_connection, token) => renderToken(token),
  env: renderEnv,
  powershell: renderPowershell,
  uri: renderUri,
  pgpass: renderPgpass,
  pg_service: renderPgService,
  jdbc: renderJdbc,
  my_cnf: renderMyCnf,
};

import type { Engine } from '../issuance/database.ts';
import { Fault } from '../issuance/fault.ts';
import type { Connection } from './connection.ts';
import { renderEnv } from './renderings/env.ts';
import { renderJdbc } from './renderings/jdbc.ts';
import { renderMyCnf } from './renderings/my-cnf.ts';
import { renderPgpass } from './renderings/pgpass.ts';
import { renderToken } from './renderings/token.ts';
import { renderUri } from './renderings/uri.ts';

/** What `format` of a request may be. */
export const FORMATS = ['json', 'token', 'env', 'uri', 'pgpass', 'jdbc', 'my_cnf'] as const;

export type Format = (typeof FORMATS)[number];

export type Rendered = { readonly body: string; readonly contentType: string };

/** Whether programs of the engine read the format. */
export function formatFits(format: Format, engine: Engine): boolean {
  if (format === 'pgpass') return engine === 'postgres';
  if (format === 'my_cnf') return engine !== 'postgres';
  return true;
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
  uri: renderUri,
  pgpass: renderPgpass,
  jdbc: renderJdbc,
  my_cnf: renderMyCnf,
};

import type { Engine } from '../issuance/database.ts';
import type { Connection } from './connection.ts';
import { percentEncode } from './percent-encode.ts';
import type { Format } from './render-auth-token.ts';
import { jdbcUrl } from './renderings/jdbc-url.ts';

/**
 * Programs that do something to a password, by the name that `client` gives, in lower case and with dashes for spaces.
 * A name may carry a version, `phpMyAdmin/5.2.2`.
 */
type Quirk = {
  /** The longest token that the program takes, bytes, and why. */
  readonly limit?: (version: string | null) => { readonly bytes: number; readonly why: string } | null;
  /** psqlODBC percent-decodes the `PWD` of its connection string. */
  readonly decodesPassword?: true;
  /** Takes a JDBC URL where others take a connection URI. */
  readonly takesJdbcUrl?: true;
};

const QUIRKS: ReadonlyMap<string, Quirk> = new Map<string, Quirk>([
  ['psqlodbc', { decodesPassword: true }],
  ['dbeaver', { takesJdbcUrl: true }],
  ['datagrip', { takesJdbcUrl: true }],
  [
    // https://github.com/github/gh-ost/pull/489
    'gh-ost',
    { limit: () => ({ bytes: 32, why: 'gh-ost takes 32 characters, the most that MySQL replication does' }) },
  ],
  [
    'mysql-connector/odbc',
    { limit: () => ({ bytes: 0, why: 'MySQL Connector/ODBC crashes on passwords of this length' }) },
  ],
  [
    // https://github.com/phpmyadmin/phpmyadmin/pull/18123
    'phpmyadmin',
    {
      limit: (version) =>
        atLeast(version, [5, 2, 2])
          ? { bytes: 1999, why: 'phpMyAdmin takes less than 2000 characters' }
          : { bytes: 999, why: 'phpMyAdmin before 5.2.2 takes less than 1000 characters' },
    },
  ],
  [
    // MAX_PASSWORD of its include/bouncer.h: 160, 996 from 1.16, 2048 from 1.17. Without a version it is taken for 1.17.
    'pgbouncer',
    {
      limit: (version) => {
        if (version === null || atLeast(version, [1, 17])) return { bytes: 2047, why: 'PgBouncer takes 2047 bytes' };
        return atLeast(version, [1, 16])
          ? { bytes: 995, why: 'PgBouncer 1.16 takes 995 bytes' }
          : { bytes: 159, why: 'PgBouncer before 1.16 takes 159 bytes' };
      },
    },
  ],
]);

/** The least that a token can have: what is in each of them, without host, user and credentials. */
const LEAST_TOKEN_BYTES = 250;

/** Why no token can ever fit the program; undefined when one may. */
export function whyNeverFits(client: string | undefined): string | undefined {
  return whyTooLong(client, LEAST_TOKEN_BYTES);
}

/** Why a token of this length does not fit the program; undefined when it does. */
export function whyTooLong(client: string | undefined, bytes: number): string | undefined {
  const { quirk, version } = quirkOf(client);
  const limit = quirk?.limit?.(version);
  return limit && bytes > limit.bytes ? limit.why : undefined;
}

/**
 * The token as the program named in the request must be given it.
 *
 * psqlODBC percent-decodes the `PWD` of its connection string, so a token pasted there must be encoded once more. That
 * concerns the formats a connection string is made from. `env` and `pgpass` are read by libpq itself, which decodes
 * nothing, even below psqlODBC; the others are not for ODBC. Other names change nothing and are only recorded.
 */
export function encodeForClient(client: string | undefined, format: Format, token: string): string {
  const intoConnectionString = format === 'json' || format === 'token' || format === 'uri';
  const { quirk } = quirkOf(client);
  return quirk?.decodesPassword && intoConnectionString ? percentEncode(token) : token;
}

/** Whether the program can be given the format for the engine: MariaDB Connector/J decodes nothing in its URLs. */
export function formatFitsClient(client: string | undefined, format: Format, engine: Engine): boolean {
  return !(quirkOf(client).quirk?.takesJdbcUrl && format === 'uri' && engine === 'mariadb');
}

/** The program's own form of `uri`, with a line end; undefined where it reads the common one. */
export function uriForClient(client: string | undefined, connection: Connection, token: string): string | undefined {
  return quirkOf(client).quirk?.takesJdbcUrl ? `${jdbcUrl(connection, token)}\n` : undefined;
}

function quirkOf(client: string | undefined): { readonly quirk: Quirk | undefined; readonly version: string | null } {
  const name = (client ?? '').toLowerCase().replaceAll(' ', '-');
  const whole = QUIRKS.get(name);
  if (whole) return { quirk: whole, version: null };
  const slash = name.lastIndexOf('/');
  if (slash === -1) return { quirk: undefined, version: null };
  return { quirk: QUIRKS.get(name.slice(0, slash)), version: name.slice(slash + 1) };
}

function atLeast(version: string | null, wanted: readonly number[]): boolean {
  if (version === null || !/^\d{1,4}(?:\.\d{1,4}){0,3}$/.test(version)) return false;
  const parts = version.split('.').map(Number);
  for (const [at, least] of wanted.entries()) {
    const part = parts[at] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

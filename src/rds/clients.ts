import { percentEncode } from './percent-encode.ts';
import type { Format } from './render-auth-token.ts';

/**
 * The token as the program named in the request must be given it.
 *
 * psqlODBC percent-decodes the `PWD` of its connection string, so a token pasted there must be encoded once more. That
 * concerns the formats a connection string is made from. `env` and `pgpass` are read by libpq itself, which decodes
 * nothing, even below psqlODBC; the others are not for ODBC. Other names change nothing and are only recorded.
 */
export function encodeForClient(client: string | null, format: Format, token: string): string {
  const intoConnectionString = format === 'json' || format === 'token' || format === 'uri';
  return client?.toLowerCase() === 'psqlodbc' && intoConnectionString ? percentEncode(token) : token;
}

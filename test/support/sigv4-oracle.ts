import { createHash, createHmac } from 'node:crypto';

/** What a token is signed over. `date` is its `X-Amz-Date`, such as `20261124T101500Z`. */
export type TokenClaims = {
  readonly host: string;
  readonly port: number;
  readonly region: string;
  readonly user: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  readonly date: string;
};

/**
 * An RDS auth token by the text of AWS's "Signature Version 4, query parameters", with nothing but `node:crypto`: it
 * shares no code with the signing library or with `src`. Parameters are in the order of their names.
 */
export function oracleToken(claims: TokenClaims): string {
  const { host, port, region, user, accessKeyId, secretAccessKey, sessionToken, date } = claims;
  const day = date.slice(0, 8);
  const scope = `${day}/${region}/rds-db/aws4_request`;
  const parameters: [string, string][] = [
    ['Action', 'connect'],
    ['DBUser', user],
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${accessKeyId}/${scope}`],
    ['X-Amz-Date', date],
    ['X-Amz-Expires', '900'],
    ...(sessionToken === null ? [] : [['X-Amz-Security-Token', sessionToken] as [string, string]]),
    ['X-Amz-SignedHeaders', 'host'],
  ];
  const query = parameters.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  const request = ['GET', '/', query, `host:${host}:${port}`, '', 'host', sha256('')].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(request)].join('\n');
  const key = [day, region, 'rds-db', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  return `${host}:${port}/?${query}&X-Amz-Signature=${hmac(key, toSign).toString('hex')}`;
}

/** The token with its parameters in order, as signers are free to order them. */
export function sortParameters(token: string): string {
  const start = token.indexOf('?') + 1;
  return token.slice(0, start) + token.slice(start).split('&').sort().join('&');
}

/** The `X-Amz-Date` of a token. */
export function dateOf(token: string): string {
  return /[?&]X-Amz-Date=(\d{8}T\d{6}Z)(?:&|$)/.exec(token)?.[1] ?? '';
}

/** Byte by byte: letters, digits and `-_.~` stay, every other byte becomes `%XX` in upper case. */
function encode(text: string): string {
  return Array.from(Buffer.from(text), (byte) =>
    /[A-Za-z0-9_.~-]/.test(String.fromCharCode(byte)) && byte < 0x80
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

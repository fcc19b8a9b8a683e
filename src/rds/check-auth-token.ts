import { Fault } from '../issuance/fault.ts';

/** RDS accepts a token for this long after its `X-Amz-Date` (AWS: "IAM database authentication"). */
export const TOKEN_LIFE_SECONDS = 900;

/*
 * How far X-Amz-Date may lie from the request's own time. The signing library reads the clock itself; between the two
 * readings the request may have waited for issuer keys and credentials. X-Amz-Date is cut to the second, and an NTP
 * step may set the clock back a little.
 */
const MOST_BEFORE_MS = 5000;
const MOST_AFTER_MS = 30_000;

/** What a token must say. Times are milliseconds since the epoch. */
export type ExpectedToken = {
  readonly host: string;
  readonly port: number;
  readonly region: string;
  readonly user: string;
  readonly accessKeyId: string;
  readonly sessionToken: string | null;
  readonly now: number;
};

/**
 * Reads a signed token back and asserts each of its fields, so that no defect of the input or of the signing library
 * leaves as a token for somebody else. Returns `X-Amz-Date` in milliseconds since the epoch. Throws a `Fault` of code
 * `signing_failed` that names the field and no value. The signature's form is checked, not its arithmetic.
 */
export function checkAuthToken(token: string, expected: ExpectedToken): number {
  const origin = `${expected.host}:${expected.port}/?`;
  if (!token.startsWith(origin)) throw mismatch('host, port and path');
  const parameters = parseParameters(token.slice(origin.length));
  const take = (name: string): string => {
    const value = parameters.get(name);
    if (value === undefined) throw mismatch(name);
    parameters.delete(name);
    return value;
  };
  const mustBe = (name: string, value: string): void => {
    if (take(name) !== value) throw mismatch(name);
  };

  const date = take('X-Amz-Date');
  const issuedAt = parseAmzDate(date);
  if (!(issuedAt >= expected.now - MOST_BEFORE_MS && issuedAt <= expected.now + MOST_AFTER_MS))
    throw mismatch('X-Amz-Date');
  mustBe('Action', 'connect');
  mustBe('DBUser', expected.user);
  mustBe('X-Amz-Algorithm', 'AWS4-HMAC-SHA256');
  mustBe('X-Amz-Credential', `${expected.accessKeyId}/${date.slice(0, 8)}/${expected.region}/rds-db/aws4_request`);
  mustBe('X-Amz-Expires', String(TOKEN_LIFE_SECONDS));
  mustBe('X-Amz-SignedHeaders', 'host');
  if (!/^[0-9a-f]{64}$/.test(take('X-Amz-Signature'))) throw mismatch('X-Amz-Signature');
  if (expected.sessionToken !== null) mustBe('X-Amz-Security-Token', expected.sessionToken);
  if (parameters.size > 0) throw mismatch('a parameter that does not belong');
  return issuedAt;
}

/** Not `URLSearchParams`: it would read `+` as a space and forgive what RDS may read differently. */
function parseParameters(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&')) {
    const [name = '', value = '', ...rest] = pair.split('=');
    if (rest.length > 0 || !/^[A-Za-z-]+$/.test(name)) throw mismatch('the form of the parameters');
    if (parameters.has(name)) throw mismatch('a repeated parameter');
    parameters.set(name, decode(value));
  }
  return parameters;
}

function decode(value: string): string {
  if (!/^(?:[A-Za-z0-9_.~-]|%[0-9A-F]{2})*$/.test(value)) throw mismatch('the encoding of the parameters');
  try {
    return decodeURIComponent(value);
  } catch {
    throw mismatch('the encoding of the parameters');
  }
}

/** `20261124T101500Z` in milliseconds since the epoch, NaN for anything else. */
function parseAmzDate(date: string): number {
  const parts = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(date);
  if (parts === null) return Number.NaN;
  const [, year, month, day, hour, minute, second] = parts;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function mismatch(field: string): Fault {
  return new Fault('signing_failed', `the signed token was dropped: not as expected: ${field}`);
}

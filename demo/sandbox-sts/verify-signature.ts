import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { StsError } from './sts-error.ts';

/*
 * AWS's side of Signature Version 4 in the Authorization header: it recomputes the signature with node:crypto alone.
 * Source: AWS, "Create a signed AWS API request" and STS, "Common Error Types".
 */

export type SignedRequest = {
  readonly method: string;
  /** The request target: `/` is the only one that STS has. */
  readonly path: string;
  /** Each header's values, by its name in lower case. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
};

export type AccessKey = {
  readonly secretAccessKey: string;
  /** null for long-lived keys, which never expire. */
  readonly temporary: { readonly sessionToken: string; readonly expiresAt: number } | null;
};

type Authorization = { readonly scope: readonly string[]; readonly signedHeaders: string; readonly signature: string };

const MOST_SKEW_MS = 900_000;

/** The access key id that a request names, or null when it is not signed. It says nothing about the signature. */
export function accessKeyIdOf({ headers }: SignedRequest): string | null {
  return /\bCredential=([^/,\s]+)/.exec(headers.get('authorization')?.join(',') ?? '')?.[1] ?? null;
}

/** Throws what STS answers, unless the request was signed with the key it names. Gives the id of that key. */
export function verifySignature(
  request: SignedRequest,
  find: (accessKeyId: string) => AccessKey | undefined,
  now: number,
): string {
  const authorization = parseAuthorization(request);
  const accessKeyId = accessKeyIdOf(request) ?? '';
  const key = find(accessKeyId);
  const token = headerOf(request, 'x-amz-security-token');
  if (!key || token !== key.temporary?.sessionToken) {
    throw new StsError(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.');
  }
  if (key.temporary && now >= key.temporary.expiresAt) {
    throw new StsError(403, 'ExpiredToken', 'The security token included in the request is expired');
  }
  checkDate(headerOf(request, 'x-amz-date') ?? '', authorization.scope, now);
  checkSignedHeaders(request, authorization.signedHeaders.split(';'));
  const expected = Buffer.from(sign(request, authorization, key.secretAccessKey));
  const given = Buffer.from(authorization.signature);
  if (expected.length === given.length && timingSafeEqual(expected, given)) return accessKeyId;
  throw mismatch(
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key ' +
      'and signing method. Consult the service documentation for details.',
  );
}

function parseAuthorization(request: SignedRequest): Authorization {
  const header = headerOf(request, 'authorization');
  if (header === undefined) {
    throw new StsError(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
  }
  const [, credential, signedHeaders, signature] =
    /^AWS4-HMAC-SHA256 Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]+)$/.exec(header) ?? [];
  if (credential === undefined || signedHeaders === undefined || signature === undefined) {
    throw new StsError(400, 'IncompleteSignature', 'Authorization header is not as Signature Version 4 has it.');
  }
  const [, ...scope] = credential.split('/');
  if (scope.length !== 4 || scope[3] !== 'aws4_request') {
    throw mismatch("Credential should be scoped with a valid terminator: 'aws4_request'.");
  }
  if (scope[2] !== 'sts') throw mismatch("Credential should be scoped to correct service: 'sts'. ");
  return { scope, signedHeaders, signature };
}

function checkDate(date: string, [day]: readonly string[], now: number): void {
  const signedAt = parseDate(date);
  if (Number.isNaN(signedAt)) {
    throw new StsError(400, 'IncompleteSignature', `Date must be in ISO-8601 'basic format'. Got '${date}'.`);
  }
  if (date.slice(0, 8) !== day) {
    throw mismatch(`Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ${date}`);
  }
  if (signedAt < now - MOST_SKEW_MS) {
    const earliest = formatDate(now - MOST_SKEW_MS);
    throw mismatch(`Signature expired: ${date} is now earlier than ${earliest} (${formatDate(now)} - 15 min.)`);
  }
  if (signedAt > now + MOST_SKEW_MS) {
    const latest = formatDate(now + MOST_SKEW_MS);
    throw mismatch(`Signature not yet current: ${date} is still later than ${latest} (${formatDate(now)} + 15 min.)`);
  }
}

/** The host and everything that begins with x-amz- must be signed: the rest does not change what is asked for. */
function checkSignedHeaders({ headers }: SignedRequest, signed: readonly string[]): void {
  for (const name of headers.keys()) {
    if ((name === 'host' || name.startsWith('x-amz-')) && !signed.includes(name)) {
      throw mismatch(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
    }
  }
}

function sign(request: SignedRequest, { scope, signedHeaders }: Authorization, secret: string): string {
  const headers = signedHeaders.split(';').map((name) => {
    const values = request.headers.get(name) ?? [];
    return `${name}:${values.map((value) => value.trim().replace(/ +/g, ' ')).join(',')}`;
  });
  const { method, path, body } = request;
  const canonical = [method, path, '', ...headers, '', signedHeaders, sha256(body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', headerOf(request, 'x-amz-date'), scope.join('/'), sha256(canonical)].join('\n');
  const key = scope.reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${secret}`);
  return hmac(key, toSign).toString('hex');
}

function headerOf({ headers }: SignedRequest, name: string): string | undefined {
  return headers.get(name)?.join(',');
}

function mismatch(message: string): StsError {
  return new StsError(403, 'SignatureDoesNotMatch', message);
}

function sha256(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function formatDate(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d+/g, '');
}

/** `20261124T101500Z` in milliseconds since the epoch, NaN for anything else. */
function parseDate(date: string): number {
  if (!/^\d{8}T\d{6}Z$/.test(date)) return Number.NaN;
  return Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

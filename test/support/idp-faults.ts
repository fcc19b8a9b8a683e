import { generateKeyPairSync } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { deflateSync, gzipSync } from 'node:zlib';
import { ec, jwkOf, keySetText, rsa } from './test-issuer.ts';

/** One way in which an issuer's answer is wrong: what is sent, and what `/readyz` says of it. */
export type IdpFault = {
  readonly what: string;
  readonly answer: (response: ServerResponse, places: Places) => void;
  readonly why: RegExp;
};

/** Addresses that answers may name. Whoever asks `elsewhere` gets good keys, and is counted. */
export type Places = { readonly issuer: string; readonly elsewhere: string };

const JSON_TYPE = { 'content-type': 'application/json' };

/** Answers with a text as JSON. */
export function sendJson(response: ServerResponse, text: string, more: Readonly<Record<string, string>> = {}): void {
  response.writeHead(200, { ...JSON_TYPE, ...more }).end(text);
}

function body(what: string, text: string | (() => string), why: RegExp): IdpFault {
  return { what, why, answer: (response) => sendJson(response, typeof text === 'string' ? text : text()) };
}

function redirect(status: number, name: string, location: (places: Places) => string): IdpFault {
  return {
    what: `redirects with ${status} to ${name}`,
    answer: (response, places) =>
      response.writeHead(status, { ...JSON_TYPE, location: location(places) }).end(keySetText()),
    why: new RegExp(`answered ${status}`),
  };
}

function encoded(what: string, encoding: string, bytes: () => Buffer): IdpFault {
  return {
    what,
    answer: (response) => response.writeHead(200, { ...JSON_TYPE, 'content-encoding': encoding }).end(bytes()),
    why: /answered with an encoded body/,
  };
}

/** Writes to the connection itself, a piece each time it can take one, until it is closed. */
function pour(response: ServerResponse, head: string, piece: string): void {
  const { socket } = response;
  if (socket === null) return;
  socket.on('error', () => undefined);
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more).write(head);
  more();
}

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const megabyte = 'a'.repeat(1024 * 1024);

/** Answers that take all of the 5 s. */
export const SLOW: readonly IdpFault[] = [
  { what: 'accepts and never answers', answer: () => undefined, why: /did not answer within 5 s/ },
  {
    what: 'sends headers and then nothing',
    answer: (response) => response.writeHead(200, JSON_TYPE).flushHeaders(),
    why: /did not answer within 5 s/,
  },
  {
    what: 'sends half of its answer and then nothing',
    answer: (response) => response.writeHead(200, JSON_TYPE).write(keySetText().slice(0, 300)),
    why: /did not answer within 5 s/,
  },
  {
    what: 'drips a byte a second',
    answer: (response) => drip(response, `${HEAD}content-length: 9999\r\n\r\n`, keySetText()),
    why: /did not answer within 5 s/,
  },
  {
    what: 'drips a byte a second, from its status line on',
    answer: (response) => drip(response, '', HEAD),
    why: /did not answer within 5 s/,
  },
];

/** Answers without end, fast. What was sent of them when they were cut is for the sender to tell. */
export const ENDLESS: readonly IdpFault[] = [
  {
    what: 'answers 10 GB, of a length that it does not say',
    answer: (response) => pour(response, `${HEAD}transfer-encoding: chunked\r\n\r\n`, `100000\r\n${megabyte}\r\n`),
    why: /answered more than 102400 bytes/,
  },
  {
    what: 'answers 10 GB, and says so',
    answer: (response) => pour(response, `${HEAD}content-length: ${10 * 1024 ** 3}\r\n\r\n`, megabyte),
    why: /answered more than 102400 bytes/,
  },
  {
    what: 'answers without end, until it closes',
    answer: (response) => pour(response, `${HEAD}connection: close\r\n\r\n`, megabyte),
    why: /answered more than 102400 bytes/,
  },
  {
    what: 'answers without end in chunks of a byte',
    answer: (response) => pour(response, `${HEAD}transfer-encoding: chunked\r\n\r\n`, '1\r\na\r\n'.repeat(10_000)),
    why: /answered in more than 10000 pieces/,
  },
  {
    what: 'sends headers without end',
    answer: (response) => pour(response, HEAD, `x: ${'a'.repeat(1000)}\r\n`.repeat(100)),
    why: /cannot be reached: .*Header.?overflow/i,
  },
  {
    what: 'sends a gzip bomb',
    answer: (response) => response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' }).end(bomb()),
    why: /answered with an encoded body/,
  },
];

const good = jwkOf(rsa, { kid: 'rsa' });
const set = (...keys: unknown[]) => JSON.stringify({ keys });
const weak = () => jwkOf(generateKeyPairSync('rsa', { modulusLength: 1024 }), { kid: 'weak' });

/** Answers of the key set's address that are wrong at once. */
export const WRONG_KEYS: readonly IdpFault[] = [
  { what: 'hangs up', answer: (response) => response.socket?.destroy(), why: /cannot be reached: / },
  {
    what: 'breaks off',
    answer: (response) => {
      response.writeHead(200, { ...JSON_TYPE, 'content-length': '5000' }).write(keySetText().slice(0, 300));
      setTimeout(() => response.destroy(), 50);
    },
    why: /broke off its answer|ended its answer early/,
  },
  {
    what: 'answers 500',
    answer: (response) => response.writeHead(500, JSON_TYPE).end(keySetText()),
    why: /answered 500/,
  },
  {
    what: 'answers a part (206)',
    answer: (response) => response.writeHead(206, JSON_TYPE).end(keySetText()),
    why: /answered 206/,
  },
  {
    what: 'answers HTML',
    answer: (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Maintenance</html>'),
    why: /something other than JSON/,
  },
  body('answers HTML that it calls JSON', '<html>Maintenance</html>', /the JWK set is not valid JSON/),
  encoded('answers with gzip', 'gzip', () => gzipSync(keySetText())),
  encoded('answers with deflate', 'deflate', () => deflateSync(keySetText())),
  encoded('answers with gzip and identity', 'gzip, identity', () => gzipSync(keySetText())),
  {
    what: 'answers with gzip that it does not name',
    answer: (response) => response.writeHead(200, JSON_TYPE).end(gzipSync(keySetText())),
    why: /text that is not UTF-8/,
  },
  ...[301, 302, 303, 307, 308].map((status) => redirect(status, 'a loopback address', ({ elsewhere }) => elsewhere)),
  redirect(302, 'the metadata address', () => 'http://169.254.169.254/latest/meta-data/'),
  redirect(307, 'its own good keys', ({ issuer }) => `${issuer}/good`),
  body('has no keys', '{"keys":[]}', /no key that may verify/),
  body('has the same kid twice', set(good, jwkOf(ec, { kid: 'rsa' })), /the same kid twice/),
  body('has keys twice', `{"keys":[${JSON.stringify(good)}],"keys":[]}`, /the same key twice/),
  body('has a member of a key twice', `{"keys":[{"kid":"rsa",${JSON.stringify(good).slice(1)}]}`, /the same key twice/),
  body(
    'has 101 keys',
    set(good, ...Array.from({ length: 100 }, (_, index) => jwkOf(ec, { kid: `${index}` }))),
    /101 keys, over 100/,
  ),
  body('has only a weak key', () => set(weak()), /RSA of 1024 bits/),
  body('has only a secret', set({ kty: 'oct', k: 'c2VjcmV0', kid: 'rsa' }), /not an RSA, EC or OKP key/),
  body(
    'publishes its private key',
    set({ ...rsa.privateKey.export({ format: 'jwk' }), kid: 'rsa' }),
    /private members/,
  ),
];

const discovery = (what: string, document: (places: Places) => object, why: RegExp): IdpFault => ({
  what: `names ${what}`,
  answer: (response, places) => sendJson(response, JSON.stringify(document(places))),
  why,
});

/** Answers of the discovery address. */
export const WRONG_DISCOVERY: readonly IdpFault[] = [
  discovery(
    'another issuer',
    ({ issuer }) => ({ issuer: `${issuer}/x`, jwks_uri: `${issuer}/keys` }),
    /another issuer/,
  ),
  discovery('no jwks_uri', ({ issuer }) => ({ issuer }), /names no jwks_uri/),
  discovery(
    'a long jwks_uri',
    ({ issuer }) => ({ issuer, jwks_uri: `${issuer}/${'a'.repeat(2048)}` }),
    /names no jwks_uri/,
  ),
  ...[
    'http://idp.example/keys',
    'http://169.254.169.254/keys',
    'ftp://localhost/keys',
    'file:///etc/passwd',
    'data:,{}',
  ].map((jwks_uri) => discovery(`the jwks_uri ${jwks_uri}`, ({ issuer }) => ({ issuer, jwks_uri }), /not https/)),
  discovery(
    'a jwks_uri with a password',
    ({ issuer }) => ({ issuer, jwks_uri: issuer.replace('//', '//a:b@') }),
    /with user information/,
  ),
  {
    what: 'redirects its discovery',
    answer: (response, { elsewhere }) => response.writeHead(302, { ...JSON_TYPE, location: elsewhere }).end(),
    why: /answered 302/,
  },
  { what: 'has no discovery', answer: (response) => response.writeHead(404).end(), why: /answered 404/ },
];

/** Sends what is left a byte a second, until the connection ends. */
function drip(response: ServerResponse, atOnce: string, slowly: string): void {
  const { socket } = response;
  if (socket === null) return;
  socket.on('error', () => undefined).write(atOnce);
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || at >= slowly.length) clearInterval(timer);
    else socket.write(slowly.charAt(at++));
  }, 1_000);
}

/** 20 KB that unpack to 20 MB. */
function bomb(): Buffer {
  return gzipSync(Buffer.alloc(20 * 1024 * 1024));
}

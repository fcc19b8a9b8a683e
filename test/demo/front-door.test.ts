import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { type Certificates, makeCertificates } from '../../demo/certificates.ts';
import { listen, portOf } from '../../demo/listen.ts';
import { createFrontDoor } from '../../demo/sandbox-database/front-door.ts';
import { RDS_ENDPOINT } from '../../demo/settings.ts';

/* What arrives before anybody has logged in. No session may open, so there is no PostgreSQL behind this door. */

let tls: Certificates;
let door: Server;

before(async () => {
  tls = await makeCertificates(Date.now());
  door = createFrontDoor({
    backend: { open: () => assert.fail('a session was opened') },
    database: { ...RDS_ENDPOINT, secretAccessKeys: new Map() },
    tls,
    now: Date.now,
    onRefused: () => undefined,
  });
  await listen(door, 0);
});
after(() => door.close());

function packet(code: number, rest = ''): Buffer {
  const body = Buffer.from(rest, 'latin1');
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length, 0);
  head.writeUInt32BE(code, 4);
  return Buffer.concat([head, body]);
}

const SSL_REQUEST = packet(80_877_103);
const STARTUP = packet(0x30000, 'user\0app_rw\0database\0orders\0\0');

async function dial(): Promise<Socket> {
  const socket = connect(portOf(door), '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** Everything that is answered until the server closes. */
async function answerTo(stream: Duplex, bytes: Buffer): Promise<string> {
  let answer = '';
  stream.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  stream.on('error', () => undefined);
  stream.write(bytes);
  await once(stream, 'close');
  return answer;
}

async function dialTls(): Promise<Duplex> {
  const socket = await dial();
  socket.write(SSL_REQUEST);
  const [answer]: Buffer[] = await once(socket, 'data');
  assert.equal(answer?.toString(), 'S');
  const secure = connectTls({ socket, ca: tls.ca, host: 'localhost', servername: 'localhost' });
  await once(secure, 'secureConnect');
  return secure;
}

test('encryption by GSSAPI is declined, and a startup in plain text is then refused', async () => {
  const answer = await answerTo(await dial(), Buffer.concat([packet(80_877_104), STARTUP]));
  assert.match(answer, /^NE.*SFATAL.*C28000\0Mno pg_hba\.conf entry for host "127\.0\.0\.1", user "app_rw"/s);
});

const CLOSED_WITHOUT_WORDS: readonly [what: string, bytes: Buffer][] = [
  ['a cancel request', packet(80_877_102, '\0\0\0\x01\0\0\0\x02')],
  ['a startup sent along with the TLS request, before the handshake', Buffer.concat([SSL_REQUEST, STARTUP])],
];
for (const [what, bytes] of CLOSED_WITHOUT_WORDS) {
  test(`${what} closes the connection without a word`, async () => {
    assert.equal(await answerTo(await dial(), bytes), '');
  });
}

const HOSTILE_STARTUPS: readonly [what: string, bytes: Buffer, words: RegExp][] = [
  ['a length over 10,000', Buffer.from('00002711000300000000', 'hex'), /invalid length of startup packet/],
  ['a length under 8', Buffer.from('0000000700030000', 'hex'), /invalid length of startup packet/],
  ['a TLS hello without a request for it', Buffer.from('16030100f8010000', 'hex'), /invalid length/],
  ['protocol 2', packet(0x20000), /unsupported frontend protocol 2\.0/],
  ['parameters without an end', packet(0x30000, 'user\0app_rw'), /invalid startup packet layout/],
  ['a parameter without a value', packet(0x30000, 'user\0app_rw\0database\0\0'), /invalid startup packet layout/],
];
for (const [what, bytes, words] of HOSTILE_STARTUPS) {
  test(`${what} is a FATAL`, async () => {
    const answer = await answerTo(await dial(), bytes);
    assert.match(answer, /SFATAL/);
    assert.match(answer, words);
  });
}

/** AuthenticationCleartextPassword. */
const ASKS_FOR_PASSWORD = 'R\0\0\0\b\0\0\0\x03';

const HOSTILE_PASSWORDS: readonly [what: string, bytes: Buffer, words: RegExp][] = [
  ['a password of more than 64 KiB', Buffer.from('7000010000', 'hex'), /invalid message length/],
  [
    'a query instead of a password',
    Buffer.from('510000000b53454c45435400', 'hex'),
    /SFATAL.*expected password response/s,
  ],
  ['an empty password message', Buffer.from('7000000004', 'hex'), /PAM authentication failed for user "app_rw"/],
];
for (const [what, bytes, words] of HOSTILE_PASSWORDS) {
  test(`${what} is a FATAL and no session`, async () => {
    const secure = await dialTls();
    const answer = await answerTo(secure, Buffer.concat([STARTUP, bytes]));
    assert.ok(answer.startsWith(ASKS_FOR_PASSWORD));
    assert.match(answer, words);
  });
}

test('a startup without a user is a FATAL', async () => {
  const answer = await answerTo(await dialTls(), packet(0x30000, 'database\0orders\0\0'));
  assert.match(answer, /SFATAL.*C28000\0Mno PostgreSQL user name specified/s);
});

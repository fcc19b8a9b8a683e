import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { listen, portOf } from '../../demo/listen.ts';
import { createRoleCalls } from '../../src/aws/sts-calls.ts';
import { asStsError, type StsFailure } from '../../src/aws/sts-failure.ts';

/* STS's codes as its API reference has them, read by AWS's client, which names some of them otherwise. */

const SECRET = 'what STS quotes';
let answer: readonly [status: number, code: string] = [400, ''];
const server = createServer((request, response) => {
  request.resume();
  const [status, code] = answer;
  if (status === 0) return;
  if (status === 1) return void request.socket.resetAndDestroy();
  const type = { 'content-type': 'text/xml' };
  if (status === 200) return void response.writeHead(status, type).end(code);
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${SECRET}</Message></Error>`;
  response.writeHead(status, type);
  response.end(`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${error}</ErrorResponse>`);
});
before(async () => {
  await listen(server, 0);
  process.env['AWS_ENDPOINT_URL_STS'] = `http://127.0.0.1:${portOf(server)}`;
});
after(() => {
  delete process.env['AWS_ENDPOINT_URL_STS'];
  server.close().closeAllConnections();
});

const CODES: readonly [status: number, code: string, failure: StsFailure][] = [
  [403, 'AccessDenied', 'denied'],
  [403, 'ExpiredToken', 'denied'],
  [403, 'InvalidClientTokenId', 'denied'],
  [403, 'SignatureDoesNotMatch', 'denied'],
  [400, 'ExpiredTokenException', 'jwt_rejected'],
  [400, 'InvalidIdentityToken', 'jwt_rejected'],
  [403, 'IDPRejectedClaim', 'jwt_rejected'],
  [400, 'IDPCommunicationError', 'issuer_unreachable'],
  [403, 'RegionDisabledException', 'region_disabled'],
  [400, 'PackedPolicyTooLarge', 'request_rejected'],
  [400, 'MalformedPolicyDocument', 'request_rejected'],
  [400, 'ValidationError', 'request_rejected'],
  [400, 'Throttling', 'throttled'],
  [400, 'ThrottlingException', 'throttled'],
  [400, 'RequestLimitExceeded', 'throttled'],
  [429, 'SlowDownPlease', 'throttled'],
  [500, 'InternalFailure', 'server_error'],
  [503, 'ServiceUnavailable', 'server_error'],
  [400, 'toString', 'request_rejected'],
];
async function ask() {
  const session = { sessionName: 's@x', durationSeconds: 3600, policy: null, sourceIdentity: null, tags: [] };
  const asked = { ...session, arn: 'arn:aws:iam::123456789012:role/a', jwt: 'a.b.c', subject: 'x', patient: false };
  const thrown: unknown = await createRoleCalls('us-west-2')
    .assumeRoleWithWebIdentity(asked)
    .catch((error: unknown) => error);
  return asStsError(thrown);
}

for (const [status, code, failure] of CODES) {
  test(`STS's ${code} is ${failure}, and its words stay out of ours`, async () => {
    answer = [status, code];
    const error = await ask();
    assert.equal(error.failure, failure);
    assert.match(error.message, new RegExp(` \\(${code}(?:Exception)?\\)$`));
    assert.ok(!error.message.includes(SECRET));
  });
}

test('an STS that does not answer is told from one that refuses or resets the connection', async () => {
  answer = [0, ''];
  const silent = await ask();
  assert.deepEqual([silent.failure, silent.timedOut], ['unreachable', true]);
  answer = [1, ''];
  const reset = await ask();
  assert.deepEqual([reset.failure, reset.timedOut], ['unreachable', false]);
  const url = process.env['AWS_ENDPOINT_URL_STS'];
  process.env['AWS_ENDPOINT_URL_STS'] = 'http://127.0.0.1:1';
  const gone = await ask();
  process.env['AWS_ENDPOINT_URL_STS'] = url;
  assert.deepEqual([gone.failure, gone.timedOut], ['unreachable', false]);
});

const result = (keys: string) => {
  const tag = 'AssumeRoleWithWebIdentity';
  return `<${tag}Response><${tag}Result><Credentials>${keys}</Credentials></${tag}Result></${tag}Response>`;
};
const UNREADABLE: Readonly<Record<string, string>> = {
  'cut off': result('').slice(0, -20),
  'with other tags': `<a><${SECRET.replaceAll(' ', '')}></a>`,
  'with an odd end': result(`<Expiration>${SECRET}</Expiration>`),
  'without keys': result(''),
};
for (const [what, body] of Object.entries(UNREADABLE)) {
  test(`a success ${what}: nothing of it is kept, also for the log`, async () => {
    answer = [200, body];
    const error = await ask();
    assert.deepEqual([error.failure, error.code, error.cause], ['odd_answer', null, undefined]);
    assert.equal(error.message, 'STS: its answer is not what was asked for');
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../src/issuance/fault.ts';
import { createLogger } from '../src/logger.ts';

test('an error is logged with its causes, and without JWTs, signatures, session tokens and secret keys', () => {
  const lines: string[] = [];
  const logger = createLogger({ write: (line) => void lines.push(line) });
  const secrets = ['eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln', 'a1b2c3d4', 'FwoGZXIvYXdz', 'wJalrXUtnFEMI'];
  const [jwt, signature, session, key] = secrets;
  const inner = new Error(`POST {"SecretAccessKey": "${key}", "SessionToken":"${session}"}`);
  const middle = new Error(`host/?X-Amz-Signature=${signature}&X-Amz-Security-Token=${session}`, { cause: inner });
  logger.error({ err: new Error(`no ${jwt}`, { cause: middle }) }, 'failed');
  const [line = ''] = lines;
  const { level, msg, err } = JSON.parse(line);
  assert.deepEqual([level, msg, err.length], ['error', 'failed', 3]);
  assert.equal(err[0].message, 'no [JWT]');
  for (const secret of secrets) assert.ok(!line.includes(secret), `${secret} in ${line}`);
});

for (const text of [
  '<SecretAccessKey>SECRET/+=</SecretAccessKey>',
  '<ns:SessionToken>SECRET</ns:SessionToken>',
  '<SecretAccessKey xmlns="u">SECRET<',
  '<SecretAccessKey ><![CDATA[SECRET]]></SecretAccessKey>',
  '&lt;SecretAccessKey&gt;SECRET&lt;',
  String.raw`{\"SecretAccessKey\":\"SECRET\"}`,
  'host/?X-Amz-Signature%3DSECRET&x',
  'Authorization: Bearer SECRET-opaque-0123456789',
  'eyAiYWxnIjogIlJTMjU2In0.eyJzdWIiOiJ4In0.SECRET',
  'ewogICJhbGciOiAiUlMyNTYifQ.eyJzdWIiOiJ4In0.SECRET',
  'aws_secret_access_key = SECRET',
  `${'eyJ'.repeat(100_000)} SECRET`,
]) {
  test(`the log keeps no secret of ${text.slice(0, 60)}, wherever the text is`, () => {
    const lines: string[] = [];
    const logger = createLogger({ write: (line) => void lines.push(line) });
    logger.error({ err: new Error(`cannot read ${text}`) });
    logger.error({ err: new Error('odd') }, text);
    logger.error(text);
    logger.error({ err: text });
    logger.error(new Error(text));
    Reflect.apply(logger.error, logger, [{ err: new Error(text) }, undefined]);
    Reflect.apply(logger.error, logger, [{ err: new Error(text) }, null]);
    assert.equal(lines.length, 7);
    for (const line of lines) assert.ok(!line.includes('SECRET'), line);
    assert.equal(JSON.parse(lines[0] ?? '').msg, 'an error');
  });
}

for (const text of [
  '/run/token does not hold one bearer token',
  'ewallet-prod.cluster-abc.us-west-2.rds.amazonaws.com cannot be reached',
  'eyeglass.example answered 500',
]) {
  test(`the log leaves the words of an operator's message: ${text}`, () => {
    const lines: string[] = [];
    const logger = createLogger({ write: (line) => void lines.push(line) });
    logger.error({ err: new Error(text) }, text);
    const { msg, err } = JSON.parse(lines[0] ?? '');
    assert.deepEqual([msg, err[0].message], [text, text]);
  });
}

test('logging throws at nothing that it is given', () => {
  const lines: string[] = [];
  const logger = createLogger({ write: (line) => void lines.push(line) });
  const odd = Object.assign(new Error('x'), { message: 5, stack: null, code: Symbol('s') });
  for (const message of [undefined, null, 5, {}]) Reflect.apply(logger.error, logger, [{ err: odd }, message]);
  logger.info('%s and %d', 'one', 2);
  logger.info({ a: 1 });
  assert.equal(lines.length, 6);
  assert.equal(JSON.parse(lines[4] ?? '').msg, 'one and 2');
  assert.equal(JSON.parse(lines[5] ?? '').msg, undefined);
});

test('a failure that says itself what happened is logged without stacks, and one of the code with them', () => {
  const lines: string[] = [];
  const logger = createLogger({ write: (line) => void lines.push(line) });
  const cause = new TypeError('fetch failed');
  logger.error({ err: new Fault('issuer_keys_unavailable', 'no keys', { cause }) }, 'failed');
  logger.error({ err: new Fault('internal', 'an unexpected error', { cause }) }, 'failed');
  const [expected, unexpected] = lines.map((line) => JSON.parse(line).err);
  assert.deepEqual(expected, [
    { name: 'Fault', code: 'issuer_keys_unavailable', message: 'no keys' },
    { name: 'TypeError', message: 'fetch failed' },
  ]);
  assert.match(unexpected[1].stack, /logger\.test\.ts/);
});

test('what is thrown and is no error is logged as text, and a chain of causes has an end', () => {
  const lines: string[] = [];
  const logger = createLogger({ write: (line) => void lines.push(line) });
  logger.error({ err: 'just text' });
  const loop: Error = new Error('loop');
  loop.cause = loop;
  logger.error({ err: loop });
  assert.equal(JSON.parse(lines[0] ?? '').err, 'just text');
  assert.equal(JSON.parse(lines[1] ?? '').err.length, 5);
});

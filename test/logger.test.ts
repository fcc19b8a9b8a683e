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

test('STS’s XML is logged without the keys in it', () => {
  const lines: string[] = [];
  const logger = createLogger({ write: (line) => void lines.push(line) });
  const xml =
    '<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>wJalr</SecretAccessKey><SessionToken>FwoG+/=</SessionToken>';
  logger.error({ err: new Error(`cannot read ${xml}`) });
  const { err, msg } = JSON.parse(lines[0] ?? '');
  assert.equal(msg, 'an error');
  assert.equal(
    err[0].message,
    'cannot read <AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>[secret]</SecretAccessKey><SessionToken>[secret]</SessionToken>',
  );
  logger.error({ err: new Error('odd') }, xml);
  assert.ok(!/wJalr|FwoG/.test(lines.join('')));
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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCredentialSource } from '../../src/aws/credential-source.ts';
import type { SigningCredentials } from '../../src/issuance/auth-token.ts';

const START = 1_790_000_000_000;
const MINUTE = 60_000;

/** A source whose clock and answers the test drives. */
function driven(first: (() => Promise<SigningCredentials>) | SigningCredentials) {
  const state = { now: START, loads: 0, failures: 0, answer: first };
  const source = createCredentialSource({
    load: () => {
      state.loads++;
      return typeof state.answer === 'function' ? state.answer() : Promise.resolve(state.answer);
    },
    clock: { now: () => state.now, monotonic: () => state.now },
    onFailure: () => state.failures++,
  });
  return { source, state };
}

function keys(id: string, expiresAt: number | null): SigningCredentials {
  return { accessKeyId: id, secretAccessKey: 's', sessionToken: null, expiresAt };
}

const down = () => Promise.reject(new Error('CredentialsProviderError: secret detail'));

test('static keys are asked for once', async () => {
  const { source, state } = driven(keys('a', null));
  for (let count = 0; count < 5; count++) assert.equal((await source.resolve()).accessKeyId, 'a');
  assert.equal(state.loads, 1);
});

test('a hundred requests at once cause one load', async () => {
  const { source, state } = driven(keys('a', START + 60 * MINUTE));
  await Promise.all(Array.from({ length: 100 }, () => source.resolve()));
  assert.equal(state.loads, 1);
});

test('credentials are renewed in the background at 20 minutes, and waited for below a token’s life', async () => {
  const { source, state } = driven(keys('a', START + 60 * MINUTE));
  await source.resolve();
  state.answer = keys('b', START + 120 * MINUTE);
  state.now = START + 39 * MINUTE;
  assert.equal((await source.resolve()).accessKeyId, 'a');
  assert.equal(state.loads, 1);
  state.now = START + 41 * MINUTE;
  assert.equal((await source.resolve()).accessKeyId, 'a');
  await Promise.resolve();
  await new Promise(setImmediate);
  assert.equal((await source.resolve()).accessKeyId, 'b');
  state.answer = keys('c', START + 240 * MINUTE);
  state.now = START + 110 * MINUTE;
  assert.equal((await source.resolve()).accessKeyId, 'c');
});

test('while there are no new ones the old ones serve until their last minute, never after', async () => {
  const { source, state } = driven(keys('a', START + 20 * MINUTE));
  await source.resolve();
  state.answer = down;
  state.now = START + 18 * MINUTE;
  assert.equal((await source.resolve()).accessKeyId, 'a');
  state.now = START + 19 * MINUTE + 1;
  await assert.rejects(source.resolve(), { name: 'Fault', code: 'credentials_expiring' });
  state.now = START + 21 * MINUTE;
  await assert.rejects(source.resolve(), { name: 'Fault', code: 'credentials_expiring' });
  assert.equal(state.failures, 3);
});

test('a source that fails is asked again after ten seconds, not at each request', async () => {
  const { source, state } = driven(down);
  for (let count = 0; count < 20; count++) {
    await assert.rejects(source.resolve(), {
      code: 'credentials_unavailable',
      message: 'no source of the AWS provider chain gave credentials',
    });
  }
  assert.equal(state.loads, 1);
  state.answer = keys('a', null);
  state.now += 10_000;
  assert.equal((await source.resolve()).accessKeyId, 'a');
});

test('a source that hands out the same ending credentials does not replace longer ones', async () => {
  const { source, state } = driven(keys('long', START + 18 * MINUTE));
  await source.resolve();
  state.answer = keys('short', START + 16 * MINUTE);
  state.now = START + 11_000;
  await source.resolve();
  await new Promise(setImmediate);
  assert.equal((await source.resolve()).accessKeyId, 'long');
});

test('a source that hangs is given up', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { source } = driven(() => new Promise(() => {}));
  const resolving = source.resolve();
  t.mock.timers.tick(5_000);
  await assert.rejects(resolving, { code: 'credentials_unavailable', message: /no answer within 5 s/ });
});

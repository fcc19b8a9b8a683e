import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCredentialSource } from '../../src/aws/credential-source.ts';
import { createOwnIdentity, type IdentityEvent } from '../../src/aws/own-identity.ts';
import type { OwnCredentials } from '../../src/aws/provider-chain.ts';

const ARN = 'arn:aws:sts::123456789012:assumed-role/vendor/pod';
const keys: OwnCredentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'sss',
  sessionToken: null,
  expiresAt: null,
  roleArn: null,
  origin: 'environment',
};
const session: OwnCredentials = {
  ...keys,
  accessKeyId: 'ASIA1',
  sessionToken: 'ttt',
  expiresAt: 1_790_003_600_000,
  origin: 'container',
};

function driven(credentials: OwnCredentials, answers: readonly (string | null)[]) {
  const told: IdentityEvent[] = [];
  let asked = 0;
  const clock = { now: () => 1_790_000_000_000, monotonic: () => 0 };
  const source = createCredentialSource({ load: () => Promise.resolve(credentials), clock, onFailure: () => {} });
  const identity = createOwnIdentity({
    source,
    ask() {
      const arn = answers[asked++] ?? null;
      return arn === null
        ? Promise.reject(new Error('STS is down'))
        : Promise.resolve({ account: '123456789012', arn });
    },
    onEvent: (event) => told.push(event),
  });
  return { identity, told, asked: () => asked };
}

test('whose the credentials are is asked and told once, without secrets', async () => {
  const { identity, told, asked } = driven(session, [ARN]);
  assert.equal(identity.describe(), undefined);
  for (let count = 0; count < 3; count++) await identity.refresh();
  assert.equal(asked(), 1);
  const described = {
    origin: 'container',
    access_key_id: 'ASIA1',
    account: '123456789012',
    arn: ARN,
    expires_at: '2026-09-21T15:13:20.000Z',
  };
  assert.deepEqual(identity.describe(), described);
  assert.deepEqual(told, [{ identity: described, isStatic: false, error: undefined }]);
  assert.ok(!/sss|ttt/.test(JSON.stringify(told)));
});

test('static keys are told as such', async () => {
  const { identity, told } = driven(keys, [ARN]);
  await identity.refresh();
  assert.equal(told[0]?.isStatic, true);
  assert.equal(told[0]?.identity.expires_at, null);
});

test('while STS is down it is asked less and less often, that is told once, and so is its answer', async () => {
  const { identity, told, asked } = driven(session, [null, null, null, ARN]);
  const attempts: number[] = [];
  for (let count = 0; count < 12; count++) {
    await identity.refresh();
    attempts.push(asked());
  }
  assert.deepEqual(attempts, [1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4]);
  assert.deepEqual(
    told.map(({ error, identity: { arn } }) => [error instanceof Error, arn]),
    [
      [true, null],
      [false, ARN],
    ],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRoleGate } from '../../src/aws/role-gate.ts';
import { StsError, type StsFailure } from '../../src/aws/sts-failure.ts';

function driven() {
  const clock = { now: 0 };
  const asked: boolean[] = [];
  const gate = createRoleGate({ roleArn: 'arn:r', monotonic: () => clock.now });
  const fail = (failure: StsFailure) =>
    gate.run((patient) => {
      asked.push(patient);
      return Promise.reject(new StsError(failure, null, undefined));
    });
  const answer = () =>
    gate.run((patient) => {
      asked.push(patient);
      return Promise.resolve('session');
    });
  return { clock, asked, gate, fail, answer };
}

for (const failure of ['throttled', 'unreachable', 'server_error', 'region_disabled'] as const) {
  test(`${failure}: in half an hour 60 calls without retries, and the first answer ends it`, async () => {
    const { clock, asked, gate, fail, answer } = driven();
    await assert.rejects(fail(failure), { failure });
    for (; clock.now < 1_800_000; clock.now += 1000) await assert.rejects(fail(failure));
    assert.deepEqual([asked.length, asked[0], asked.slice(1).includes(true)], [60, true, false]);
    assert.ok((gate.paused()?.retryAfterSeconds ?? 0) <= 30);
    clock.now += 30_000;
    assert.equal(await answer(), 'session');
    assert.equal(gate.paused(), undefined);
    assert.equal(await answer(), 'session');
    assert.equal(asked.at(-1), true);
  });
}

for (const failure of ['denied', 'jwt_rejected', 'request_rejected', 'odd_answer'] as const) {
  test(`${failure} concerns one session: others are asked for at once`, async () => {
    const { gate, fail, answer } = driven();
    await assert.rejects(fail(failure), { failure });
    assert.equal(gate.paused(), undefined);
    assert.equal(await answer(), 'session');
  });
}

test('an issuer that STS cannot reach is left alone for 30 s, those of the same role are not', async () => {
  const clock = { now: 0 };
  const gate = createRoleGate({ roleArn: 'arn:r', monotonic: () => clock.now });
  let asked = 0;
  const down = () => {
    asked += 1;
    return Promise.reject(new StsError('issuer_unreachable', 'IDPCommunicationError', undefined));
  };
  await assert.rejects(gate.run(down, 'corp'), { failure: 'issuer_unreachable' });
  assert.equal(await gate.run(() => Promise.resolve('session'), 'cluster'), 'session');
  for (; clock.now < 1_800_000; clock.now += 1000) await assert.rejects(gate.run(down, 'corp'));
  assert.equal(asked, 60);
  clock.now -= 1;
  assert.equal(
    gate.paused('corp')?.message,
    "role arn:r: STS: it cannot reach the issuer of the caller's JWT (IDPCommunicationError)",
  );
  assert.deepEqual([gate.paused(), gate.paused('cluster')], [undefined, undefined]);
  clock.now += 30_000;
  assert.equal(await gate.run(() => Promise.resolve('session'), 'corp'), 'session');
  assert.equal(gate.paused('corp'), undefined);
  const throttled = () => Promise.reject(new StsError('throttled', 'Throttling', undefined));
  await assert.rejects(gate.run(throttled, 'corp'));
  assert.match(gate.paused('cluster')?.message ?? '', /Throttling/);
});

test('no answer in time may be the fault of the JWT’s issuer: those of others go on, and the role’s own trouble stays', async () => {
  const clock = { now: 0 };
  const gate = createRoleGate({ roleArn: 'arn:r', monotonic: () => clock.now });
  const slow = () => Promise.reject(new StsError('unreachable', null, undefined, true));
  const gone = () => Promise.reject(new StsError('unreachable', null, undefined));
  const session = () => Promise.resolve('session');
  await assert.rejects(gate.run(slow, 'corp'));
  assert.match(gate.paused('corp')?.message ?? '', /cannot be reached/);
  assert.equal(gate.paused('cluster'), undefined);
  assert.equal(await gate.run(session, 'cluster'), 'session');
  assert.match(gate.paused('corp')?.message ?? '', /cannot be reached/);
  // Without a JWT there is no issuer to blame, nor where no connection was made.
  await assert.rejects(gate.run(slow));
  assert.match(gate.paused('cluster')?.message ?? '', /cannot be reached/);
  clock.now += 30_000;
  assert.equal(await gate.run(session, 'cluster'), 'session');
  await assert.rejects(gate.run(gone, 'cluster'));
  assert.match(gate.paused()?.message ?? '', /cannot be reached/);
  // That another issuer's call was not answered neither says that the role is well, nor keeps others from asking.
  clock.now += 30_000;
  await assert.rejects(gate.run(slow, 'corp'));
  const told: boolean[] = [];
  await gate.run(async (patient) => void told.push(patient), 'cluster');
  await gate.run(async (patient) => void told.push(patient), 'cluster');
  assert.deepEqual(told, [false, true]);
});

for (const slow of [1, 2, 8]) {
  test(`after one trouble of the role, ${slow} slow issuers that ask whenever they may keep no other out`, async () => {
    const clock = { now: 0 };
    const gate = createRoleGate({ roleArn: 'arn:r', monotonic: () => clock.now });
    const fail = (failure: StsFailure, timedOut: boolean) => () =>
      Promise.reject(new StsError(failure, null, undefined, timedOut));
    await assert.rejects(gate.run(fail('throttled', false), 'corp'));
    let calls = 0;
    for (; clock.now < 600_000; clock.now += 1000) {
      for (let number = 0; number < slow; number++) {
        if (gate.paused(`slow-${number}`) !== undefined) continue;
        calls += 1;
        await assert.rejects(gate.run(fail('unreachable', true), `slow-${number}`));
      }
      if (clock.now >= 30_000) assert.equal(await gate.run(() => Promise.resolve('session'), 'cluster'), 'session');
    }
    assert.ok(calls <= slow * 20, `${calls}`);
  });
}

test('an issuer whose calls hang takes no place of another', async () => {
  const gate = createRoleGate({ roleArn: 'arn:r', monotonic: () => 0 });
  const { promise, resolve } = Promise.withResolvers<string>();
  const hanging = Array.from({ length: 104 }, () => gate.run(() => promise, 'slow'));
  await new Promise(setImmediate);
  await assert.rejects(
    gate.run(() => promise, 'slow'),
    /too many sessions begin at once/,
  );
  assert.equal(await gate.run(() => Promise.resolve('session'), 'cluster'), 'session');
  resolve('late');
  assert.deepEqual(new Set(await Promise.all(hanging)), new Set(['late']));
});

test('four calls at once, and those that wait are not made once trouble has begun', async () => {
  const gate = createRoleGate({ roleArn: 'arn:r', monotonic: () => 0 });
  const { promise, reject } = Promise.withResolvers<never>();
  let made = 0;
  const running = Array.from({ length: 10 }, () =>
    gate.run(() => {
      made += 1;
      return promise;
    }),
  );
  await new Promise(setImmediate);
  assert.equal(made, 4);
  reject(new StsError('throttled', 'Throttling', undefined));
  const ended = await Promise.allSettled(running);
  assert.deepEqual([made, ended.every(({ status }) => status === 'rejected')], [4, true]);
});

test('of very many at once, those beyond a hundred that wait are told to come again, and STS is not in trouble', async () => {
  const gate = createRoleGate({ roleArn: 'arn:r', monotonic: () => 0 });
  const { promise, resolve } = Promise.withResolvers<string>();
  const running = Array.from({ length: 110 }, () => gate.run(() => promise));
  const outcomes = Promise.allSettled(running);
  await new Promise(setImmediate);
  resolve('session');
  const refused = (await outcomes).filter(({ status }) => status === 'rejected');
  assert.equal(refused.length, 6);
  await assert.rejects(running.at(-1) ?? assert.fail(), { message: /too many sessions begin at once/ });
  assert.equal(gate.paused(), undefined);
  assert.equal(await gate.run(() => Promise.resolve('later')), 'later');
});

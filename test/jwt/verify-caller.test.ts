import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { admitKeys } from '../../src/jwt/admit-keys.ts';
import { createIssuerKeySet } from '../../src/jwt/issuer-key-set.ts';
import { createVerifyCaller } from '../../src/jwt/verify-caller.ts';
import { Fault } from '../../src/issuance/fault.ts';
import { AUDIENCE, CLAIMS, ec, ed, HEADER, ISSUER, keySetText, NOW, signed } from '../support/test-issuer.ts';
import { HOSTILE_JWTS } from './hostile-jwts.ts';

/** A verifier of two issuers with the same keys; `loads` counts how often the keys were asked for. */
function verifier(t: TestContext) {
  const loads = { count: 0 };
  const trusted = [ISSUER, 'https://second.example'].map((issuer, index) => {
    const keySet = createIssuerKeySet({
      name: `issuer-${index}`,
      load: () => {
        loads.count++;
        return Promise.resolve(admitKeys(keySetText()));
      },
      keepKeysForMs: 86_400_000,
      now: () => NOW,
      random: () => 0.5,
      onEvent: () => {},
    });
    t.after(() => keySet.close());
    const algorithms = ['RS256', 'ES256', 'EdDSA'];
    return {
      ...{ name: `issuer-${index}`, issuer, audiences: [AUDIENCE], algorithms, clockToleranceMs: 30_000, keySet },
      ...{ kubernetes: false, review: null },
    };
  });
  const verify = createVerifyCaller(trusted);
  const verifyHeaders = (authorization: string[]) => verify({ authorization, certificateThumbprint: null }, NOW);
  return {
    verify: (token: string) => verifyHeaders([`Bearer ${token}`]),
    verifyHeaders,
    loads,
  };
}

test('good JWTs of every kind of key are verified, and the caller is who they say', async (t) => {
  const { verify } = verifier(t);
  const tokens = [
    signed(HEADER, CLAIMS),
    signed({ alg: 'ES256', kid: 'ec' }, CLAIMS, ec.privateKey),
    signed({ alg: 'EdDSA', kid: 'ed', typ: 'at+jwt' }, { ...CLAIMS, aud: ['x', AUDIENCE] }, ed.privateKey, null),
    signed({ alg: 'EdDSA' }, CLAIMS, ed.privateKey, null),
    signed(HEADER, { ...CLAIMS, iat: NOW / 1000 + 30, nbf: NOW / 1000 + 30, exp: NOW / 1000 - 29 }),
  ];
  for (const token of tokens) {
    const result = await verify(token);
    assert.ok(result.ok, JSON.stringify(result));
    assert.deepEqual([result.value.issuer, result.value.subject], ['issuer-0', CLAIMS.sub]);
  }
  const second = await verify(signed(HEADER, { ...CLAIMS, iss: 'https://second.example' }));
  assert.ok(second.ok && second.value.issuer === 'issuer-1');
});

for (const [what, token, detail] of HOSTILE_JWTS) {
  test(`a JWT with ${what} is refused`, async (t) => {
    const { verify } = verifier(t);
    const result = await verify(token);
    assert.ok(!result.ok);
    assert.equal(result.refusal.reason, 'token_invalid');
    assert.match(result.refusal.detail, detail);
    assert.ok(!result.refusal.detail.includes(token) && !result.refusal.detail.includes('eyJ'));
  });
}

test('no hostile JWT but one with an unknown kid makes the keys be asked for, and that one within limits', async (t) => {
  const { verify, loads } = verifier(t);
  await verify(signed(HEADER, CLAIMS));
  const before = loads.count;
  for (const [, token] of HOSTILE_JWTS) assert.equal(await isVerified(() => verify(token)), false);
  assert.ok(loads.count - before <= 2, String(loads.count));
});

/** Of a kid that nobody knows and nobody may ask for yet, it cannot be said. */
async function isVerified(verify: () => Promise<{ readonly ok: boolean }>): Promise<boolean> {
  try {
    return (await verify()).ok;
  } catch (error) {
    assert.ok(error instanceof Fault && error.code === 'issuer_keys_unavailable');
    return false;
  }
}

const AUTHORIZATIONS: readonly [what: string, headers: string[], reason: string][] = [
  ['no header', [], 'token_missing'],
  ['an empty header', [''], 'token_missing'],
  ['Bearer alone', ['Bearer'], 'token_missing'],
  ['Basic', ['Basic YTpi'], 'token_missing'],
  ['two tokens in one header', ['Bearer a.b.c d.e.f'], 'token_missing'],
  ['two headers folded into one', ['Bearer a.b.c, Bearer d.e.f'], 'token_missing'],
  ['two headers', ['Bearer a.b.c', 'Bearer a.b.c'], 'authorization_repeated'],
  ['two headers, one of them empty', ['', 'Bearer a.b.c'], 'authorization_repeated'],
];
for (const [what, headers, reason] of AUTHORIZATIONS) {
  test(`an Authorization of ${what} is refused as ${reason}`, async (t) => {
    const result = await verifier(t).verifyHeaders(headers);
    assert.ok(!result.ok);
    assert.equal(result.refusal.reason, reason);
  });
}

test('no JWT with one character changed is verified', async (t) => {
  const { verify } = verifier(t);
  const good = signed(HEADER, CLAIMS);
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.constantFrom(...'AZaz09-_.=/+ '), async (at, character) => {
      fc.pre(good[at] !== character);
      const changed = good.slice(0, at) + character + good.slice(at + 1);
      assert.equal(await isVerified(() => verify(changed)), false);
    }),
    { numRuns: 500 },
  );
});

/** A verifier whose one issuer's keys, review and kind the test says. */
function withIssuer(changes: object) {
  const asked: { kid: string | undefined; algorithm: string; issuedBy: number | undefined }[] = [];
  const keys = admitKeys(keySetText()).keys;
  const keySet = {
    find(kid: string | undefined, algorithm: string, issuedBy: number | undefined) {
      asked.push({ kid, algorithm, issuedBy });
      return Promise.resolve(keys.find((key) => key.kid === kid));
    },
    status: () => assert.fail(),
    close: () => {},
  };
  const issuer = {
    ...{ name: 'corp', issuer: ISSUER, audiences: [AUDIENCE], algorithms: ['RS256'], clockToleranceMs: 30_000 },
    ...{ keySet, kubernetes: false, review: null },
    ...changes,
  };
  const verify = createVerifyCaller([issuer], ['team']);
  return {
    asked,
    async details(token: string, certificateThumbprint: string | null = null): Promise<string | undefined> {
      const result = await verify({ authorization: [`Bearer ${token}`], certificateThumbprint }, NOW);
      return result.ok ? undefined : result.refusal.detail;
    },
    verify: (...authorization: string[]) => verify({ authorization, certificateThumbprint: null }, NOW),
  };
}

test('the key is looked for with the latest time at which the token can have been issued', async () => {
  const { asked, details } = withIssuer({});
  await details(signed(HEADER, CLAIMS));
  const { iat: _iat, ...undated } = CLAIMS;
  await details(signed(HEADER, undated));
  const issuedBy = (CLAIMS.iat + 1) * 1000 + 30_000;
  assert.deepEqual(asked, [
    { kid: 'rsa', algorithm: 'RS256', issuedBy },
    { kid: 'rsa', algorithm: 'RS256', issuedBy: undefined },
  ]);
});

test('a caller has its claims, those that are kept, and its end; spaces around the token do not matter', async () => {
  const { verify } = withIssuer({});
  const claims = { ...CLAIMS, team: 'payments' };
  const token = signed(HEADER, claims);
  for (const value of [`Bearer ${token}`, `bearer   ${token}  `, ` BEARER ${token}`]) {
    const result = await verify(value);
    assert.ok(result.ok, value);
    assert.deepEqual(result.value, {
      ...{ issuer: 'corp', subject: CLAIMS.sub, claims, workload: null, keptClaims: { team: 'payments' } },
      expiresAt: CLAIMS.exp * 1000,
    });
  }
  const details = await Promise.all([[], ['Basic x'], ['Bearer a', 'Bearer b']].map((values) => verify(...values)));
  assert.deepEqual(
    details.map((result) => !result.ok && result.refusal.detail),
    ['no Authorization header', 'not a bearer token', 'several Authorization headers'],
  );
});

test('of a Kubernetes issuer a token must be that of a service account', async () => {
  const { details } = withIssuer({ kubernetes: true });
  const bound = { namespace: 'payments', serviceaccount: { name: 'api' } };
  assert.equal(await details(signed(HEADER, { ...CLAIMS, 'kubernetes.io': bound })), undefined);
  assert.equal(await details(signed(HEADER, CLAIMS)), 'token of issuer corp: it has no kubernetes.io claims');
});

test('a token that is bound to a certificate needs that one, and nobody is asked about it otherwise', async () => {
  const reviews: string[] = [];
  const review = (_token: string, subject: string) => {
    reviews.push(subject);
    return Promise.resolve(reviews.length === 1 ? undefined : 'the cluster does not accept it');
  };
  const { details } = withIssuer({ review });
  const thumbprint = 'A'.repeat(43);
  const token = signed(HEADER, { ...CLAIMS, cnf: { 'x5t#S256': thumbprint } });
  const none = 'token of issuer corp: it is bound to a certificate, and the client sent none';
  assert.equal(await details(token), none);
  assert.deepEqual(reviews, []);
  assert.equal(await details(token, thumbprint), undefined);
  assert.equal(await details(token, thumbprint), 'token of issuer corp: the cluster does not accept it');
  assert.deepEqual(reviews, [CLAIMS.sub, CLAIMS.sub]);
});

test('what is thrown while a token is verified is not the fault of the token', async () => {
  const broken = { find: () => Promise.reject(new TypeError('x')), status: () => assert.fail(), close: () => {} };
  await assert.rejects(withIssuer({ keySet: broken }).details(signed(HEADER, CLAIMS)), TypeError);
});

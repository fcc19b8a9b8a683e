import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { admitKeys } from '../../src/jwt/admit-keys.ts';
import { createIssuerKeySet } from '../../src/jwt/issuer-key-set.ts';
import { createVerifyCaller } from '../../src/jwt/verify-caller.ts';
import { AUDIENCE, CLAIMS, HEADER, ISSUER, keySetText, NOW, signed } from '../support/test-issuer.ts';

/*
 * The issuer's clock and ours differ. A token is accepted from `nbf − tolerance` and `iat − tolerance` on, that very
 * millisecond included, and until `exp + tolerance`, that very millisecond excluded: RFC 7519 §4.1.4 refuses "on or
 * after" exp.
 */

const SECONDS = Array.from({ length: 241 }, (_, index) => index - 120);

function verifierOf(t: TestContext, toleranceMs: number) {
  const keySet = createIssuerKeySet({
    name: 'corp',
    load: () => Promise.resolve(admitKeys(keySetText())),
    keepKeysForMs: 86_400_000,
    now: () => NOW,
    random: () => 0.5,
    onEvent: () => {},
  });
  t.after(() => keySet.close());
  const issuer = { name: 'corp', issuer: ISSUER, audiences: [AUDIENCE], algorithms: ['RS256'], keySet };
  const verify = createVerifyCaller([{ ...issuer, clockToleranceMs: toleranceMs, kubernetes: false, review: null }]);
  /** Why a token is refused at a time; undefined when it is accepted. */
  return async (token: string, at: number): Promise<string | undefined> => {
    const result = await verify({ authorization: [`Bearer ${token}`], certificateThumbprint: null }, at);
    return result.ok ? undefined : result.refusal.detail;
  };
}

type Row = {
  readonly claim: 'exp' | 'nbf' | 'iat';
  /** Whether a token whose claim is so many seconds after our time is accepted. */
  readonly accepts: (seconds: number, toleranceS: number) => boolean;
  readonly why: RegExp;
};

const ROWS: readonly Row[] = [
  { claim: 'exp', accepts: (seconds, tolerance) => seconds > -tolerance, why: /it has expired$/ },
  { claim: 'nbf', accepts: (seconds, tolerance) => seconds <= tolerance, why: /the nbf is in the future$/ },
  { claim: 'iat', accepts: (seconds, tolerance) => seconds <= tolerance, why: /the iat is in the future$/ },
];

for (const toleranceS of [0, 1, 30, 60, 119]) {
  for (const { claim, accepts, why } of ROWS) {
    test(`with a tolerance of ${toleranceS} s the decision by ${claim} flips once between -120 s and +120 s, exactly at it`, async (t) => {
      const verify = verifierOf(t, toleranceS * 1000);
      const time = NOW / 1000;
      // One token, and our clock around it. The other two times never decide.
      const token = signed(HEADER, { ...CLAIMS, iat: time - 1000, nbf: time - 1000, exp: time + 1000, [claim]: time });
      const decisions: boolean[] = [];
      for (const seconds of SECONDS) {
        const refusal = await verify(token, NOW - seconds * 1000);
        assert.equal(refusal === undefined, accepts(seconds, toleranceS), `${claim} ${seconds} s ahead: ${refusal}`);
        if (refusal !== undefined) assert.match(refusal, why);
        decisions.push(refusal === undefined);
      }
      const flips = SECONDS.filter((_, index) => index > 0 && decisions[index] !== decisions[index - 1]);
      assert.deepEqual(flips, [claim === 'exp' ? -toleranceS + 1 : toleranceS + 1]);
    });

    test(`with a tolerance of ${toleranceS} s the decision by ${claim} flips within one millisecond`, async (t) => {
      const verify = verifierOf(t, toleranceS * 1000);
      const time = NOW / 1000;
      const token = signed(HEADER, { ...CLAIMS, iat: time - 1000, nbf: time - 1000, exp: time + 1000, [claim]: time });
      const turn = NOW + (claim === 'exp' ? 1 : -1) * toleranceS * 1000;
      const before = (await verify(token, turn - 1)) === undefined;
      const after = (await verify(token, turn)) === undefined;
      assert.deepEqual([before, after], claim === 'exp' ? [true, false] : [false, true]);
    });
  }
}

test('fractions of a second in a claim count', async (t) => {
  const verify = verifierOf(t, 30_000);
  const token = signed(HEADER, { ...CLAIMS, exp: NOW / 1000 + 0.5 });
  assert.equal(await verify(token, NOW + 30_499), undefined);
  assert.match((await verify(token, NOW + 30_500)) ?? '', /it has expired/);
});

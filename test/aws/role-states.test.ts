import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentialPlanOf, type RolePlan, type WebIdentityPlan } from '../../src/aws/credential-plan.ts';
import { roleStates } from '../../src/aws/role-states.ts';

const role = {
  arn: 'arn:aws:iam::1:role/a',
  scope: 'shared' as const,
  sessionDuration: 3_600_000,
  warm: false,
  via: [{ arn: 'arn:aws:iam::1:role/hub' }],
};
const YET = 'no session was asked for yet';

function states(byRegion: Readonly<Record<string, string>>) {
  const plans = Object.keys(byRegion).map((region) =>
    credentialPlanOf({ region, role, webIdentity: undefined }, undefined),
  );
  const stateOf = ({ stsRegion }: RolePlan | WebIdentityPlan) => byRegion[stsRegion] ?? assert.fail();
  return roleStates([{ kind: 'own' }, ...plans], stateOf);
}

const CASES: readonly [one: string, other: string, told: string][] = [
  ['ok', 'ok', 'ok'],
  ['ok', YET, 'ok'],
  [YET, 'ok', 'ok'],
  [YET, YET, YET],
  ['STS: it failed', 'ok', 'STS: it failed'],
  ['ok', 'STS: it failed', 'STS: it failed'],
  [YET, 'STS: it failed', 'STS: it failed'],
  ['STS: it failed', YET, 'STS: it failed'],
];
for (const [one, other, told] of CASES) {
  test(`a role in two regions, "${one}" and "${other}": "${told}"; so is the role on its way`, () => {
    const expected = { 'arn:aws:iam::1:role/a': told, 'arn:aws:iam::1:role/hub': told };
    assert.deepEqual(states({ 'eu-west-1': one, 'us-east-1': other }), expected);
  });
}

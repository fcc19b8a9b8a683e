import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildGrantRules } from '../../src/config/build-rules.ts';
import { buildCatalog } from '../../src/config/catalog.ts';
import { createConditionCompiler } from '../../src/config/cel-condition.ts';
import { authorize, type Authorization } from '../../src/issuance/authorize.ts';
import { compileGrants } from '../../src/issuance/grants.ts';
import {
  DATABASES,
  MEANINGS,
  randomCaller,
  randomCircumstances,
  randomFrom,
  randomGrants,
  randomWanted,
  SUBJECTS,
} from '../support/policy-cases.ts';
import { decideSlowly } from '../support/policy-oracle.ts';

/** `npm run test:policy` asks for a million, with other seeds every day. */
const CASES = Number(process.env['RTV_POLICY_CASES'] ?? 20_000);
const SEED = Number(process.env['RTV_POLICY_SEED'] ?? 4);
const REQUESTS_PER_POLICY = 40;

function worded({ decided, observed }: Authorization): string {
  const saw = observed.map((name) => ` observed ${name}`).join('');
  if (decided.ok) {
    const { database, user, endpoint, grant } = decided.value;
    return `issued ${database.name} ${user} ${endpoint.name} by ${grant}${saw}`;
  }
  const { refusal } = decided;
  if (refusal.reason === 'choice_ambiguous') {
    const choices = refusal.choices.map(({ database, user, endpoint }) => `${database} ${user} ${endpoint}`);
    return `choices: ${choices.sort().join(', ')}${saw}`;
  }
  assert.equal(refusal.reason, 'not_granted');
  return `refused ${refusal.reason === 'not_granted' && refusal.grant != null ? 'by a deny' : 'by nobody'}${saw}`;
}

test(`in ${CASES} random cases from seed ${SEED} the policy decides what a slow reading of it decides`, (t) => {
  const compileCondition = createConditionCompiler();
  const catalog = buildCatalog({ databases: DATABASES });
  const databases = Object.entries(DATABASES).map(([name, { engine, endpoints }]) => ({
    name,
    engine,
    endpoints: Object.keys(endpoints),
  }));
  const seen: Record<string, number> = {};
  for (let at = 0; at < CASES / REQUESTS_PER_POLICY; at++) {
    const random = randomFrom(SEED * 1_000_003 + at);
    const home = random.pick(SUBJECTS);
    const grants = randomGrants(random, home);
    const compiled = compileGrants(buildGrantRules({ grants, databases: DATABASES }, compileCondition), catalog);
    for (let request = 0; request < REQUESTS_PER_POLICY; request++) {
      const caller = randomCaller(random, home);
      const circumstances = randomCircumstances(random);
      const wanted = randomWanted(random, grants);
      const decided = worded(authorize(caller, wanted, compiled, circumstances));
      const expected = decideSlowly(grants, databases, MEANINGS, caller, circumstances, wanted);
      if (decided !== expected) {
        assert.equal(decided, expected, JSON.stringify({ policy: at, wanted, caller, circumstances, grants }, null, 1));
      }
      const [word = ''] = expected.split(' ');
      seen[word] = (seen[word] ?? 0) + 1;
    }
  }
  t.diagnostic(JSON.stringify(seen));
  // Cases that all end alike would prove nothing.
  for (const word of ['issued', 'refused', 'choices:']) assert.ok((seen[word] ?? 0) > CASES / 25, JSON.stringify(seen));
});

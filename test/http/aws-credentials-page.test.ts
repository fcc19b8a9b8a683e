import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test, type TestContext } from 'node:test';
import { whyTokenRefused } from '../../demo/sandbox-database/check-iam-token.ts';
import { openSandboxSts, type SandboxSts } from '../../demo/sandbox-sts/open-sandbox-sts.ts';
import type { PolicyDocument } from '../../demo/sandbox-sts/policy.ts';
import { asSigningCredentials } from '../../src/aws/sdk-credentials.ts';
import { assumeSession, type SessionInput } from '../support/assumed-session.ts';
import { API, post, SECRET_KEY, startService } from '../support/running-service.ts';

/* The examples of docs/aws-credentials.md, against the stand-in for STS and the sandbox's check of IAM tokens. */

const PAGE = readFileSync(new URL('../../docs/aws-credentials.md', import.meta.url), 'utf8');
const ACCOUNT = 'arn:aws:iam::123456789012';
const VENDOR = `${ACCOUNT}:role/rds-token-vendor`;
const CONNECT = `${ACCOUNT}:role/orders-connect`;
const HUB = 'arn:aws:iam::210987654321:role/hub';
const USER = `${ACCOUNT}:user/tester`;
const UUID = /[0-9a-f]{8}-[0-9a-f-]{27}/;

/** Of one scope: its section, and what it leaves to the sections before it. */
type Example = {
  readonly yaml: string;
  readonly asked: string;
  readonly trust: PolicyDocument;
  readonly connect: PolicyDocument;
  readonly vendor: PolicyDocument;
  /** Of the role on the way, where there is one. */
  readonly hub?: { readonly trust: PolicyDocument; readonly may: PolicyDocument };
};

function sectionOf(title: string): string {
  return PAGE.split(/^### /m).find((part) => part.startsWith(`${title}\n`)) ?? assert.fail(title);
}

function jsonAfter(section: string, words: string): string | undefined {
  const [, text] = section.split(`${words}:\n\n\`\`\`json\n`);
  return text?.split('\n```')[0];
}

/** @param like the section whose configuration goes with these policies, where it has none */
function exampleOf(title: string, like = title): Example {
  const own = sectionOf(title);
  const configured = sectionOf(like);
  const shared = sectionOf('shared');
  const policy = (words: string): PolicyDocument =>
    JSON.parse(jsonAfter(own, words) ?? jsonAfter(shared, words) ?? assert.fail(words));
  const hub = own.includes('Trust policy of `hub`')
    ? { trust: policy('Trust policy of `hub`'), may: policy('Permission policy of `hub`') }
    : undefined;
  return {
    yaml: /```yaml\n([^]*?)```/.exec(configured)?.[1] ?? assert.fail('no YAML'),
    ...(hub === undefined ? {} : { hub }),
    asked:
      jsonAfter(configured, hub ? 'What STS is asked, with a session of `hub`' : 'What STS is asked') ??
      assert.fail('no request'),
    trust: policy('Trust policy of `orders-connect`'),
    connect: policy('Permission policy of `orders-connect`'),
    vendor: policy('Permission policy of `rds-token-vendor`'),
  };
}

/** The policy without one of its actions, for each of them. */
function withoutEach(policy: PolicyDocument): PolicyDocument[] {
  const statements = [policy.Statement].flat();
  return statements.flatMap((statement, index) => {
    const actions = [statement.Action].flat();
    return actions.map((action) => ({
      ...policy,
      Statement: statements.with(index, { ...statement, Action: actions.filter((other) => other !== action) }),
    }));
  });
}

let sts: SandboxSts;
let earlier: string | undefined;
const anyone: PolicyDocument = {
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Principal: { AWS: USER }, Action: ['sts:AssumeRole', 'sts:TagSession'] },
};
const roles = new Map<string, { trustPolicy: PolicyDocument; permissionPolicy: PolicyDocument }>();
before(async () => {
  sts = await openSandboxSts({
    now: Date.now,
    users: new Map([['AKIAIOSFODNN7EXAMPLE', { secretAccessKey: SECRET_KEY, arn: USER }]]),
    roles,
    verifyJwt: () => Promise.resolve({ provider: 'https://idp.example', subject: API, audience: 'vendor' }),
  });
  earlier = process.env['AWS_ENDPOINT_URL_STS'];
  process.env['AWS_ENDPOINT_URL_STS'] = sts.url;
});
after(async () => {
  if (earlier === undefined) delete process.env['AWS_ENDPOINT_URL_STS'];
  else process.env['AWS_ENDPOINT_URL_STS'] = earlier;
  await sts.close();
});

function setRoles({ trust, connect, vendor, hub }: Example): void {
  roles.delete(HUB);
  if (hub) roles.set(HUB, { trustPolicy: hub.trust, permissionPolicy: hub.may });
  roles.set(VENDOR, { trustPolicy: anyone, permissionPolicy: vendor });
  roles.set(CONNECT, { trustPolicy: trust, permissionPolicy: connect });
}

/** As EKS gives it to the service: a session of its role. */
async function ownCredentials(input: SessionInput = {}) {
  const given = await assumeSession(VENDOR, undefined, input);
  return asSigningCredentials({
    accessKeyId: given.AccessKeyId,
    secretAccessKey: given.SecretAccessKey,
    sessionToken: given.SessionToken,
    expiration: given.Expiration,
  });
}

async function start(t: TestContext, example: Example, own: SessionInput) {
  setRoles(example);
  const block = example.yaml.replace(/^/gm, '    ').trimEnd();
  return startService(t, {
    config: (text) =>
      text
        .replace('    jwks: {', '    kubernetes: {}\n    jwks: {')
        .replace('    resourceId: cluster', `${block}\n    resourceId: cluster`),
    overrides: { loadCredentials: () => ownCredentials(own) },
  });
}

/** 201 and why the database refuses the token, or another status. */
async function loginOf(t: TestContext, example: Example, own: SessionInput = {}): Promise<string> {
  const service = await start(t, example, own);
  const pod = { namespace: 'payments', serviceaccount: { name: 'api', uid: 'u1' } };
  const authorization = `Bearer ${await service.mint({ 'kubernetes.io': pod })}`;
  const wanted = post({ database: 'orders', user: 'app_rw' }, { authorization });
  const response = await service.ask('/v1/tokens', wanted);
  if (response.status !== 201) return String(response.status);
  const token = /"token":"([^"]+)"/.exec(await response.text())?.[1] ?? '';
  const iam = {
    host: 'orders.cluster-abc.us-west-2.rds.amazonaws.com',
    port: 5432,
    region: 'us-west-2',
    accountId: '123456789012',
    resourceId: 'cluster-ABCDEFGH',
    secretAccessKeys: new Map<string, string>(),
    session: sts.session,
  };
  return `201 ${whyTokenRefused(token, 'app_rw', iam, Date.now()) ?? 'logged in'}`;
}

/** The last call of the service to STS as the page shows it; ids, host and JWT are of the moment. */
function lastAsked(): object {
  const { action, parameters } = sts.calls.at(-1) ?? assert.fail('STS was not asked');
  const shown = Object.entries(parameters).map(([key, value]) => {
    if (key === 'WebIdentityToken') return [key, "the caller's JWT"];
    const text = value.replace(UUID, 'AUDIT-ID').replace(/^rds-token-vendor@.*/, 'rds-token-vendor@INSTANCE');
    return [key, text];
  });
  return { Action: action, ...Object.fromEntries(shown) };
}

for (const title of ['shared', 'perUser', 'perCaller', 'webIdentity', 'By way of another role']) {
  describe(`the example ${title}`, () => {
    const example = exampleOf(title);
    test('its policies let the caller in, and STS is asked what the page shows', async (t) => {
      assert.equal(await loginOf(t, example), '201 logged in');
      assert.equal(JSON.stringify(lastAsked(), null, 2), example.asked);
    });
    for (const trust of withoutEach(example.trust)) {
      test(`the trust policy needs each action: ${JSON.stringify(trust.Statement)}`, async (t) => {
        assert.equal(await loginOf(t, { ...example, trust }), '503');
      });
    }
    for (const connect of withoutEach(example.connect)) {
      test('without rds-db:connect the database refuses the token', async (t) => {
        assert.match(await loginOf(t, { ...example, connect }), /^201 the polic.* do(?:es)? not allow this user$/);
      });
    }
    for (const vendor of title === 'webIdentity' ? [] : withoutEach(example.vendor)) {
      test(`the service's own policy needs each action: ${JSON.stringify(vendor.Statement)}`, async (t) => {
        assert.equal(await loginOf(t, { ...example, vendor }), '503');
      });
    }
  });
}

describe('by way of another role', () => {
  const example = exampleOf('By way of another role');
  const { hub = assert.fail() } = example;
  for (const trust of withoutEach(hub.trust)) {
    test("the hub's trust policy needs each action", async (t) => {
      assert.equal(await loginOf(t, { ...example, hub: { ...hub, trust } }), '503');
    });
  }
  for (const may of withoutEach(hub.may)) {
    test("the hub's own policy needs each action", async (t) => {
      assert.equal(await loginOf(t, { ...example, hub: { ...hub, may } }), '503');
    });
  }
  test('with perCaller the hub takes the place of the service in the policies', async (t) => {
    const perCaller = exampleOf('perCaller');
    const yaml = example.yaml.replace('perUser', 'perCaller');
    assert.equal(await loginOf(t, { ...example, yaml }), '503');
    const trust: PolicyDocument = JSON.parse(JSON.stringify(perCaller.trust).replaceAll(VENDOR, HUB));
    const placed = { ...example, yaml, trust, hub: { ...hub, may: perCaller.vendor } };
    assert.equal(await loginOf(t, placed), '201 logged in');
  });
});

/** As EKS Pod Identity tags its sessions (EKS User Guide, "List of session tags added by EKS Pod Identity"). */
const POD_TAGS = {
  'eks-cluster-arn': 'arn:aws:eks:us-west-2:123456789012:cluster/main',
  'eks-cluster-name': 'main',
  'kubernetes-namespace': 'vendor',
  'kubernetes-service-account': 'rds-token-vendor',
  'kubernetes-pod-name': 'rds-token-vendor-5d9c-x2x7k',
  'kubernetes-pod-uid': 'e2e1a2b4-43b3-4c8b-a6d8-5e2b5ff1d8f3',
};
const OF_A_POD: SessionInput = {
  Tags: Object.entries(POD_TAGS).map(([Key, Value]) => ({ Key, Value })),
  TransitiveTagKeys: Object.keys(POD_TAGS),
};

describe('with the tags of EKS Pod Identity', () => {
  const pod = exampleOf('EKS Pod Identity', 'shared');
  for (const title of ['shared', 'perUser']) {
    test(`${title}: its own policies are not enough, those of Pod Identity are`, async (t) => {
      const example = exampleOf(title);
      assert.equal(await loginOf(t, example, OF_A_POD), '503');
      const { trust, vendor } = pod;
      assert.equal(await loginOf(t, { ...example, trust }, OF_A_POD), '503');
      assert.equal(await loginOf(t, { ...example, vendor }, OF_A_POD), '503');
      assert.equal(await loginOf(t, { ...example, trust, vendor }, OF_A_POD), '201 logged in');
    });
  }
  test('perCaller: its own policies are enough', async (t) => {
    assert.equal(await loginOf(t, exampleOf('perCaller'), OF_A_POD), '201 logged in');
  });
});

test('the table of costs has the characters of the session policies', () => {
  for (const title of ['perUser', 'perCaller', 'webIdentity']) {
    const { Policy }: { Policy: string } = JSON.parse(exampleOf(title).asked);
    assert.match(PAGE, new RegExp(`user \`app_rw\` \\| 0 \\|.* ${Policy.length} \\|`));
  }
});

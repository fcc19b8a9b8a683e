import type { PolicyDocument } from './policy.ts';
import { StsError } from './sts-error.ts';

const VERSIONS: ReadonlySet<string> = new Set(['2012-10-17', '2008-10-17']);
const STATEMENT_ELEMENTS: ReadonlySet<string> = new Set([
  'Sid',
  'Effect',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);

/** Reads the session policy of a request, or throws what STS answers to one that is no policy. */
export function parseSessionPolicy(text: string): PolicyDocument {
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    throw malformed('The policy is not in the valid JSON format.');
  }
  checkPolicy(policy);
  return policy;
}

function checkPolicy(policy: unknown): asserts policy is PolicyDocument {
  if (!isRecord(policy)) throw malformed('Syntax errors in policy.');
  if (!VERSIONS.has(String(policy['Version']))) throw malformed('The policy must contain a valid version string');
  const odd = Object.keys(policy).some((element) => !['Version', 'Id', 'Statement'].includes(element));
  const { Statement } = policy;
  const statements: readonly unknown[] = Array.isArray(Statement) ? Statement : [Statement];
  if (odd || statements.length === 0) throw malformed('Syntax errors in policy.');
  for (const statement of statements) checkStatement(statement);
}

function checkStatement(statement: unknown): void {
  if (!isRecord(statement)) throw malformed('Syntax errors in policy.');
  if ('Principal' in statement || 'NotPrincipal' in statement) {
    throw malformed('Policy document should not specify a principal.');
  }
  const odd = Object.keys(statement).some((element) => !STATEMENT_ELEMENTS.has(element));
  const { Effect, Action = statement['NotAction'], Resource = statement['NotResource'] } = statement;
  if (odd || !['Allow', 'Deny'].includes(String(Effect))) throw malformed('Syntax errors in policy.');
  if (!isText(Action)) throw malformed('Policy statement must contain actions.');
  if (!isText(Resource)) throw malformed('Policy statement must contain resources.');
  const actions = [Action].flat();
  if (!actions.every((action) => action === '*' || /^[A-Za-z0-9-]+:.+$/.test(action))) {
    throw malformed('Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.');
  }
  const wrong = [Resource].flat().find((resource) => resource !== '*' && !resource.startsWith('arn:'));
  if (wrong !== undefined) throw malformed(`Resource ${wrong} must be in ARN format or "*".`);
}

function isText(value: unknown): value is string | string[] {
  if (typeof value === 'string') return true;
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(message: string): StsError {
  return new StsError(400, 'MalformedPolicyDocument', message);
}

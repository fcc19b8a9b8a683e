import { isIP } from 'node:net';
import type { RecordedOutcome } from '../../issuance/audit-record.ts';
import { COMMAND_LINE } from '../../issuance/command-line.ts';
import type { PublishedRecord } from '../../issuance/published-record.ts';

/** The version of the Open Cybersecurity Schema Framework that the events are of (schema.ocsf.io/1.6.0). */
export const OCSF_VERSION = '1.6.0';

const PRODUCT = 'rds-token-vendor';
/** Authentication, a class of Identity & Access Management. */
const CLASS = {
  class_uid: 3002,
  class_name: 'Authentication',
  category_uid: 3,
  category_name: 'Identity & Access Management',
};
/** The ticket activities (3 to 5) are Kerberos only, and nobody logs on here: that is between client and database. */
const OTHER = 99;
const OUTCOMES: Readonly<Record<RecordedOutcome, readonly [status: number, severity: number]>> = {
  issued: [1, 1],
  answered: [1, 1],
  refused: [2, 2],
  failed: [2, 3],
};
const STATUS = ['Unknown', 'Success', 'Failure'];
const SEVERITY = ['Unknown', 'Informational', 'Low', 'Medium'];

/**
 * An audit record as an OCSF event of class 3002. docs/audit-mappings.md says which attribute comes from where.
 *
 * @param version the program's.
 */
export function ocsfEvent(record: PublishedRecord, version: string): object {
  const [status, severity] = OUTCOMES[record.outcome];
  const time = Date.parse(record.time);
  return known({
    ...CLASS,
    activity_id: OTHER,
    activity_name: record.action,
    type_uid: CLASS.class_uid * 100 + OTHER,
    type_name: `Authentication: ${record.action}`,
    time,
    severity_id: severity,
    severity: SEVERITY[severity],
    status_id: status,
    status: STATUS[status],
    status_code: record.reason,
    status_detail: record.detail,
    message: [record.action, record.outcome, record.reason].filter((part) => part !== null).join(' '),
    count: record.repeated > 1 ? record.repeated : null,
    metadata: metadata(record, version),
    user: user(record),
    actor: actor(record),
    session: session(record),
    src_endpoint: source(record.client_address),
    dst_endpoint: present({ hostname: record.host, port: record.port, name: record.endpoint }),
    service: { name: record.database ?? PRODUCT },
    cloud: record.region === null ? null : { provider: 'AWS', region: record.region },
    http_request: present({ user_agent: record.user_agent, uid: record.request_id }),
    ...(record.issuer === COMMAND_LINE ? {} : { auth_protocol_id: 6, auth_protocol: 'OAUTH 2.0' }),
    unmapped: present({
      outcome: record.outcome,
      claims: record.claims,
      jti_hash: record.jti_hash,
      config_hash: record.config_hash,
      token_fingerprint: record.token_fingerprint,
      instance: record.instance,
      previous_hash: record.previous_hash,
      hash: record.hash,
    }),
  });
}

function metadata(record: PublishedRecord, version: string): object | null {
  return present({
    version: OCSF_VERSION,
    product: { name: PRODUCT, vendor_name: PRODUCT, version },
    uid: record.id,
    sequence: record.sequence,
    event_code: record.action,
    correlation_uid: record.trace_id,
    original_time: record.time,
    log_name: 'audit',
    log_provider: PRODUCT,
    log_version: String(record.version),
    profiles: record.region === null ? null : ['cloud'],
  });
}

/** Who would log in: the database user, or the caller where none was asked for. The class requires one of every event. */
function user({ user: name, resource_arn: uid, subject }: PublishedRecord): object | null {
  if (name !== null) return present({ name, uid, type_id: 99, type: 'Database User' });
  return { name: subject ?? 'unknown', type_id: 0, type: 'Unknown' };
}

/** Who asked. */
function actor(record: PublishedRecord): object | null {
  const { subject, issuer, client } = record;
  if (subject === null && client === null) return null;
  return present({
    user: present({ name: subject }),
    app_name: client,
    idp: present({ name: issuer }),
    authorizations: authorizations(record),
  });
}

/** The grant that decided, and those that only watched. */
function authorizations({ grant, observed, outcome, reason }: PublishedRecord): object[] | null {
  const decision = outcome === 'refused' && reason === 'not_granted' ? 'Denied' : 'Allowed';
  const deciding = grant === null ? [] : [{ decision, policy: { name: grant, is_applied: true } }];
  const watching = (observed ?? []).map((name) => ({ policy: { name, is_applied: false } }));
  const all = [...deciding, ...watching];
  return all.length === 0 ? null : all;
}

/** What a trusted proxy forwarded need not be an address. */
function source(address: string | null): object | null {
  return present(isIP(address ?? '') === 0 ? { name: address } : { ip: address });
}

/** What the token opens: `uid` is what `application_name` and the RDS role session name carry. */
function session(record: PublishedRecord): object | null {
  const { access_key_id: credential_uid, role_arn: issuer, token_expires_at: end } = record;
  if (credential_uid === null && issuer === null && end === null) return null;
  return present({ uid: record.id, credential_uid, issuer, expiration_time: end === null ? null : Date.parse(end) });
}

/** The members that are known; null when none is. */
function present(members: Readonly<Record<string, unknown>>): object | null {
  const present = known(members);
  return Object.keys(present).length === 0 ? null : present;
}

function known(members: Readonly<Record<string, unknown>>): object {
  const entries = Object.entries(members).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(entries);
}

/*
 * What OCSF 1.6.0 says of class 3002 (github.com/ocsf/ocsf-schema, tag 1.6.0: events/base_event.json, events/iam/iam.json,
 * events/iam/authentication.json, objects/*.json, profiles/cloud.json), as JSON Schema: required attributes, types, enums
 * and "at least one" of every object that our events have. An attribute that is not of the schema is an error.
 */

const text = { type: 'string' } as const;
const integer = { type: 'integer' } as const;
const time = { type: 'integer', minimum: 0 } as const;

function object(
  properties: Readonly<Record<string, unknown>>,
  required: readonly string[] = [],
  oneOf: readonly string[] = [],
) {
  const atLeastOne = oneOf.length === 0 ? {} : { anyOf: oneOf.map((name) => ({ required: [name] })) };
  return { type: 'object', properties, required, additionalProperties: false, ...atLeastOne };
}

function strings(...names: readonly string[]) {
  return Object.fromEntries(names.map((name) => [name, text]));
}

const product = object(
  strings('cpe_name', 'feature', 'lang', 'name', 'path', 'uid', 'url_string', 'vendor_name', 'version'),
  [],
  ['name', 'uid'],
);

const metadata = object(
  {
    ...strings(
      'correlation_uid',
      'event_code',
      'log_level',
      'log_name',
      'log_provider',
      'log_version',
      'original_time',
    ),
    ...strings('tenant_uid', 'uid', 'version'),
    ...{ logged_time: time, modified_time: time, processed_time: time, sequence: integer, product },
    profiles: {
      type: 'array',
      items: { enum: ['cloud', 'container', 'datetime', 'host', 'osint', 'security_control'] },
    },
  },
  ['product', 'version'],
);

const user = object(
  {
    ...strings('display_name', 'domain', 'email_addr', 'full_name', 'name', 'type', 'uid', 'uid_alt'),
    type_id: { enum: [0, 1, 2, 3, 4, 99] },
  },
  [],
  ['account', 'name', 'uid'],
);

const session = object({
  ...strings('credential_uid', 'expiration_reason', 'issuer', 'terminal', 'uid', 'uid_alt', 'uuid'),
  ...{ count: integer, created_time: time, expiration_time: time },
});

const idp = object(
  strings('domain', 'issuer', 'name', 'protocol_name', 'tenant_uid', 'uid', 'url_string'),
  [],
  ['name', 'uid'],
);

const policy = object(
  { ...strings('desc', 'name', 'type', 'uid', 'version'), is_applied: { type: 'boolean' } },
  [],
  ['name', 'type', 'uid'],
);

const actor = object(
  {
    ...{ user, session, idp, ...strings('app_name', 'app_uid') },
    authorizations: { type: 'array', items: object({ decision: text, policy }) },
  },
  [],
  ['process', 'user', 'invoked_by', 'session', 'app_name', 'app_uid'],
);

const endpoint = object(
  {
    ...strings(
      'domain',
      'instance_uid',
      'interface_name',
      'interface_uid',
      'mac',
      'name',
      'svc_name',
      'uid',
      'vpc_uid',
      'zone',
    ),
    ip: { anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] },
    hostname: { type: 'string', format: 'hostname' },
    port: { type: 'integer', minimum: 0, maximum: 65_535 },
  },
  [],
  ['ip', 'uid', 'name', 'hostname', 'svc_name', 'instance_uid', 'interface_uid', 'interface_name', 'domain'],
);

const NAMES_CLOUD = { contains: { const: 'cloud' } } as const;

export const OCSF_AUTHENTICATION = {
  ...object(
    {
      ...strings('activity_name', 'category_name', 'class_name', 'type_name', 'severity', 'status', 'status_code'),
      ...strings('status_detail', 'message', 'auth_protocol', 'raw_data'),
      activity_id: { enum: [0, 1, 2, 3, 4, 5, 6, 7, 99] },
      category_uid: { const: 3 },
      class_uid: { const: 3002 },
      type_uid: { enum: [300_200, 300_201, 300_202, 300_203, 300_204, 300_205, 300_206, 300_207, 300_299] },
      severity_id: { enum: [0, 1, 2, 3, 4, 5, 6, 99] },
      status_id: { enum: [0, 1, 2, 99] },
      auth_protocol_id: { enum: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 99] },
      ...{ time, start_time: time, end_time: time, count: integer, duration: integer },
      ...{ metadata, user, actor, session, src_endpoint: endpoint, dst_endpoint: endpoint },
      service: object(strings('name', 'uid', 'version'), [], ['name', 'uid']),
      cloud: object(strings('provider', 'region', 'cloud_partition', 'project_uid', 'zone'), ['provider']),
      http_request: object(strings('http_method', 'referrer', 'uid', 'user_agent', 'version')),
      unmapped: { type: 'object' },
    },
    ['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid', 'user'],
    ['service', 'dst_endpoint'],
  ),
  // The profile's attributes are there exactly where the profile is named.
  allOf: [
    {
      oneOf: [
        {
          required: ['cloud'],
          properties: { metadata: { required: ['profiles'], properties: { profiles: NAMES_CLOUD } } },
        },
        { not: { required: ['cloud'] }, properties: { metadata: { properties: { profiles: { not: NAMES_CLOUD } } } } },
      ],
    },
  ],
} as const;

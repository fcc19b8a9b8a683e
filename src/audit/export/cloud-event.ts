import type { PublishedRecord } from '../../issuance/published-record.ts';

/** A CloudEvents 1.0 event in its JSON form (CloudEvents spec v1.0.2, "JSON Event Format"). */
export type CloudEvent = {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly subject?: string;
  readonly datacontenttype: 'application/json';
  readonly dataschema: string;
  readonly data: PublishedRecord;
};

/** An audit record as a CloudEvent. docs/audit-mappings.md says which member comes from where. */
export function cloudEvent(record: PublishedRecord): CloudEvent {
  const { id, time, instance, action, outcome, database, user } = record;
  const [thing = ''] = action.split('.');
  const subject = [database, user].filter((part) => part !== null).map(pathPart);
  return {
    specversion: '1.0',
    id,
    source: `/rds-token-vendor/${encodeURIComponent(instance)}`,
    type: `rds-token-vendor.${thing}.${outcome}`,
    time,
    ...(database === null ? {} : { subject: subject.join('/') }),
    datacontenttype: 'application/json',
    dataschema: 'urn:rds-token-vendor:audit-record:1',
    data: record,
  };
}

/** Attributes may hold no control characters (CloudEvents spec, "Type System"), and strangers choose these texts. */
function pathPart(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

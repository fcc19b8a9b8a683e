import { type AuditPage, type AuditQuery, type AuditReader, UnknownCursor } from './audit-query.ts';
import { shownPageText } from './audit-query-text.ts';
import type { AuditDraft } from './audit-record.ts';
import type { Auditors } from './auditors.ts';
import { type Authenticate, authenticateCaller, type CallerRequest, circumstancesOf } from './authenticate-caller.ts';
import { decideOnRecord, type Outcome, type Recording } from './decide-on-record.ts';
import { accept, type Decided, refuse } from './refusal.ts';

/** What reading the audit needs from the outside. */
export type AuditPorts = Recording & {
  readonly authenticate: Authenticate;
  readonly auditors: Auditors;
  readonly auditReader: AuditReader;
};

/** One request to read the audit. */
export type AuditRequest<Wanted extends WantedAudit> = CallerRequest & {
  /** What is asked for. Called only for an auditor, so that nobody else learns how it is read. */
  readonly readWanted: () => Decided<Wanted>;
};

/** What the record says was asked for. Of a page it is compact JSON, which is then given what was shown. */
export type WantedAudit = { readonly detail: string };

export type WantedPage = WantedAudit & { readonly query: AuditQuery };

/** A page of the records that a query asks for. */
export function readAuditPage<Wanted extends WantedPage>(
  ports: AuditPorts,
  request: AuditRequest<Wanted>,
  now: number,
): Promise<Outcome<{ readonly wanted: Wanted; readonly page: AuditPage }>> {
  return readAudit(ports, request, now, async (wanted, draft) => {
    try {
      const page = await ports.auditReader.page(wanted.query);
      draft.detail = shownPageText(wanted.detail, page);
      return accept({ wanted, page });
    } catch (error) {
      if (!(error instanceof UnknownCursor)) throw error;
      const problems = [{ field: 'cursor', message: 'is not one that this service gave' }];
      return refuse({ reason: 'request_malformed', detail: error.message, problems });
    }
  });
}

/** The record of one id as a line of JSON. `id` is null where what was asked for cannot be one. */
export function readAuditRecord(
  ports: AuditPorts,
  request: AuditRequest<WantedAudit & { readonly id: string | null }>,
  now: number,
): Promise<Outcome<string>> {
  return readAudit(ports, request, now, async ({ id, detail }) => {
    const line = id === null ? null : await ports.auditReader.get(id);
    return line === null
      ? refuse({ reason: 'event_not_found', detail: `no record has the id ${detail}` })
      : accept(line);
  });
}

/**
 * Lets one auditor read: authenticate, must be an auditor, read, record. What was read leaves only when the record that
 * says so is durable (`decideOnRecord`): nobody reads the audit unseen.
 *
 * @param now milliseconds since the epoch.
 */
function readAudit<Wanted extends WantedAudit, Found>(
  ports: AuditPorts,
  request: AuditRequest<Wanted>,
  now: number,
  find: (wanted: Wanted, draft: AuditDraft) => Promise<Decided<Found>>,
): Promise<Outcome<Found>> {
  return decideOnRecord(ports, request.facts, now, 'records_success', async (draft) => {
    const authenticated = await authenticateCaller(ports.authenticate, request, now, draft);
    if (!authenticated.ok) return authenticated;

    draft.grant = ports.auditors.matching(authenticated.value, circumstancesOf(request, now));
    if (draft.grant === null) return refuse({ reason: 'not_granted', detail: 'the caller is no auditor' });

    const wanted = request.readWanted();
    if (!wanted.ok) return wanted;
    draft.detail = wanted.value.detail;
    return find(wanted.value, draft);
  });
}

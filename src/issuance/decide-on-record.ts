import { type AuditDraft, type AuditLog, beginAuditRecord, type RequestFacts } from './audit-record.ts';
import { asFault, type Fault } from './fault.ts';
import type { Decided, Refusal } from './refusal.ts';

/** What every decision needs besides its own steps. */
export type Recording = {
  readonly audit: AuditLog;
  /** A fresh UUIDv7 of that time, milliseconds since the epoch. */
  newAuditId(time: number): string;
  /** SHA-256 of the configuration that decides, hex. */
  readonly configHash: string;
};

/** How a decision ended, with the id of its record. */
export type Outcome<T> = { readonly auditId: string } & (
  | { readonly kind: 'decided'; readonly value: T }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'failed'; readonly fault: Fault }
);

/** Whether a positive decision leaves a record. Issuing always does; a caller reading its own rights does not. */
export type RecordsSuccess = 'records_success' | 'records_failure_only';

/**
 * Runs one decision with its record: begun before the first step, completed on every exit and durable before anything
 * leaves. When the record cannot be written, what was decided is dropped and the outcome is a fault, refusals included:
 * an answer that no record shows must be impossible.
 *
 * @param decide fills the draft with what it learns, and returns a refusal or throws a `Fault` to end.
 */
export async function decideOnRecord<T>(
  recording: Recording,
  facts: RequestFacts,
  now: number,
  success: RecordsSuccess,
  decide: (draft: AuditDraft) => Promise<Decided<T>>,
): Promise<Outcome<T>> {
  const draft = beginAuditRecord(recording.newAuditId(now), now, recording.configHash, facts);
  const outcome = await conclude(draft, decide);
  if (outcome.kind === 'decided' && success === 'records_failure_only') return outcome;
  try {
    // Identical refusals of a flood share one record, whose id then is that of each answer.
    return { ...outcome, auditId: await recording.audit.record(Object.freeze(draft)) };
  } catch (error) {
    // The first fault is the cause worth telling; an audit fault on top of it changes nothing for the caller.
    return outcome.kind === 'failed' ? outcome : { kind: 'failed', auditId: draft.id, fault: asFault(error) };
  }
}

async function conclude<T>(draft: AuditDraft, decide: (draft: AuditDraft) => Promise<Decided<T>>): Promise<Outcome<T>> {
  try {
    const decided = await decide(draft);
    if (decided.ok) {
      draft.outcome = draft.action === 'token.issue' ? 'issued' : 'answered';
      return { kind: 'decided', auditId: draft.id, value: decided.value };
    }
    draft.outcome = 'refused';
    draft.reason = decided.refusal.reason;
    draft.detail = decided.refusal.detail;
    return { kind: 'refused', auditId: draft.id, refusal: decided.refusal };
  } catch (error) {
    const fault = asFault(error);
    draft.outcome = 'failed';
    draft.reason = fault.code;
    draft.detail = fault.message;
    return { kind: 'failed', auditId: draft.id, fault };
  }
}

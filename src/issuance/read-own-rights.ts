import type { RequestFacts } from './audit-record.ts';
import type { Caller } from './caller.ts';
import { decideOnRecord, type Outcome, type Recording } from './decide-on-record.ts';
import { type Authenticate, noteCaller } from './issue-token.ts';
import type { Decided, Refusal } from './refusal.ts';

/** One request of a caller about itself: its databases, one of them, or who we take it for. */
export type OwnRightsRequest = {
  readonly facts: RequestFacts;
  readonly authorization: readonly string[];
  readonly admitCaller: (caller: Caller) => Promise<Refusal | undefined>;
};

/** Authenticates a caller and answers from its own rights. Only refusals and faults leave a record: nothing is issued. */
export function readOwnRights<T>(
  ports: Recording & { readonly authenticate: Authenticate },
  request: OwnRightsRequest,
  now: number,
  read: (caller: Caller) => Decided<T>,
): Promise<Outcome<T>> {
  return decideOnRecord(ports, request.facts, now, 'records_failure_only', async (draft) => {
    const authenticated = await ports.authenticate(request.authorization, now);
    if (!authenticated.ok) return authenticated;
    noteCaller(draft, authenticated.value);
    const refusal = await request.admitCaller(authenticated.value);
    if (refusal) return { ok: false, refusal };
    return read(authenticated.value);
  });
}

import { type Authenticate, authenticateCaller, type CallerRequest, circumstancesOf } from './authenticate-caller.ts';
import type { Caller } from './caller.ts';
import type { Circumstances } from './circumstances.ts';
import { decideOnRecord, type Outcome, type Recording } from './decide-on-record.ts';
import type { Decided } from './refusal.ts';

/** Authenticates a caller and answers from its own rights. Only refusals and faults leave a record: nothing is issued. */
export function readOwnRights<T>(
  ports: Recording & { readonly authenticate: Authenticate },
  request: CallerRequest,
  now: number,
  read: (caller: Caller, circumstances: Circumstances) => Decided<T>,
): Promise<Outcome<T>> {
  return decideOnRecord(ports, request.facts, now, 'records_failure_only', async (draft) => {
    const authenticated = await authenticateCaller(ports.authenticate, request, now, draft);
    return authenticated.ok ? read(authenticated.value, circumstancesOf(request, now)) : authenticated;
  });
}

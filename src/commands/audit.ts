import { auditExport } from './audit-export.ts';
import { auditFind } from './audit-find.ts';
import { auditList } from './audit-list.ts';
import { auditVerify } from './audit-verify.ts';
import { type CommandContext, type ExitStatus, UsageError } from './command.ts';

/** `audit WORD`: what is done with the audit trail from the command line. */
export async function audit(context: CommandContext): Promise<ExitStatus> {
  const [word = '', ...args] = context.args;
  switch (word) {
    case 'verify':
      return auditVerify({ ...context, args });
    case 'list':
      return auditList({ ...context, args });
    case 'export':
      return auditExport({ ...context, args });
    case 'find':
      return auditFind({ ...context, args });
    default:
      throw new UsageError('Write audit verify, audit list, audit export or audit find.');
  }
}

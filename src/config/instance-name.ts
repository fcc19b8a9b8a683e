import { instanceName } from './values.ts';

/**
 * The name of the chain that a process writes: `audit.instance`, else the name of its host.
 *
 * @throws {Error} for a host name that cannot name one: it becomes part of a path and of signed texts.
 */
export function instanceNameOf(configured: string | undefined, hostName: string): string {
  const name = configured ?? hostName;
  if (instanceName.safeParse(name).success) return name;
  throw new Error(`the host name ${JSON.stringify(name)} cannot name a chain of audit records: set audit.instance`);
}

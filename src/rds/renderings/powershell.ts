import type { Connection } from '../connection.ts';
import { environmentOf } from './env.ts';

/** The variables of `env` as assignments for PowerShell: `Invoke-RestMethod … | Invoke-Expression`. */
export function renderPowershell(connection: Connection, token: string): string {
  return Object.entries(environmentOf(connection, token))
    .map(([name, value]) => `$env:${name} = ${quote(value)}\n`)
    .join('');
}

/** PowerShell takes the typographic single quotes for the plain one (about_Quoting_Rules): each is doubled. */
function quote(value: string): string {
  return `'${value.replace(/['\u2018-\u201b]/g, '$&$&')}'`;
}

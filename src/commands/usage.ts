const COMMANDS: readonly { readonly word: string; readonly lines: string }[] = [
  {
    word: 'serve',
    lines: `rds-token-vendor [serve] --config FILE    answer requests`,
  },
  {
    word: 'check',
    lines: `rds-token-vendor check --config FILE      say what is wrong with a configuration, and run its policy tests`,
  },
  {
    word: 'explain',
    lines: `rds-token-vendor explain --config FILE (--jwt-file FILE|- | --claims-file FILE|- [--issuer NAME])
                              [--database D] [--user U] [--endpoint E] [--source-address A] [--at TIME]
                              [--certificate FILE] [--all] [--json]
                                          say why a caller gets a database user, or not, grant by grant`,
  },
  {
    word: 'audit',
    lines: `rds-token-vendor audit verify --config FILE [--verifier-key KEY|FILE]… [--checkpoints FILE]…
                              [--retired-until TIME] [--json]
                                          say whether the audit trail is what was written`,
  },
  {
    word: 'audit',
    lines: `rds-token-vendor audit list --config FILE [FILTER]… [--limit N]
                                          show audit records, newest first`,
  },
  {
    word: 'audit',
    lines: `rds-token-vendor audit export --config FILE [FILTER]… [--format ndjson|json|csv|cloudevents|ocsf]
                                          write all audit records of a filter, newest first`,
  },
  {
    word: 'audit',
    lines: `rds-token-vendor audit find --config FILE --token-file FILE|- [--json]
                                          show the records of an auth token`,
  },
  {
    word: 'agent',
    lines: `rds-token-vendor agent --url URL --jwt-file FILE [--database D] [--user U] [--endpoint E]
                       --write FORMAT=FILE… [--mode 0600] [--ca-file FILE]
                       [--exec COMMAND | --signal NAME --pid-file FILE] [--health [ADDRESS:]PORT]
                       [--once [--timeout SECONDS]] [--allow-http]
                                          keep files with a token fresh for programs that read a file`,
  },
  {
    word: '--version',
    lines: `rds-token-vendor --version`,
  },
];

const FILE = 'FILE may also be named by RTV_CONFIG. docs/configuration.md describes it.';

const FILTER = `FILTER: --from and --to TIME (2026-11-24T10:15:00Z, 2026-11-24, or 30m, 24h, 7d ago), --caller SUBJECT, --issuer,
--database, --user, --endpoint, --outcome, --grant, --observed GRANT, --action. Reading with list, export and find is
itself recorded; --unrecorded reads a copy of a store.`;

/** How the program is called. */
export const USAGE = [linesOf(COMMANDS), FILE, FILTER].join('\n\n');

/** How one command is called, so that what was wrong stays on the screen; of an unknown command, all of them. */
export function usageOf(word: string): string {
  const own = COMMANDS.filter((command) => command.word === (word === '' ? 'serve' : word));
  if (own.length === 0 || word.startsWith('-')) return USAGE;
  return [linesOf(own), ...(word === 'audit' ? [FILTER] : []), 'All commands: rds-token-vendor --help'].join('\n\n');
}

function linesOf(commands: typeof COMMANDS): string {
  const indented = commands.map(({ lines }) => lines.replaceAll('\n', '\n       '));
  return `Usage: ${indented.join('\n       ')}`;
}

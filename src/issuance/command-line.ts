/** The issuer on records of whoever reads the audit from the command line; their subject is a user of that machine. */
export const COMMAND_LINE = 'command-line';

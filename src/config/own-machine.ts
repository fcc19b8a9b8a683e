import { isIP } from 'node:net';

/** Whether a server's host is a Unix socket or a loopback address: what is sent there crosses no network. */
export function isOwnMachine(host: string): boolean {
  return (
    host.startsWith('/') || host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  );
}

import { type Mistake, testMistakes } from '../support/config-mistakes.ts';

const mistakes: readonly Mistake[] = [
  ['a misspelled key', '  port: 8080', '  prot: 8080', '2:3: server.prot is not a known key. Did you mean port?'],
  [
    'a key nothing resembles',
    '  port: 8080',
    '  compression: true',
    '2:3: server.compression is not a known key. Remove it, or write one of: host, port, adminHost, adminPort, tls, trustedProxies, drainDelay.',
  ],
  ['a misspelled section', 'limits:', 'limit:', '27:1: limit is not a known key. Did you mean limits?'],
  [
    'a port out of range',
    'port: 8080',
    'port: 65536',
    '2:9: server.port cannot be 65536. Write a port, 1 to 65535, or 0 for any free one.',
  ],
  [
    'a port as a text',
    'port: 8080',
    'port: "8080"',
    '2:9: server.port cannot be "8080". Write a port, 1 to 65535, or 0 for any free one.',
  ],
  [
    'a negative admin port',
    'port: 8080',
    'adminPort: -1',
    '2:14: server.adminPort cannot be -1. Write a port, 1 to 65535, or 0 for any free one.',
  ],
  [
    'a host with a scheme',
    'port: 8080',
    'host: http://0.0.0.0',
    '2:9: server.host cannot be "http://0.0.0.0". Write an address to listen on, such as 127.0.0.1, 0.0.0.0 or ::.',
  ],
  [
    'an empty admin host',
    'port: 8080',
    'adminHost: ""',
    '2:14: server.adminHost is empty. Write an address to listen on, such as 127.0.0.1, 0.0.0.0 or ::.',
  ],
  [
    'a proxy that is no address',
    'port: 8080',
    'trustedProxies: [proxy.example]',
    '2:20: server.trustedProxies[0] cannot be "proxy.example". Write an IP address or a CIDR range, such as 10.0.0.0/8.',
  ],
  [
    'a proxy range that is too narrow',
    'port: 8080',
    'trustedProxies: [10.0.0.0/33]',
    '2:20: server.trustedProxies[0] cannot be "10.0.0.0/33". Write an IP address or a CIDR range, such as 10.0.0.0/8.',
  ],
  [
    'a duration without a unit',
    'port: 8080',
    'drainDelay: 30',
    '2:15: server.drainDelay cannot be 30. Write a duration from 0s to 10m: a number and s, m or h.',
  ],
  [
    'a duration that is too long',
    'port: 8080',
    'drainDelay: 11m',
    '2:15: server.drainDelay cannot be "11m". Write a duration from 0s to 10m: a number and s, m or h.',
  ],
  ['an empty section', 'server:\n  port: 8080', 'server:', '1:1: server is empty. Write keys with their values here.'],
  [
    'a section that is a list',
    'server:\n  port: 8080',
    'server: [8080]',
    '1:9: server cannot be a list like this. Write keys with their values here.',
  ],
  [
    'a rate without a window',
    'perCaller: 20/s',
    'perCaller: 20',
    '28:14: limits.perCaller cannot be 20. Write a number a second or a minute: 20/s or 600/m.',
  ],
  [
    'a rate of zero',
    'perCaller: 20/s',
    'perDatabase: 0/s',
    '28:16: limits.perDatabase cannot be "0/s". Write a number a second or a minute: 20/s or 600/m.',
  ],
  [
    'a rate for each hour',
    'perCaller: 20/s',
    'perCaller: 20/h',
    '28:14: limits.perCaller cannot be "20/h". Write a number a second or a minute: 20/s or 600/m.',
  ],
  [
    'an unknown audit store',
    'limits:',
    'audit: { store: { type: mysql } }\nlimits:',
    '27:25: audit.store.type cannot be "mysql". Write type: sqlite, postgres or file.',
  ],
  [
    'an audit store without a type',
    'limits:',
    'audit: { store: { path: a.db } }\nlimits:',
    '27:10: audit.store.type is missing. Write type: sqlite, postgres or file.',
  ],
  [
    'an empty audit path',
    'limits:',
    'audit: { store: { type: sqlite, path: "" } }\nlimits:',
    "27:39: audit.store.path is empty. Write a file's path; a relative one starts at this file's folder.",
  ],
  [
    'an unknown key of the audit store',
    'limits:',
    'audit: { store: { type: sqlite, file: a.db } }\nlimits:',
    '27:33: audit.store.file is not a known key. Remove it, or write one of: type, path.',
  ],
  [
    'CA bundles fetched too often',
    'limits:',
    'caBundles: { refresh: 30s }\nlimits:',
    '27:23: caBundles.refresh cannot be "30s". Write a duration from 1m to 168h: a number and s, m or h.',
  ],
  [
    'a mirror of CA bundles over http',
    'limits:',
    'caBundles: { source: "http://127.0.0.1/x" }\nlimits:',
    '27:22: caBundles.source cannot be "http://127.0.0.1/x". Write the mirror\'s https URL, without a query.',
  ],
  [
    'an empty CA bundle directory',
    'limits:',
    'caBundles: { directory: "" }\nlimits:',
    "27:25: caBundles.directory is empty. Write a file's path; a relative one starts at this file's folder.",
  ],
  [
    'a CA file of the mirror that is not there',
    'limits:',
    'caBundles: { caFile: /no/such.pem }\nlimits:',
    "27:22: caBundles.caFile: the file /no/such.pem does not exist. Correct the path (a relative one starts at the configuration's folder) or the file's permissions.",
  ],
];

testMistakes(mistakes);

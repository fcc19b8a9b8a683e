import { ISSUERS } from '../support/config-file.ts';
import { type Mistake, testMistakes } from '../support/config-mistakes.ts';

const mistakes: readonly Mistake[] = [
  [
    'the name of the command line',
    '  - name: corp',
    '  - name: command-line',
    '7:11: issuers[1] has the name command-line, by which audit records call readings on this machine. Give it another name.',
  ],
  ['no issuers', ISSUERS, '', '1:1: issuers is missing. List at least one issuer with its name, issuer and audiences.'],
  [
    'an empty list',
    ISSUERS,
    'issuers: []\n',
    '3:10: issuers is empty. List at least one issuer with its name, issuer and audiences.',
  ],
  [
    'a map instead of a list',
    ISSUERS,
    'issuers: { name: cluster }\n',
    '3:10: issuers cannot be a map like this. Write a list: [a, b], or one item a line, each behind a dash.',
  ],
  [
    'a missing name',
    '  - name: corp\n    issuer:',
    '  - issuer:',
    "7:5: issuers[1].name is missing. Write a name of at most 63 letters, digits, '.', '_' or '-', that begins with a letter or a digit.",
  ],
  [
    'a name with a space',
    'name: corp',
    'name: my corp',
    "7:11: issuers[1].name cannot be \"my corp\". Write a name of at most 63 letters, digits, '.', '_' or '-', that begins with a letter or a digit.",
  ],
  [
    'a name that is a number',
    'name: corp',
    'name: 12',
    "7:11: issuers[1].name cannot be 12. Write a name of at most 63 letters, digits, '.', '_' or '-', that begins with a letter or a digit. Put it in quotes: without them it is a number.",
  ],
  [
    'a name that two have',
    'name: corp',
    'name: cluster',
    '7:11: issuers[1] has the name cluster, and so has issuers[0]. Give each issuer its own name.',
  ],
  [
    'a URL that two have',
    'https://login.corp.example',
    'https://idp.example',
    '8:13: issuers[1] has the URL https://idp.example, and so has issuers[0]. Keep one entry for each issuer URL: a JWT must belong to exactly one issuer.',
  ],
  [
    'a URL without a scheme',
    'https://idp.example',
    'idp.example',
    '5:13: issuers[0].issuer cannot be "idp.example". Write the https URL in the JWTs\' iss claim; http is for loopback hosts only.',
  ],
  [
    'plain http',
    'https://idp.example',
    'http://idp.example',
    '5:13: issuers[0].issuer cannot be "http://idp.example". Write the https URL in the JWTs\' iss claim; http is for loopback hosts only.',
  ],
  [
    'plain http to a host named like loopback',
    'https://idp.example',
    'http://localhost.evil.example',
    '5:13: issuers[0].issuer cannot be "http://localhost.evil.example". Write the https URL in the JWTs\' iss claim; http is for loopback hosts only.',
  ],
  [
    'plain http to an address named like loopback',
    'https://idp.example',
    'http://127.0.0.1.evil.example',
    '5:13: issuers[0].issuer cannot be "http://127.0.0.1.evil.example". Write the https URL in the JWTs\' iss claim; http is for loopback hosts only.',
  ],
  [
    'a password in the URL, which is not repeated',
    'https://idp.example',
    'https://me:pa55@idp.example',
    '5:13: issuers[0].issuer cannot be "https://…@idp.example". Write the https URL in the JWTs\' iss claim; http is for loopback hosts only.',
  ],
  [
    'a query in the URL',
    'https://idp.example',
    'https://idp.example/?a=b',
    '5:13: issuers[0].issuer cannot be "https://idp.example/?a=b". Write the https URL in the JWTs\' iss claim; http is for loopback hosts only.',
  ],
  [
    'a URL that is none',
    'https://idp.example',
    'https://[idp',
    '5:13: issuers[0].issuer cannot be "https://[idp". Write the https URL in the JWTs\' iss claim; http is for loopback hosts only.',
  ],
  [
    'no audiences',
    '    audiences: [vendor]\n  - name: corp',
    '  - name: corp',
    '4:5: issuers[0].audiences is missing. Write at least one audience: without one, tokens meant for other services would be accepted.',
  ],
  [
    'an empty list of audiences',
    'audiences: [vendor]\n  - name: corp',
    'audiences: []\n  - name: corp',
    '6:16: issuers[0].audiences is empty. Write at least one audience: without one, tokens meant for other services would be accepted.',
  ],
  [
    'an audience that is not in a list',
    'audiences: [vendor]\n  - name: corp',
    'audiences: vendor\n  - name: corp',
    '6:16: issuers[0].audiences cannot be "vendor". Write a list: [a, b], or one item a line, each behind a dash.',
  ],
  [
    'an empty audience',
    'audiences: [vendor]\n  - name: corp',
    'audiences: [""]\n  - name: corp',
    '6:17: issuers[0].audiences[0] is empty. Write an audience, as in the aud claim.',
  ],
  [
    'the algorithm none',
    'name: corp',
    'algorithms: [none]\n    name: corp',
    '7:18: issuers[1].algorithms[0] cannot be "none". Write one of: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519.',
  ],
  [
    'an HMAC algorithm',
    'name: corp',
    'algorithms: [RS256, HS256]\n    name: corp',
    '7:25: issuers[1].algorithms[1] cannot be "HS256". Write one of: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519.',
  ],
  [
    'no algorithm',
    'name: corp',
    'algorithms: []\n    name: corp',
    '7:17: issuers[1].algorithms is empty. List at least one algorithm, or leave the key out for RS256 and ES256.',
  ],
  [
    'a clock tolerance above five minutes',
    'name: corp',
    'clockTolerance: 301s\n    name: corp',
    '7:21: issuers[1].clockTolerance cannot be "301s". Write a duration from 0s to 300s: a number and s, m or h.',
  ],
  [
    'a key set of two kinds',
    'name: corp',
    'jwks: { url: "https://a.example", file: a.json }\n    name: corp',
    '7:11: issuers[1].jwks cannot be a map like this. Write either url or file, and nothing else.',
  ],
  [
    'a key set of an unknown kind',
    'name: corp',
    'jwks: { uri: "https://a.example" }\n    name: corp',
    '7:11: issuers[1].jwks cannot be a map like this. Write either url or file, and nothing else.',
  ],
  [
    'a key set over http',
    'name: corp',
    'jwks: { url: "http://a.example" }\n    name: corp',
    '7:18: issuers[1].jwks.url cannot be "http://a.example". Write the key set\'s https URL; http is for loopback hosts only.',
  ],
  [
    'a key set file that is not there',
    'name: corp',
    'jwks: { file: /no/such.json }\n    name: corp',
    "7:19: issuers[1].jwks.file: the file /no/such.json does not exist. Correct the path (a relative one starts at the configuration's folder) or the file's permissions.",
  ],
  [
    'a key set file that is a folder',
    'name: corp',
    'jwks: { file: / }\n    name: corp',
    "7:19: issuers[1].jwks.file: the file / is not a regular file. Correct the path (a relative one starts at the configuration's folder) or the file's permissions.",
  ],
  [
    'a CA file that is not there',
    'name: corp',
    'caFile: /no/such.pem\n    name: corp',
    "7:13: issuers[1].caFile: the file /no/such.pem does not exist. Correct the path (a relative one starts at the configuration's folder) or the file's permissions.",
  ],
  [
    'a misspelled key',
    'name: corp',
    'clockTolerence: 30s\n    name: corp',
    '7:5: issuers[1].clockTolerence is not a known key. Did you mean clockTolerance?',
  ],
  [
    'Kubernetes token review, which comes later',
    'name: corp',
    'kubernetes: { tokenReview: true }\n    name: corp',
    '7:5: issuers[1].kubernetes is not supported by this version. Remove it.',
  ],
];

testMistakes(mistakes);

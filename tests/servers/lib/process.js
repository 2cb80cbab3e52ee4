'use strict';

// The contract between a server process and the test that started it: one JSON line on stdout when the server is
// ready, everything else on stderr, and an end as soon as the test closes our stdin (or dies, which closes it too).

const { parseArgs } = require('node:util');

const toStdout = process.stdout.write.bind(process.stdout);

// Frameworks log to stdout as they please; a harness that parses the first line must never see that.
function keepStdoutClean() {
  process.stdout.write = process.stderr.write.bind(process.stderr);
}

function exitWithParent() {
  const leave = () => process.exit(0);
  process.stdin.on('end', leave).on('close', leave).on('error', leave);
  process.stdin.resume();
  process.on('SIGTERM', leave).on('SIGINT', leave);
}

function ready(ports) {
  toStdout(`${JSON.stringify(ports)}\n`);
}

/**
 * Reads the flags. The type of a default is the type of its flag: `false` makes a switch, a number is checked to be
 * one, `undefined` is an optional string. An unknown flag ends the process: a typo must not pass for a default.
 */
function flags(defaults) {
  const options = {};
  for (const [name, value] of Object.entries(defaults)) {
    options[name] = { type: typeof value === 'boolean' ? 'boolean' : 'string' };
  }
  const result = { ...defaults };
  try {
    const { values } = parseArgs({ options, strict: true, allowPositionals: false });
    for (const [name, value] of Object.entries(values)) {
      result[name] = typeof defaults[name] === 'number' ? number(name, value) : value;
    }
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
  return result;
}

function number(name, text) {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new Error(`--${name}: not a number: ${text}`);
  return value;
}

module.exports = { keepStdoutClean, exitWithParent, ready, flags };

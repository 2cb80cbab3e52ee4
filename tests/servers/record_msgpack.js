'use strict';

// Writes what the official msgpack parsers make of packets to src/socketio/msgpack/recorded.json, for the unit tests of the
// library's own. `node record_msgpack.js`, after an update of a parser.

const fs = require('node:fs');
const path = require('node:path');

const long = 'ä€😀'.repeat(100); // str 16
const count = (n, value) => Array.from({ length: n }, () => value);
const bytes = n => Buffer.from(Array.from({ length: n }, (_, i) => i % 251));
const uint8 = values => new Uint8Array(values).buffer;

const EDGES = [0, 1, 127, 128, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 53, -1, -32, -33, -128, -129, -32768, -32769,
  -(2 ** 31), -(2 ** 31) - 1, -(2 ** 53)];

// `theirs`: only the server writes this, the library has other words for it.
const DATA = {
  'no argument': { data: ['a'] },
  'numbers': { data: ['numbers', ...EDGES, 0.1, -2.5, 1.5e-7, 5e-324] },
  'numbers beyond the exact ones': { data: ['numbers', 2 ** 53 + 2, 2 ** 63, -(2 ** 63)], theirs: true },
  'texts': { data: ['ä€😀', '', 'x'.repeat(31), 'x'.repeat(32), 'x'.repeat(255), 'x'.repeat(256), long, '"\\/\n\u0000\u001e\u2028'] },
  'constants': { data: ['c', null, true, false] },
  'nested': { data: ['n', { a: { b: [[], {}, [1, [2, { '': 'x' }]]] } }] },
  'long arrays': { data: ['l', count(15, 1), count(16, 2), count(300, 'y')] },
  'long maps': { data: ['m', Object.fromEntries(count(20, 0).map((_, i) => [`k${i}`, i]))] },
  'binary': { data: ['b', bytes(0), { deep: [bytes(3), bytes(300)] }, bytes(256)] },
  'views and buffers': { data: ['v', uint8([1, 2]), new Uint8Array([3])], theirs: true },
  'what JSON has no word for': { data: ['j', NaN, Infinity, -Infinity, undefined], theirs: true },
  'times': { data: ['t', new Date(0), new Date(1709210096007), new Date(-1)], theirs: true },
};

const kinds = [
  ...Object.entries(DATA).map(([what, { data, theirs }]) => ({ what, theirs, packet: { type: 2, nsp: '/', data } })),
  { what: 'an event with an id', packet: { type: 2, nsp: '/chat', data: ['a', 1], id: 0 } },
  { what: 'an event with a large id', packet: { type: 2, nsp: '/chat', data: ['a', 1], id: 2 ** 40 } },
  { what: 'an event with options', theirs: true, packet: { type: 2, data: ['a', 1], options: { compress: true }, nsp: '/chat' } },
  { what: 'an acknowledgement', packet: { type: 3, nsp: '/chat', data: ['ok', { a: 1 }], id: 12 } },
  { what: 'an acknowledgement of nothing', packet: { type: 3, nsp: '/', data: [], id: 0 } },
  { what: 'disconnect', packet: { type: 1, nsp: '/chat' } },
];
const PER_GENERATION = {
  2: [
    { what: 'connect', packet: { type: 0, nsp: '/chat' } },
    { what: 'error', theirs: true, packet: { type: 4, nsp: '/chat', data: 'refused' } },
    { what: 'binary event', theirs: true, packet: { type: 5, nsp: '/', data: ['b', bytes(2)] } },
  ],
  4: [
    { what: 'connect', packet: { type: 0, nsp: '/chat' } },
    { what: 'connect with auth', packet: { type: 0, nsp: '/', data: { token: 't' } } },
    { what: 'connect of the client', theirs: true, packet: { type: 0, data: undefined, nsp: '/' } },
    { what: 'connect error', theirs: true, packet: { type: 4, nsp: '/chat', data: { message: 'no', data: { code: 42 } } } },
  ],
};

/** The data as JSON text with placeholders, and the bytes that they stand for. */
function expected(data) {
  const attachments = [];
  const replace = value => {
    if (Buffer.isBuffer(value) || value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      attachments.push(Buffer.from(value).toString('hex'));
      return { _placeholder: true, num: attachments.length - 1 };
    }
    if (Array.isArray(value)) return value.map(replace);
    if (value && typeof value === 'object' && !(value instanceof Date)) {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replace(inner)]));
    }
    return value;
  };
  return { json: data === undefined ? '' : JSON.stringify(replace(data)), attachments };
}

function encoded(parser, generation, packet) {
  let frames;
  if (generation === 2) new parser.Encoder().encode(packet, list => { frames = list; });
  else frames = new parser.Encoder().encode(packet);
  const [frame] = frames;
  return typeof frame === 'string' ? { text: frame } : { hex: frame.toString('hex') };
}

const recorded = [];
for (const generation of [2, 4]) {
  const name = `socket.io-msgpack-parser-${generation}`;
  const parser = require(name);
  const { version } = require(`${name}/package.json`);
  for (const { what, packet, theirs = false } of [...kinds, ...PER_GENERATION[generation]]) {
    const { json, attachments } = expected(packet.data);
    recorded.push({
      parser: version, what, theirs, ...encoded(parser, generation, packet),
      type: packet.type, nsp: packet.nsp, id: packet.id, json, attachments,
    });
  }
}

const file = path.join(__dirname, '../../src/socketio/msgpack/recorded.json');
fs.writeFileSync(file, `[\n${recorded.map(item => JSON.stringify(item)).join(',\n')}\n]\n`);

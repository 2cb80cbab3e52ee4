'use strict';

// The events that every namespace of socketio.js answers, the same for both generations.

const { createHash } = require('node:crypto');
const { reset } = require('../lib/faults');

/** Text that goes wrong where somebody counts bytes, UTF-16 units or characters and means another. */
const UNICODE = ['ä€中', '😀👩‍👩‍👧 𝕏', 'quote " backslash \\ slash /', '\n\r\t\b\f', '\u0000\u001e\u007f', '\u2028\u2029'];

/** As JSON text: JavaScript itself can't hold, or doesn't print, most of these. */
const NUMBERS = '0,-0.0,-1,0.1,1.5e-7,1e308,5e-324,9007199254740991,9007199254740993,18446744073709551615,-9223372036854775808';

/** How often `nth_ack` saw a value, itself included; binary counts by its bytes. */
function count(value) {
  const key = Buffer.isBuffer(value) ? value.toString('hex') : value;
  times.set(key, (times.get(key) || 0) + 1);
  return times.get(key);
}
const times = new Map();

/** A value with every Buffer in it, at any depth, as `{hex}`. */
function hexed(value) {
  if (Buffer.isBuffer(value)) return { hex: value.toString('hex') };
  if (Array.isArray(value)) return value.map(hexed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hexed(inner)]));
}

function shuffled(list) {
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [list[last], list[other]] = [list[other], list[last]];
  }
  return list;
}

const prefix = socket => (socket.nsp.name === '/' ? '' : `${socket.nsp.name},`);

function digest(value) {
  if (Buffer.isBuffer(value)) return { bytes: value.length, sha256: createHash('sha256').update(value).digest('hex') };
  if (Array.isArray(value)) return value.map(digest);
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, digest(inner)]));
}

// Each gets the socket, the arguments without the ack, and the ack function or null.
const EVENTS = {
  echo(socket, args, ack) {
    if (ack) ack(...args);
    else socket.emit('echo', ...args);
  },
  silent() {},
  ack_twice(socket, args, ack) {
    // The official servers send the first only; `raw` can send two.
    ack(...args);
    ack(...args);
  },
  slow_ack(socket, [ms, value], ack) {
    setTimeout(() => ack(value), ms);
  },
  ask(socket, values) {
    socket.emit('question', ...values, (...reply) => socket.emit('answered', ...reply));
  },
  /** What binary arrived, and where: every Buffer as `{hex}`, in the acknowledgement or in an event. */
  describe(socket, args, ack) {
    const answer = args.map(hexed);
    if (ack) ack(...answer);
    else socket.emit('described', ...answer);
  },
  /** Asks with a binary argument, and describes the answer. */
  ask_binary(socket, values) {
    socket.emit('question', ...values, (...reply) => socket.emit('described', ...reply.map(hexed)));
  },
  /** Collects acknowledgements until there are n, then answers them in a random order. */
  shuffle_ack(socket, [n, value], ack) {
    const held = (socket.held ||= []);
    held.push(() => ack(value));
    if (held.length < n) return;
    for (const answer of shuffled(held.splice(0))) answer();
  },
  /** Is acknowledged, a moment later, with the value and how many then wait for their acknowledgement. */
  alone_ack(socket, [value], ack) {
    socket.waiting = (socket.waiting || 0) + 1;
    setTimeout(() => ack(value, socket.waiting--), 5);
  },
  /** Is acknowledged with `[value, time]` only the nth time that it comes, over all connections. */
  nth_ack(socket, [n, value], ack) {
    const seen = count(value);
    if (seen >= n) ack(value, seen);
  },
  /** As `nth_ack`, but loses the connection each time before. */
  nth_ack_else_drop(socket, [n, value], ack) {
    const seen = count(value);
    if (seen >= n) ack(value, seen);
    else socket.conn.close();
  },
  burst(socket, [n]) {
    for (let i = 0; i < n; i++) socket.emit('burst', i);
  },
  flood(socket, [n, size]) {
    const pad = 'x'.repeat(size);
    for (let i = 0; i < n; i++) socket.emit('flood', { i, pad });
  },
  several(socket) {
    socket.emit('several', 1, 'two', { three: 3 }, [4], null);
  },
  no_args(socket) {
    socket.emit('no_args');
  },
  /** Binary values, nested; `echo` gives back those that it gets. */
  binary(socket, args, ack) {
    const value = [Buffer.from([1, 2, 3]), { list: [Buffer.alloc(0), 'x', { deep: Buffer.alloc(70000, 7) }] }];
    if (ack) ack(...value);
    else socket.emit('binary', ...value);
  },
  /** As `ask`, with binary values in the question; `answered` brings back those of the answer. */
  ask_nested(socket) {
    const question = { one: Buffer.from([1]), two: [Buffer.from([2, 2])] };
    socket.emit('question', question, Buffer.from([3]), (...reply) => socket.emit('answered', ...reply));
  },
  /** What arrived, in words: a binary value is told by its length and its SHA-256. */
  digest(socket, args, ack) {
    const described = args.map(digest);
    if (ack) ack(...described);
    else socket.emit('digest', ...described);
  },
  unicode(socket) {
    socket.emit('unicode', ...UNICODE);
  },
  numbers(socket) {
    socket.conn.write(`2${prefix(socket)}["numbers",${NUMBERS}]`);
  },
  /** What the client said of itself when it connected. */
  handshake(socket, args, ack) {
    const { query, auth, headers, url } = socket.handshake;
    const { EIO } = socket.request._query;
    const shake = {
      query, auth, headers, url, id: socket.id, eio: Number(EIO), transport: socket.conn.transport.name, recovered: socket.recovered,
    };
    if (ack) ack(shake);
    else socket.emit('handshake', shake);
  },
  tell(socket, [name, ...args]) {
    socket.emit(name, ...args);
  },
  tell_all(socket, [name, ...args]) {
    socket.nsp.emit(name, ...args);
  },
  relay(socket, [id, name, ...args]) {
    socket.nsp.to(id).emit(name, ...args);
  },
  /** Any Socket.IO packet, as text, e.g. an ack that nobody asked for: `3/chat,99["x"]`. */
  raw(socket, [text]) {
    socket.conn.write(text);
  },
  disconnect_me(socket) {
    socket.disconnect();
  },
  close_me(socket) {
    socket.disconnect(true);
  },
  drop_me(socket) {
    socket.conn.close();
  },
  reset_me(socket) {
    reset(socket.conn);
  },
};

function serve(nsp, gauge) {
  nsp.on('connection', socket => {
    socket.use((packet, next) => {
      gauge.event(socket, packet);
      next();
    });
    for (const [name, handler] of Object.entries(EVENTS)) {
      socket.on(name, (...args) => {
        const ack = typeof args[args.length - 1] === 'function' ? args.pop() : null;
        if (!ack && /ack/.test(name)) return console.error(`${name} came without an ack`);
        handler(socket, args, ack);
      });
    }
  });
}

module.exports = { serve };

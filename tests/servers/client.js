'use strict';

// The official client, for tests of servers that aren't official; flags: README.md.

const { keepStdoutClean, exitWithParent, ready, flags } = require('./lib/process');

keepStdoutClean();
exitWithParent();

const options = flags({ generation: 4, root: undefined, nsp: '/room', path: '/socket.io', transports: 'polling' });
const client = require(`socket.io-client-${options.generation}`);

const socket = client(options.root + options.nsp, { path: options.path, transports: options.transports.split(','), reconnection: false });
const fail = what => error => {
  console.error(what, error);
  process.exit(1);
};
socket.on('connect_error', fail('connect_error'));
socket.on('error', fail('error'));

socket.once('connect', () => {
  socket.emit('hello', { from: 'the official client', text: 'ä€😀' });
  ready({ id: socket.id, transport: socket.io.engine.transport.name });
});
socket.on('question', (...args) => {
  const ack = args.pop();
  ack(...args);
});
socket.on('leave', () => socket.close());

// The driver of the official client: `node official.js GENERATION ROOT MEASURE N`, see benches/README.md.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const [generation, root, measure, number] = process.argv.slice(2);
const count = Number(number);
const servers = path.join(__dirname, '../../tests/servers/node_modules');
const io = require(path.join(servers, `socket.io-client-${generation}`));
const message = JSON.parse(fs.readFileSync(path.join(__dirname, 'message.json'), 'utf8'));

const open = () => io(root, { transports: ['websocket'], forceNew: true });
const connected = (socket) => new Promise((resolve) => socket.once('connect', resolve));
const call = (socket, ...args) => new Promise((resolve) => socket.emit(...args, resolve));
const now = () => Number(process.hrtime.bigint()) / 1e3;

function cpu() {
  const usage = process.cpuUsage();
  return usage.user + usage.system;
}

async function costs(work, more = () => ({})) {
  const [cpuBefore, wallBefore] = [cpu(), now()];
  await work();
  const each = { cpuUs: (cpu() - cpuBefore) / count, wallUs: (now() - wallBefore) / count };
  console.log(JSON.stringify({ ...each, ...more() }));
}

async function times(work) {
  const all = [];
  for (let i = 0; i < count; i++) {
    const start = now();
    await work();
    all.push(now() - start);
  }
  all.sort((a, b) => a - b);
  const at = (part) => all[Math.floor(((all.length - 1) * part) / 100)];
  console.log(JSON.stringify({ p50Us: at(50), p99Us: at(99) }));
}

const measures = {
  async receive(socket) {
    let left = count;
    let bytes = 0;
    await costs(() => new Promise((resolve) => {
      socket.on('c_message', (envelope) => {
        bytes += envelope.data.payload.content.length;
        if (--left === 0) resolve();
      });
      socket.emit('start', count);
    }));
    if (bytes === 0) process.exit(1);
  },
  async emit(socket) {
    await costs(async () => {
      for (let i = 0; i < count; i++) socket.emit('to', message);
      if ((await call(socket, 'count')) !== count) process.exit(1);
    });
  },
  roundtrip: (socket) => times(() => call(socket, 'echo', 1)),
  pair: (socket) => times(() => {
    socket.emit('to', message);
    return call(socket, 'echo', 1);
  }),
  async inflight(socket) {
    let own = 0;
    await costs(() => new Promise((resolve) => {
      let left = count;
      for (let i = 0; i < count; i++) {
        socket.emit('echo', i, (answer) => {
          own += answer === i;
          if (--left === 0) resolve();
        });
      }
    }), () => ({ wrong: count - own }));
  },
};

// Beside one socket, which brings all that is there once.
async function idle() {
  await connected(open());
  const before = process.memoryUsage.rss();
  const sockets = Array.from({ length: count }, open);
  await Promise.all(sockets.map(connected));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const threads = Number(/Threads:\s+(\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]);
  const kbPerClient = (process.memoryUsage.rss() - before) / 1024 / count;
  console.log(JSON.stringify({ kbPerClient, threads }));
}

async function main() {
  if (measure === 'idle') await idle();
  else if (measure === 'connect') await times(async () => {
    const socket = open();
    await connected(socket);
    socket.close();
  });
  else {
    const socket = open();
    await connected(socket);
    await measures[measure](socket);
  }
  process.exit(0);
}

main();

'use strict';

// Starts the servers, speaks to their control API, counts. Everything waits for conditions, except where it's shown
// that something does not happen; the limits are what may be taken at worst.

const { spawn } = require('node:child_process');
const http = require('node:http');
const path = require('node:path');
const readline = require('node:readline');

const LIMIT = 20000; // for one condition
const TEST_LIMIT = 60000;
const CLIENTS = { 2: require('socket.io-client-2'), 4: require('socket.io-client-4') };

const results = { passed: 0, failed: 0 };
const toClose = [];

async function test(name, body) {
  const mine = toClose.length;
  try {
    await limited(body(), name, TEST_LIMIT);
    results.passed++;
    console.log(`ok    ${name}`);
  } catch (error) {
    results.failed++;
    console.log(`FAIL  ${name}\n      ${error.stack}`);
  }
  for (const close of toClose.splice(mine).reverse()) close();
}

function limited(promise, what, ms = LIMIT) {
  let timer;
  const limit = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`took too long: ${what}`)), ms);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

async function until(condition, what) {
  const end = Date.now() + LIMIT;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`never happened: ${what || condition}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

/** The next `event`, as the list of its arguments. */
function next(emitter, event) {
  return limited(new Promise(resolve => emitter.once(event, (...args) => resolve(args))), `event ${event}`);
}

/** All arguments of every `event` from now on. */
function collect(emitter, event) {
  const list = [];
  emitter.on(event, (...args) => list.push(args.length > 1 ? args : args[0]));
  return list;
}

class Server {
  static async start(script, ...args) {
    const server = new Server();
    const cwd = path.join(__dirname, '..');
    const child = spawn(process.execPath, [script, ...args.map(String)], { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    server.child = child;
    server.stdout = [];
    server.stderr = '';
    child.stderr.on('data', data => { server.stderr += data; });
    server.exited = new Promise(resolve => child.once('exit', (code, signal) => resolve({ code, signal })));
    toClose.push(() => child.stdin.end());
    const lines = readline.createInterface({ input: child.stdout });
    const first = new Promise((resolve, reject) => {
      lines.on('line', line => {
        server.stdout.push(line);
        resolve(line);
      });
      server.exited.then(() => reject(new Error(`${script} ended: ${server.stderr}`)));
    });
    Object.assign(server, JSON.parse(await limited(first, `${script} is ready`)));
    return server;
  }

  url(nsp = '') {
    return `http://127.0.0.1:${this.port}${nsp}`;
  }

  get(name) {
    return this.control('GET', name);
  }

  post(name, body = {}) {
    return this.control('POST', name, body);
  }

  stats() {
    return this.get('stats');
  }

  control(method, name, body, port = this.controlPort) {
    return request({ method, port, path: `/control/${name}` }, body).then(({ status, text }) => {
      if (status !== 200) throw new Error(`${name}: ${status} ${text}`);
      return JSON.parse(text);
    });
  }

  /** An official client of that generation; it is closed at the end of the test. */
  client(generation, nsp, options = {}) {
    const socket = CLIENTS[generation](this.url(nsp), { forceNew: true, reconnection: false, timeout: LIMIT, ...options });
    toClose.push(() => socket.close());
    return socket;
  }
}

function request(options, body) {
  return limited(new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const req = http.request({ host: '127.0.0.1', agent: false, headers, ...options }, res => {
      let text = '';
      res.setEncoding('utf8').on('data', data => { text += data; }).on('end', () => resolve({ status: res.statusCode, text }));
    });
    req.on('error', reject);
    req.end(body === undefined ? undefined : JSON.stringify(body));
  }), `${options.method} ${options.path}`);
}

function finish() {
  console.log(`${results.passed} passed, ${results.failed} failed`);
  process.exitCode = results.failed ? 1 : 0;
}

/** For things that a test has to end by itself. */
const atEnd = close => toClose.push(close);

module.exports = { test, until, next, collect, limited, Server, request, finish, atEnd };

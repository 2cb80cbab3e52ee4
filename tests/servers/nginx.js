'use strict';

// Debian's nginx as a reverse proxy before the servers, kind to WebSocket or hostile; flags: README.md.

const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { keepStdoutClean, exitWithParent, ready, flags } = require('./lib/process');
const { configuration, UPGRADES } = require('./nginx/configuration');
const { openRelay } = require('./nginx/relay');

keepStdoutClean();
exitWithParent();

const options = flags({ backend: 0, second: 0, upgrades: 'passed', 'cut-after': 0, 'cut-silently': false });
if (!options.backend || !UPGRADES.includes(options.upgrades)) {
  console.error(`--backend PORT is needed, and --upgrades is one of ${UPGRADES.join(', ')}`);
  process.exit(2);
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'im-nginx-'));
let child;
process.on('exit', () => {
  if (child) child.kill('SIGKILL');
  fs.rmSync(folder, { recursive: true, force: true });
});

/** nginx can't choose a port by itself, and what is free now may be taken a moment later. */
async function start(relay) {
  for (let attempt = 0; attempt < 20; attempt++) {
    const port = await freePort();
    const token = crypto.randomUUID();
    const file = path.join(folder, 'nginx.conf');
    fs.writeFileSync(file, configuration({ ...options, folder, port, token, relay }));
    if (await run(file, port, token)) return port;
  }
  throw new Error('nginx found no free port');
}

/** Did nginx find that somebody else has the port? */
function taken() {
  const file = path.join(folder, 'error.log');
  return fs.existsSync(file) && /bind\(\) .* failed/.test(fs.readFileSync(file, 'utf8'));
}

function freePort() {
  return new Promise(resolve => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** In the foreground; ends with this process, however that ends. */
async function run(file, port, token) {
  const args = ['--pdeathsig', 'KILL', 'nginx', '-p', folder, '-e', path.join(folder, 'error.log'), '-c', file];
  const own = spawn('setpriv', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  let ended = false;
  own.once('exit', () => { ended = true; });
  child = own;
  while (!ended) {
    if (await asks(port) === token) {
      own.once('exit', () => process.exit(1));
      return true;
    }
    if (taken()) break; // it would try again by itself, for seconds
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  if (!taken()) throw new Error('nginx did not start (is it installed? tools/packages.sh nginx)');
  own.kill('SIGKILL');
  fs.rmSync(path.join(folder, 'error.log'), { force: true });
  return false;
}

/** What is served there: another server may have got the port first. */
function asks(port) {
  return new Promise(resolve => {
    const req = http.get({ host: '127.0.0.1', port, path: '/nginx/token', agent: false, timeout: 1000 }, res => {
      let text = '';
      res.setEncoding('utf8').on('data', data => { text += data; }).on('end', () => resolve(text));
    });
    req.on('timeout', () => req.destroy()).on('error', () => resolve(''));
  });
}

const relayed = options.upgrades === 'cut'
  ? openRelay(options.backend, { after: options['cut-after'], silently: options['cut-silently'] })
  : Promise.resolve(0);
relayed.then(start).then(port => ready({ port, accessLog: path.join(folder, 'access.log') }), error => {
  console.error(error);
  process.exit(1);
});

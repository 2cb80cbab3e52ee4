'use strict';

// Starts the Egg application in ./egg in this very process; flags and control API: README.md.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { keepStdoutClean, exitWithParent, ready, flags } = require('./lib/process');
const { createServer, Door } = require('./lib/door');
const { Shelf } = require('./lib/shelf');

keepStdoutClean();
exitWithParent();

const options = flags({
  host: '127.0.0.1',
  port: 0,
  path: '/ws',
  'ping-interval': 25000,
  'ping-timeout': 20000,
  'max-payload': 1e6,
  transports: 'polling,websocket',
  cert: undefined,
  key: undefined,
  'require-device-type': false,
  'sso-timeout': 60000,
  'refuse-delay': 100,
  'undo-event': 'CHAT_MESSAGE',
  'seed-names': false,
  data: undefined,
  redis: undefined,
});

// Egg writes logs/ and run/; each process gets its own place for them, gone with the process. One that was killed
// couldn't remove its own: the next one does.
sweep();
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), `im-egg-${process.pid}-`));
process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }));

// The way into config/config.default.js, which Egg loads by itself.
process.env.IM_EGG_OPTIONS = JSON.stringify({ ...options, scratch });
process.env.EGG_SERVER_ENV = 'prod';
process.env.EGG_HOME = scratch;

function sweep() {
  for (const name of fs.readdirSync(os.tmpdir())) {
    const [, pid] = /^im-egg-(\d+)-/.exec(name) || [];
    if (pid && !alive(Number(pid))) fs.rmSync(path.join(os.tmpdir(), name), { recursive: true, force: true });
  }
}

function alive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM'; // somebody else's
  }
}

async function start() {
  const app = await require('egg').start({ baseDir: path.join(__dirname, 'egg'), ignoreWarning: true });
  if (options.redis) app.im.shelf = await Shelf.open(options.redis);
  const server = createServer(options);
  const control = createServer({});
  app.im.door = new Door(server, options.host);
  const controlDoor = new Door(control, options.host);

  server.on('request', app.callback());
  control.on('request', app.callback());
  app.emit('server', server); // egg-socket.io attaches itself here
  app.im.attached(server);

  await Promise.all([app.im.door.open(options.port), controlDoor.open(0)]);
  ready({ port: app.im.door.port, controlPort: controlDoor.port });
}

start().catch(error => {
  console.error(error);
  process.exit(1);
});

'use strict';

// The official Socket.IO server of either generation; flags and control API: README.md.

const path = require('node:path');
const { keepStdoutClean, exitWithParent, ready, flags } = require('./lib/process');
const { createServer, Door } = require('./lib/door');
const { Gauge } = require('./lib/gauge');
const { Faults, sessionClassOf } = require('./lib/faults');
const { controlListener, faultActions } = require('./lib/control');
const { serve } = require('./socketio/events');
const { connections } = require('./socketio/connections');
const { serveChat, serveClusterChat } = require('./socketio/chat');
const { Shelf } = require('./lib/shelf');
const { guard } = require('./socketio/guard');

keepStdoutClean();
exitWithParent();

const options = flags({
  host: '127.0.0.1',
  port: 0,
  generation: 4,
  path: '/socket.io',
  'ping-interval': 25000,
  'ping-timeout': 20000,
  'max-payload': 1e6,
  'connect-delay': 0,
  transports: 'polling,websocket',
  parser: 'default',
  'no-upgrades': false,
  cookie: undefined,
  'per-message-deflate': false,
  recovery: 0,
  cert: undefined,
  key: undefined,
  'client-ca': undefined,
  'refuse-other-upgrades': 0,
  'swallow-other-upgrades': false,
  'refuse-eio4': false,
  redis: undefined,
});

const packageName = `socket.io-${options.generation}`;
if (![2, 4].includes(options.generation)) {
  console.error('--generation must be 2 or 4');
  process.exit(2);
}

if (options.recovery && options.generation !== 4) {
  console.error('--recovery needs generation 4');
  process.exit(2);
}
if (options.redis && options.generation !== 4) {
  console.error('--redis needs generation 4; egg.js is the cluster of generation 2');
  process.exit(2);
}
if (!['default', 'msgpack'].includes(options.parser)) {
  console.error('--parser must be default or msgpack');
  process.exit(2);
}

const parser = options.parser === 'msgpack' ? require(`socket.io-msgpack-parser-${options.generation}`) : undefined;
const gauge = new Gauge({ parser });
const server = createServer(options);
const control = createServer({});
const io = createIo();

// The namespaces come before `attach`: a 2.x server decides there, by the root's middleware, whether `40` goes out
// with the open packet or later.
for (const name of ['/', '/chat', '/sso', '/refused']) {
  const nsp = io.of(name);
  if (options['connect-delay']) nsp.use((socket, next) => setTimeout(next, options['connect-delay']));
  gauge.watchNamespace(nsp);
  serve(nsp, gauge);
}
io.of('/refused').use((socket, next) => {
  const error = new Error('refused by the server');
  if (options.generation === 4) error.data = { code: 42 };
  next(error);
});
if (!options.redis) serveChat(io.of('/chat'));

const engineOptions = {
  path: options.path,
  serveClient: false,
  transports: options.transports === 'both' ? ['polling', 'websocket'] : options.transports.split(','),
  allowUpgrades: !options['no-upgrades'],
  pingInterval: options['ping-interval'],
  pingTimeout: options['ping-timeout'],
  maxHttpBufferSize: options['max-payload'],
  destroyUpgrade: !options['swallow-other-upgrades'],
  // From the first byte on: a server compresses what is longer than 1 KiB by default.
  perMessageDeflate: options['per-message-deflate'] && { threshold: 0 },
  ...(options.cookie && { cookie: { name: options.cookie, path: '/', httpOnly: true, sameSite: 'lax' } }),
};

const door = new Door(server, options.host);
const controlDoor = new Door(control, options.host);

io.attach(server, engineOptions);
gauge.watchEngine(io.engine);
const Session = sessionClassOf(path.dirname(require.resolve(`${packageName}/package.json`)));
const faults = new Faults({ engine: io.engine, Session, door, gauge });

const actions = {
  'GET stats': () => gauge.report(),
  'GET connections': () => connections(io),
  'POST emit': ({ nsp = '/', event, args = [] }) => {
    io.of(nsp).emit(event, ...args);
    return {};
  },
  ...faultActions(faults, door),
};
// A stock server never answers an HTTP request that isn't its own; neither do we.
const stock = controlListener(actions, () => {});
server.on('request', (req, res) => req.url.startsWith(enginePrefix()) || stock(req, res));
guard(server, enginePrefix(), options);
gauge.watchServer(server, { upgrades: engineOptions.transports.includes('websocket') });
control.on('request', controlListener(actions, (req, res) => res.writeHead(404).end()));

function createIo() {
  const socketio = require(packageName);
  const own = {
    path: options.path,
    serveClient: false,
    ...(parser && { parser }),
    ...(options.recovery && { connectionStateRecovery: { maxDisconnectionDuration: options.recovery } }),
  };
  return options.generation === 4 ? new socketio.Server(own) : socketio(own);
}

function enginePrefix() {
  return `${options.path.replace(/\/$/, '')}/`;
}

/** One node of several, which share Redis. */
async function joinCluster() {
  const { createAdapter } = require('@socket.io/redis-adapter');
  const shelf = await Shelf.open(options.redis);
  const subscriber = shelf.client.duplicate();
  subscriber.on('error', error => console.error(error.message));
  await subscriber.connect();
  io.adapter(createAdapter(shelf.client, subscriber));
  serveClusterChat(io.of('/chat'), shelf);
}

const joined = options.redis ? joinCluster() : Promise.resolve();
joined.then(() => Promise.all([door.open(options.port), controlDoor.open(0)])).then(() => {
  ready({ port: door.port, controlPort: controlDoor.port });
}, error => {
  console.error(error);
  process.exit(1);
});

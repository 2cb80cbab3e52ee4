'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test, until, next, Server } = require('./harness');

const socketio = (generation, ...flags) => Server.start('socketio.js', '--generation', generation, ...flags);
const nginx = (backend, ...flags) => Server.start('nginx.js', '--backend', backend.port, ...flags);
const ask = (socket, event, ...args) => new Promise(resolve => socket.emit(event, ...args, (...reply) => resolve(reply)));

const requests = proxy => fs.readFileSync(proxy.accessLog, 'utf8').trim().split('\n').filter(Boolean).map(line => JSON.parse(line));
const upgrades = proxy => requests(proxy).filter(({ upgrade }) => upgrade === 'websocket');

async function echoes(socket) {
  assert.deepEqual(await ask(socket, 'echo', 'ä', [1]), ['ä', [1]]);
}

async function hostile(g) {
  const on = (name, body) => test(`nginx, v${g}: ${name}`, body);
  for (const [how, status] of [['stripped', 400], ['refused', 403]]) {
    await on(`upgrades ${how}: polling works, WebSocket never`, async () => {
      const backend = await socketio(g);
      const proxy = await nginx(backend, '--upgrades', how);
      const socket = proxy.client(g, '/chat');
      await next(socket, 'connect');
      await until(() => upgrades(proxy).length > 0);
      await echoes(socket);
      assert.deepEqual(upgrades(proxy).map(({ status: seen }) => seen), [status]);
      assert.equal((await backend.get('connections'))[0].transport, 'polling');
      await next(proxy.client(g, '/chat', { transports: ['websocket'] }), 'connect_error');
      assert.equal((await backend.stats()).upgrades, 0);
    });
  }

  await on('upgrades cut at once: polling works on', async () => {
    const backend = await socketio(g);
    const proxy = await nginx(backend, '--upgrades', 'cut');
    const socket = proxy.client(g, '/chat');
    await next(socket, 'connect');
    await until(() => upgrades(proxy).length > 0);
    await echoes(socket);
    assert.equal(upgrades(proxy)[0].status, 101);
    assert.equal((await backend.get('connections'))[0].transport, 'polling');
    // The official client takes no notice of a close before the open packet, other than by its timeout.
    await next(proxy.client(g, '/chat', { transports: ['websocket'], timeout: 500 }), 'connect_error');
  });

  await on('upgrades cut after some bytes: a WebSocket connects and is lost', async () => {
    const backend = await socketio(g);
    const proxy = await nginx(backend, '--upgrades', 'cut', '--cut-after', 2000);
    const socket = proxy.client(g, '/chat', { transports: ['websocket'] });
    await next(socket, 'connect');
    await echoes(socket);
    const gone = next(socket, 'disconnect');
    socket.emit('flood', 100, 100);
    assert.match((await gone)[0], /transport (close|error)/);
  });

  await on('upgrades cut silently: nothing passes, nothing is closed', async () => {
    const backend = await socketio(g, '--ping-interval', 200, '--ping-timeout', 300);
    const proxy = await nginx(backend, '--upgrades', 'cut', '--cut-after', 1500, '--cut-silently');
    const socket = proxy.client(g, '/chat', { transports: ['websocket'] });
    await next(socket, 'connect');
    const gone = next(socket, 'disconnect');
    socket.emit('flood', 100, 100);
    assert.equal((await gone)[0], 'ping timeout');
  });
}

async function kind(g) {
  const on = (name, body) => test(`nginx, v${g}: ${name}`, body);

  await on('upgrades passed: WebSocket at once, and by upgrade', async () => {
    const backend = await socketio(g);
    const proxy = await nginx(backend);
    for (const transports of [['websocket'], ['polling', 'websocket']]) {
      const socket = proxy.client(g, '/chat', { transports });
      await next(socket, 'connect');
      await until(() => socket.io.engine.transport.name === 'websocket');
      await echoes(socket);
    }
    await until(async () => (await backend.get('connections')).every(({ transport }) => transport === 'websocket'));
    assert.deepEqual((await backend.get('connections')).map(({ upgraded }) => upgraded).sort(), [false, true]);
  });

  await on('two backends: the cookie keeps a session at its own', async () => {
    const backends = [await socketio(g), await socketio(g)];
    const proxy = await nginx(backends[0], '--second', backends[1].port);
    const cookies = [];
    for (let n = 0; n < 4; n++) {
      const head = await fetch(`${proxy.url()}/socket.io/?EIO=${g === 4 ? 4 : 3}&transport=polling`);
      cookies.push(/route=\w+/.exec(head.headers.get('set-cookie'))[0]);
      const [, sid] = /"sid":"([^"]+)"/.exec(await head.text());
      const poll = cookie => fetch(`${proxy.url()}/socket.io/?EIO=${g === 4 ? 4 : 3}&transport=polling&sid=${sid}`, {
        method: 'POST', headers: cookie ? { cookie } : {}, body: g === 4 ? '40/chat,' : '8:40/chat,',
      });
      assert.equal((await poll(cookies[n])).status, 200);
      const other = cookies[n] === 'route=one' ? 'route=two' : 'route=one';
      assert.equal((await poll(other)).status, 400);
    }
    assert.deepEqual([...new Set(cookies)].sort(), ['route=one', 'route=two']);
    for (const backend of backends) assert.ok((await backend.stats()).engines > 0);
  });

  if (g === 4) {
    await on('two backends: a client that keeps cookies polls, one that does not fails', async () => {
      const backends = [await socketio(4), await socketio(4)];
      const proxy = await nginx(backends[0], '--second', backends[1].port);
      for (let n = 0; n < 4; n++) {
        const socket = proxy.client(4, '/chat', { transports: ['polling'], withCredentials: true });
        await next(socket, 'connect');
        await echoes(socket);
      }
      const forgetful = proxy.client(4, '/chat', { transports: ['polling'], withCredentials: false });
      await next(forgetful, 'connect_error');
    });
  }

  await on('ends with stdin, and nginx with it', async () => {
    const proxy = await nginx(await socketio(g));
    proxy.child.stdin.end();
    assert.deepEqual(await proxy.exited, { code: 0, signal: null });
    await until(() => fetch(proxy.url()).then(() => false, () => true));
    assert.equal(fs.existsSync(proxy.accessLog), false);
  });
}

module.exports = async () => {
  for (const g of [2, 4]) {
    await hostile(g);
    await kind(g);
  }
};

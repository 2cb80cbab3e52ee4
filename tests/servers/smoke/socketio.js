'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test, until, next, collect, Server, request, atEnd } = require('./harness');
const { Raw, upgradeByHand } = require('./wire');

const start = (generation, ...flags) => Server.start('socketio.js', '--generation', generation, ...flags);
const ask = (socket, event, ...args) => new Promise(resolve => socket.emit(event, ...args, (...reply) => resolve(reply)));

async function reply(socket, event, args, answer = event) {
  const got = next(socket, answer);
  socket.emit(event, ...args);
  return got;
}

async function connected(server, generation, nsp, options) {
  const socket = server.client(generation, nsp, options);
  await next(socket, 'connect');
  return socket;
}

async function bothGenerations() {
  for (const generation of [2, 4]) await oneGeneration(generation);
}

async function oneGeneration(g) {
  const on = (name, body) => test(`v${g}: ${name}`, body);
  const server = await start(g);
  const refusal = g === 4 ? 'connect_error' : 'error';

  for (const transport of ['websocket', 'polling']) {
    for (const nsp of ['/', '/chat', '/sso']) {
      await on(`echo, acks and the rest in ${nsp} over ${transport}`, async () => {
        const socket = await connected(server, g, nsp, { transports: [transport], query: { token: 'a b', userId: '1' } });
        assert.deepEqual(await reply(socket, 'echo', [1, 'x', { y: [null] }]), [1, 'x', { y: [null] }]);
        assert.deepEqual(await ask(socket, 'echo', 'a', 2), ['a', 2]);
        assert.deepEqual(await ask(socket, 'ack_twice', 7), [7]);
        assert.deepEqual(await ask(socket, 'slow_ack', 30, 'late'), ['late']);
        assert.deepEqual(await reply(socket, 'several', []), [1, 'two', { three: 3 }, [4], null]);
        assert.deepEqual(await reply(socket, 'no_args', []), []);
        assert.deepEqual((await reply(socket, 'unicode', []))[4], '\u0000\u001e\u007f');
        assert.deepEqual((await reply(socket, 'numbers', [])).slice(0, 7), [0, -0, -1, 0.1, 1.5e-7, 1e308, 5e-324]);
        assert.deepEqual(await reply(socket, 'tell', ['anything', 1, [2]], 'anything'), [1, [2]]);
        assert.deepEqual(Buffer.from((await reply(socket, 'echo', [Buffer.from([0, 4, 255])]))[0]), Buffer.from([0, 4, 255]));

        socket.once('question', (value, ack) => ack('re', value));
        assert.deepEqual(await reply(socket, 'ask', ['why'], 'answered'), ['re', 'why']);

        const bytes = Buffer.from([1, 255]);
        const described = ['x', { y: [{ hex: '01ff' }] }];
        assert.deepEqual(await ask(socket, 'describe', 'x', { y: [bytes] }), described);
        assert.deepEqual(await reply(socket, 'describe', ['x', { y: [bytes] }], 'described'), described);
        socket.once('question', (value, ack) => ack(value, 'and'));
        assert.deepEqual(await reply(socket, 'ask_binary', [bytes], 'described'), [{ hex: '01ff' }, 'and']);
        const held = await Promise.all([1, 2, 3].map(n => ask(socket, 'shuffle_ack', 3, n)));
        assert.deepEqual(held, [[1], [2], [3]]);
        assert.deepEqual(await ask(socket, 'alone_ack', 'a'), ['a', 1]);
        // Together they come by WebSocket, unless the machine is so busy that the first is answered before the second is read;
        // two POSTs may be further apart than the server waits.
        let both;
        await until(async () => {
          both = await Promise.all([ask(socket, 'alone_ack', 'b'), ask(socket, 'alone_ack', 'c')]);
          assert.deepEqual(both.map(([value]) => value), ['b', 'c']);
          return transport === 'polling' || both[0][1] === 2;
        });
        if (transport === 'websocket') assert.deepEqual(both, [['b', 2], ['c', 1]]);
        const tag = `${transport} ${nsp}`;
        socket.emit('nth_ack', 2, tag, () => assert.fail('the first is not acknowledged'));
        assert.deepEqual(await ask(socket, 'nth_ack', 2, tag), [tag, 2]);

        const [shake] = await reply(socket, 'handshake', []);
        assert.equal(shake.query.token, 'a b');
        assert.equal(shake.eio, g === 2 ? 3 : 4);
        assert.equal(shake.transport, transport);
        assert.equal(shake.id, socket.id);
      });
    }
  }

  await on('burst and flood come complete and in order', async () => {
    const socket = await connected(server, g, '/chat');
    const burst = collect(socket, 'burst');
    const flood = collect(socket, 'flood');
    socket.emit('burst', 300).emit('flood', 200, 2000);
    await until(() => burst.length === 300 && flood.length === 200);
    assert.ok(burst.every((n, i) => n === i) && flood.every(({ i, pad }, n) => i === n && pad.length === 2000));
  });

  await on('relay, tell_all and control/emit reach others', async () => {
    const one = await connected(server, g, '/chat');
    const two = await connected(server, g, '/chat');
    const other = await connected(server, g, '/sso');
    const heard = collect(two, 'hi');
    const notHere = collect(other, 'hi');
    one.emit('relay', two.id, 'hi', 'relayed');
    one.emit('tell_all', 'hi', 'to all');
    await until(() => heard.length === 2);
    await server.post('emit', { nsp: '/chat', event: 'hi', args: ['from control'] });
    await until(() => heard.length === 3);
    assert.deepEqual([...heard], ['relayed', 'to all', 'from control']);
    assert.equal(notHere.length, 0);
  });

  await on('silent never acks, raw sends anything', async () => {
    const socket = await connected(server, g, '/chat', { transports: ['websocket'] });
    let acked = 0;
    socket.emit('silent', () => acked++);
    assert.deepEqual(await reply(socket, 'raw', ['2/chat,["odd",1]'], 'odd'), [1]);
    await ask(socket, 'echo');
    assert.equal(acked, 0);
  });

  await on('the four ways to lose the connection', async () => {
    for (const [event, expected] of [
      ['disconnect_me', 'io server disconnect'], ['close_me', 'io server disconnect'],
      ['drop_me', 'transport close'], ['reset_me', /transport (close|error)/],
    ]) {
      for (const transport of ['websocket', 'polling']) {
        const socket = await connected(server, g, '/chat', { transports: [transport] });
        const [reason] = await reply(socket, event, [], 'disconnect');
        if (transport === 'websocket' || typeof expected === 'string') assert.match(reason, new RegExp(expected), event);
      }
    }
  });

  await on('/refused refuses with the text (and data)', async () => {
    const [error] = await next(server.client(g, '/refused'), refusal);
    if (g === 2) assert.equal(error, 'refused by the server');
    else assert.deepEqual([error.message, error.data], ['refused by the server', { code: 42 }]);
  });

  await on('two clients chat', async () => {
    const ann = await connected(server, g, '/chat', { query: { userId: 'ann' } });
    const bob = await connected(server, g, '/chat', { query: { userId: 'bob' } });
    const [ack, message] = [next(ann, 'to_ack'), next(bob, 'c_message')];
    ann.emit('to', { type: 1, from: 'ann', to: 'bob', content: 'hello', fp: 'f1', typeu: 1, time: 5 });
    const [{ code, data, meta }] = await ack;
    assert.deepEqual([code, data.action, data.payload.fp, data.payload.timelineId], [0, 'CHAT_TO_ACK', 'f1', 'ann@bob']);
    assert.equal(typeof meta.timestamp, 'number');
    assert.deepEqual((await message)[0].data.action, 'CHAT_MESSAGE');
    assert.deepEqual((await message)[0].data.payload.content, 'hello');
  });

  await on('polling upgrades to a WebSocket', async () => {
    const before = await server.stats();
    const socket = await connected(server, g, '/chat');
    const engine = socket.io.engine;
    await until(() => engine.transport.name === 'websocket');
    const after = await server.stats();
    assert.equal(after.upgrades, before.upgrades + 1);
    assert.match(after.upgradeUrls.at(-1), /^\/socket\.io\/\?.*EIO=[34].*transport=websocket.*sid=/);
    assert.ok(after.requests > before.requests);
  });

  await on('stats tell what came in', async () => {
    const fresh = await start(g, '--ping-interval', 50, '--ping-timeout', 5000);
    const socket = await connected(fresh, g, '/chat', { transports: ['websocket'] });
    await ask(socket, 'echo', 'x');
    const beat = g === 2 ? 'ping' : 'pong';
    const stats = await until(async () => {
      const now = await fresh.stats();
      return now.packetsReceived[beat] > 1 && now;
    });
    assert.equal(stats.engines, 1);
    assert.equal(stats.connectsNow['/chat'], 1);
    assert.equal(stats.connects['/'], g === 2 ? 1 : 0);
    assert.equal(stats.connectPackets.at(-1), '40/chat,');
    assert.deepEqual(stats.events, [{ nsp: '/chat', id: socket.id, name: 'echo', args: ['x'], ack: true }]);
    socket.close();
    const end = await until(async () => {
      const now = await fresh.stats();
      return now.enginesNow === 0 && now;
    });
    assert.equal(end.connectsNow['/chat'], 0);
    assert.equal(Object.values(end.disconnects['/chat'])[0], 1);
    assert.deepEqual(end.closes, { 'transport close': 1 });
  });

  await on('control: drop, reset, disconnect', async () => {
    for (const [name, body, expected] of [
      ['drop', {}, /transport close/], ['drop', { how: 'reset' }, /transport (close|error)/],
      ['disconnect', {}, /io server disconnect/], ['disconnect', { nsp: '/chat', close: false }, /io server disconnect/],
    ]) {
      const socket = await connected(server, g, '/chat', { transports: ['websocket'] });
      const gone = next(socket, 'disconnect');
      await server.post(name, body);
      assert.match((await gone)[0], expected);
    }
  });

  await on('control: stop and start listening on the same port', async () => {
    const own = await start(g);
    for (const viaMainPort of [false, true]) {
      const socket = await connected(own, g, '/chat', { transports: ['websocket'] });
      const gone = next(socket, 'disconnect');
      await own.control('POST', 'stop-listening', {}, viaMainPort ? own.port : own.controlPort);
      await gone;
      await until(() => request({ method: 'GET', port: own.port, path: '/control/stats' }).then(() => false, () => true));
      assert.deepEqual(await own.post('start-listening'), { port: own.port });
      await ask(await connected(own, g, '/chat'), 'echo');
    }
    await own.post('stop-listening', { forMs: 100 });
    await until(() => own.control('GET', 'stats', undefined, own.port).then(() => true, () => false));
  });

  await on('control: pause silences without closing, resume brings what was missed', async () => {
    const own = await start(g, '--ping-interval', 200, '--ping-timeout', 300);
    for (const transport of ['websocket', 'polling']) {
      const before = await own.stats();
      const quiet = await connected(own, g, '/chat', { transports: [transport] });
      const gone = next(quiet, 'disconnect');
      await own.post('pause');
      assert.deepEqual((await gone)[0], 'ping timeout');
      const early = next(own.client(g, '/chat', { transports: [transport] }), 'connect');
      await until(async () => (await own.stats()).engines === before.engines + 2);
      await own.post('resume');
      await early;
    }
    // A raw client doesn't mind silence; the server must not have closed it meanwhile.
    const raw = new Raw(`ws://127.0.0.1:${own.port}/socket.io/?EIO=${g === 2 ? 3 : 4}&transport=websocket`);
    await raw.frame(/^0/);
    raw.keepAlive(g, 50);
    raw.send('40/chat,');
    await raw.frame(/^40\/chat/);
    await own.post('pause');
    raw.keepAlive(null);
    raw.send('42/chat,["echo","kept"]');
    await until(async () => (await own.stats()).events.some(({ args }) => args[0] === 'kept'));
    await new Promise(resolve => setTimeout(resolve, 1000)); // twice what the server would wait
    assert.ok(raw.closed === null && !raw.frames.some(frame => /kept/.test(frame)));
    await own.post('resume');
    await raw.frame(/^42\/chat,\["echo","kept"\]/);
  });

  await on('connect-delay delays the answer to CONNECT (and the 40 of a v2 server)', async () => {
    const slow = await start(g, '--connect-delay', 300);
    let from = Date.now();
    const raw = new Raw(`ws://127.0.0.1:${slow.port}/socket.io/?EIO=4&transport=websocket`);
    await raw.frame(/^0/);
    if (g === 4) {
      from = Date.now();
      raw.send('40');
    }
    await raw.frame(/^40/);
    assert.ok(Date.now() - from >= 290);
    assert.equal(raw.frames.filter(frame => /^40/.test(frame)).length, 1);
    await connected(slow, g, '/chat');
  });

  await on('another path: silence and a close by default, 404 or nothing on request', async () => {
    const refusing = await start(g, '--refuse-other-upgrades', 404);
    const swallowing = await start(g, '--swallow-other-upgrades', '--path', '/ws');
    const at = (s, where) => upgradeByHand(s.port, `${where}/?EIO=4&transport=websocket`);
    const [plain, refused, swallowed] = [at(server, '/ws'), at(refusing, '/ws'), at(swallowing, '/socket.io')];
    await until(() => plain.ended && refused.ended);
    assert.equal(plain.text, '');
    assert.ok(plain.took >= 900, `${plain.took}`);
    assert.match(refused.text, /^HTTP\/1\.1 404 /);
    assert.ok(refused.took < plain.took, `${refused.took} ${plain.took}`);
    assert.deepEqual([swallowed.text, swallowed.ended], ['', false]);
    assert.equal((await refusing.stats()).upgrades, 1);
    assert.equal((await request({ method: 'GET', port: refusing.port, path: '/ws/?EIO=4&transport=polling' })).status, 404);
    await connected(refusing, g, '/chat');
    await connected(swallowing, g, '/chat', { path: '/ws' });
  });

  await on('refuse-eio4 answers 400 on both transports', async () => {
    const old = await start(g, '--refuse-eio4');
    const raw = new Raw(`ws://127.0.0.1:${old.port}/socket.io/?EIO=4&transport=websocket`);
    await until(() => raw.status === 400);
    assert.equal((await request({ method: 'GET', port: old.port, path: '/socket.io/?EIO=4&transport=polling' })).status, 400);
    if (g === 2) await ask(await connected(old, 2, '/chat'), 'echo');
  });

  await on('transports and max-payload', async () => {
    const strict = await start(g, '--transports', 'websocket', '--max-payload', 2000);
    const { status, text } = await request({ method: 'GET', port: strict.port, path: `/socket.io/?EIO=${g === 2 ? 3 : 4}&transport=polling` });
    assert.deepEqual([status, JSON.parse(text).code], [400, 0]);
    const socket = await connected(strict, g, '/chat', { transports: ['websocket'] });
    await reply(socket, 'echo', ['x'.repeat(3000)], 'disconnect');
  });

  await on('binary values both ways, in words, and with acks', async () => {
    for (const transport of ['websocket', 'polling']) {
      const socket = await connected(server, g, '/chat', { transports: [transport] });
      const sizes = value => (Buffer.isBuffer(value) ? value.length : value);
      const [first, { list }] = await ask(socket, 'binary');
      assert.deepEqual([first.length, list[0].length, list[1], sizes(list[2].deep)], [3, 0, 'x', 70000]);
      assert.equal((await reply(socket, 'binary', []))[1].list[2].deep[69999], 7);
      assert.deepEqual(await ask(socket, 'echo', [{ a: Buffer.from([9]) }], Buffer.from([8])), [[{ a: Buffer.from([9]) }], Buffer.from([8])]);
      socket.once('question', ({ one, two }, three, ack) => ack({ again: [one, ...two, three] }));
      const [{ again }] = await reply(socket, 'ask_nested', [], 'answered');
      assert.deepEqual(again.map(sizes), [1, 2, 1]);
      const [told] = await ask(socket, 'digest', { x: [Buffer.from('abc'), 1] });
      assert.deepEqual(told.x, [{ bytes: 3, sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' }, 1]);
    }
  });

  await on('control/connections tells transports and namespaces', async () => {
    const own = await start(g);
    const one = await connected(own, g, '/chat', { transports: ['polling'] });
    await next(one.io.socket('/sso'), 'connect');
    const other = await connected(own, g, '/chat');
    await until(() => other.io.engine.transport.name === 'websocket');
    const root = g === 2 ? ['/'] : [];
    const all = await until(async () => {
      const now = await own.get('connections');
      return now.some(({ upgraded }) => upgraded) && now;
    });
    assert.equal(all.length, 2);
    const [polling] = all.filter(({ transport }) => transport === 'polling');
    const [upgraded] = all.filter(({ transport }) => transport === 'websocket');
    assert.deepEqual(polling.sockets.map(({ nsp }) => nsp), [...root, '/chat', '/sso']);
    assert.deepEqual(upgraded.sockets.filter(({ nsp }) => nsp === '/chat').map(({ id }) => id), [other.id]);
    assert.deepEqual([polling.upgraded, upgraded.upgraded, polling.eio], [false, true, g === 2 ? 3 : 4]);
  });

  await on('--no-upgrades, --transports both', async () => {
    const still = await start(g, '--no-upgrades', '--transports', 'both');
    const socket = await connected(still, g, '/chat');
    await ask(socket, 'echo');
    await connected(still, g, '/chat', { transports: ['websocket'] });
    const stats = await still.stats();
    assert.deepEqual([socket.io.engine.transport.name, stats.upgrades], ['polling', 1]);
  });

  await on('--cookie', async () => {
    const sticky = await start(g, '--cookie', 'route');
    const answer = await fetch(`${sticky.url()}/socket.io/?EIO=${g === 2 ? 3 : 4}&transport=polling`);
    const [, sid] = /"sid":"([^"]+)"/.exec(await answer.text());
    assert.equal(answer.headers.get('set-cookie'), `route=${sid}; Path=/; HttpOnly; SameSite=Lax`);
  });

  await on('--per-message-deflate, where the client agrees', async () => {
    for (const [flags, agrees, expected] of [[['--per-message-deflate'], true, true], [['--per-message-deflate'], false, false], [[], true, false]]) {
      const own = await start(g, ...flags);
      const perMessageDeflate = agrees ? { threshold: 0 } : false;
      const socket = await connected(own, g, '/chat', { transports: ['websocket'], perMessageDeflate });
      await ask(socket, 'echo', 'x'.repeat(5000));
      assert.equal((await own.get('connections'))[0].deflate, expected);
    }
  });

  if (g === 4) {
    await on('--recovery brings what was missed, and the state', async () => {
      const own = await start(4, '--recovery', 60000);
      const socket = await connected(own, 4, '/chat', { transports: ['websocket'], reconnection: true, reconnectionDelay: 500 });
      const { id } = socket;
      const heard = collect(socket, 'news');
      await own.post('emit', { nsp: '/chat', event: 'news', args: [1] });
      await until(() => heard.length === 1);
      const gone = next(socket, 'disconnect');
      const back = next(socket, 'connect');
      await own.post('drop');
      await gone;
      await own.post('emit', { nsp: '/chat', event: 'news', args: [2] });
      await back;
      await until(() => heard.length === 2);
      assert.deepEqual(heard.map(args => (Array.isArray(args) ? args[0] : args)), [1, 2]);
      assert.deepEqual([socket.recovered, socket.id, (await ask(socket, 'handshake'))[0].recovered], [true, id, true]);
    });
  }

  await on('--parser msgpack', async () => {
    const parser = require(`socket.io-msgpack-parser-${g}`);
    const packed = await start(g, '--parser', 'msgpack');
    for (const transport of ['websocket', 'polling']) {
      const socket = await connected(packed, g, '/chat', { transports: [transport], parser });
      assert.deepEqual(await ask(socket, 'echo', 1, { a: [null, 'x'] }), [1, { a: [null, 'x'] }]);
    }
    const { connectPackets } = await packed.stats();
    assert.deepEqual(connectPackets.map(JSON.parse).map(({ type, nsp }) => [type, nsp]), [[0, '/chat'], [0, '/chat']]);
  });

  await on('https, with control in clear', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'im-smoke-'));
    atEnd(() => fs.rmSync(folder, { recursive: true }));
    const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost',
      '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const safe = await start(g, '--cert', cert, '--key', key);
    safe.url = nsp => `https://127.0.0.1:${safe.port}${nsp}`;
    for (const transport of ['websocket', 'polling']) {
      const socket = await connected(safe, g, '/chat', { transports: [transport], rejectUnauthorized: false });
      await ask(socket, 'echo');
      const gone = next(socket, 'disconnect');
      await safe.post('drop', { how: 'reset' });
      await gone;
    }
  });

  await on('nothing but the port line on stdout', async () => assert.equal(server.stdout.length, 1));
  await on('ends with stdin', async () => {
    server.child.stdin.end();
    assert.deepEqual(await server.exited, { code: 0, signal: null });
  });
  await on('ends on SIGTERM', async () => {
    const other = await start(g);
    other.child.kill('SIGTERM');
    assert.deepEqual(await other.exited, { code: 0, signal: null });
  });
}

module.exports = bothGenerations;

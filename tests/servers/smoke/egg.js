'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test, until, next, collect, Server, request, atEnd } = require('./harness');
const { Raw, upgradeByHand } = require('./wire');

const start = (...flags) => Server.start('egg.js', ...flags);

/** An IM client: the official 2.x one, with the envelopes of every event kept in `heard`. */
const EVENTS = ['im_error', 'qrlogin', 'to_ack', 'c_online', 'c_message', 'offline_message', 'history_message',
  'recent_conversation', 'to_reader', 'to_typing', 'to_undo', 'g_notice', 'sys_notice'];

async function join(server, nsp, query, options = {}) {
  const socket = server.client(2, nsp, { path: '/ws', transports: ['websocket'], query, ...options });
  socket.heard = {};
  for (const event of EVENTS) socket.heard[event] = collect(socket, event);
  socket.gone = next(socket, 'disconnect');
  socket.gone.catch(() => {});
  await next(socket, 'connect');
  return socket;
}

const user = (server, userId, more, options) => join(server, '/chat', { token: 't', userId, ...more }, options);

/** The n-th envelope of that event; checked for the shape that all of them have. */
async function envelope(socket, event, n = 0) {
  const got = await until(() => socket.heard[event][n], `${event} #${n}`);
  assert.equal(typeof got.meta.timestamp, 'number');
  assert.deepEqual(Object.keys(got.data), ['action', 'payload']);
  return got;
}
const payload = async (...args) => (await envelope(...args)).data.payload;

let fingerprints = 0;
function message(to, more) {
  return { type: 1, to, content: 'hello', fp: `fp${++fingerprints}`, typeu: 1, time: Date.now(), ...more };
}

/** Sends and waits for the acknowledgement; returns the stored message. */
async function send(socket, msg) {
  socket.emit('to', msg);
  return until(() => socket.heard.to_ack.map(e => e.data.payload).find(saved => saved.fp === msg.fp), 'to_ack');
}

/** Two round trips on the socket: whatever was sent before has been handled. */
async function settled(socket) {
  const before = socket.heard.recent_conversation.length;
  socket.emit('recent_conversation');
  await until(() => socket.heard.recent_conversation.length > before);
}

module.exports = async () => {
  const server = await start();
  const MOBILE = { deviceType: 'Mozilla/5.0 (iPhone; CPU iPhone OS 13_2)' };
  const on = (name, body) => test(`egg: ${name}`, body);

  await on('refuses bad queries: im_error, then the disconnect', async () => {
    for (const [nsp, query, code, msg] of [
      ['/sso', {}, 20002, 'Parameter absent'], ['/chat', {}, 20002, 'Parameter absent'],
      ['/chat', { token: 't' }, 20002, 'Parameter absent'], ['/chat', { userId: '1' }, 20002, 'Parameter absent'],
      ['/chat', { userId: '1', token: 'bad' }, 20001, 'Auth failed'],
      ['/chat', { userId: '1', token: 'expired' }, 20001, 'Auth failed'],
      ['/chat', { userId: '1', token: 'relogin' }, 401, 'Re login'],
    ]) {
      const socket = await join(server, nsp, query);
      const error = await envelope(socket, 'im_error');
      assert.deepEqual([error.code, error.meta.msg, error.data], [code, msg, { action: 'IMERROR', payload: null }]);
      assert.deepEqual(await socket.gone, ['io server disconnect']);
    }
    const strict = await start('--require-device-type', '--refuse-delay', 0);
    assert.equal((await envelope(await user(strict, '1'), 'im_error')).code, 20002);
    const fine = await user(strict, '1', { deviceType: 'desktop' });
    await payload(fine, 'c_online');
    assert.equal(fine.heard.im_error.length, 0);
  });

  await on('the error is on the wire before the answer to CONNECT', async () => {
    const raw = new Raw(`ws://127.0.0.1:${server.port}/ws/?EIO=4&transport=websocket`);
    await raw.frame(/^40$/);
    raw.send('40/chat,');
    await raw.frame(/^41\/chat/);
    await until(() => raw.closed !== null);
    const order = raw.frames.map(frame => frame.slice(0, 8)).filter(frame => frame.includes('/chat'));
    assert.deepEqual(order, ['42/chat,', '40/chat,', '41/chat,']);
  });

  await on('presence', async () => {
    const ann = await user(server, 'ann');
    assert.deepEqual(await payload(ann, 'c_online'), { type: 'online', current: 'ann', clients: ['ann'] });
    assert.equal((await envelope(ann, 'c_online')).data.action, 'CHAT_ONLINE');
    const bob = await user(server, 'bob');
    assert.deepEqual(await payload(ann, 'c_online', 1), { type: 'online', current: 'bob', clients: ['ann', 'bob'] });
    bob.close();
    assert.deepEqual(await payload(ann, 'c_online', 2), { type: 'offline', current: 'bob', clients: ['ann'] });
  });
  await until(async () => (await server.stats()).enginesNow === 0);

  await on('messages: to, to_ack, c_message, sync, to oneself', async () => {
    for (const transport of ['websocket', 'polling']) {
      const [ann, bob] = [await user(server, 'ann', {}, { transports: [transport] }), await user(server, 'bob')];
      const annMobile = await user(server, 'ann', MOBILE);
      const msg = message('bob', { content: 'hé 😀' });
      const saved = await send(ann, msg);
      assert.deepEqual([saved.from, saved.timelineId, saved.fp, saved.content], ['ann', 'ann@bob', msg.fp, 'hé 😀']);
      for (const field of ['_id', 'sequenceId', 'send_time']) assert.ok(saved[field]);
      const got = await envelope(bob, 'c_message');
      assert.deepEqual([got.data, got.meta.sync], [{ action: 'CHAT_MESSAGE', payload: saved }, undefined]);
      const copy = await envelope(annMobile, 'c_message');
      assert.deepEqual([copy.data.payload, copy.meta.sync], [saved, true]);

      await send(ann, message('ann'));
      for (const typeu of [3, 4, -1, undefined]) ann.emit('to', message('bob', { typeu }));
      ann.emit('to', { typeu: 1 });
      assert.equal((await envelope(ann, 'im_error')).code, 20002);
      await settled(ann);
      assert.deepEqual([ann.heard.to_ack.length, ann.heard.c_message.length, bob.heard.c_message.length], [2, 0, 1]);
      for (const socket of [ann, bob, annMobile]) socket.close();
    }
  });

  await on('a message sent twice is stored twice', async () => {
    const ann = await user(server, 'ann');
    const msg = message('nobody');
    ann.emit('to', msg).emit('to', msg);
    await until(() => ann.heard.to_ack.length === 2);
    const stored = (await server.get('messages')).filter(({ fp }) => fp === msg.fp);
    assert.equal(stored.length, 2);
    assert.notEqual(stored[0]._id, stored[1]._id);
  });

  await on('offline messages until the receipt, single or as {data}', async () => {
    const ann = await user(server, 'ann');
    const sent = [];
    for (let i = 0; i < 3; i++) sent.push((await send(ann, message('carl')))._id);
    const carl = await user(server, 'carl');
    carl.emit('offline_message');
    const list = await payload(carl, 'offline_message');
    assert.deepEqual(list.map(({ _id }) => _id), sent);
    carl.emit('c_message_ack', list[0]).emit('offline_message');
    assert.equal((await payload(carl, 'offline_message', 1)).length, 2);
    carl.emit('c_message_ack', { data: list }).emit('offline_message');
    assert.deepEqual(await payload(carl, 'offline_message', 2), []);
    assert.equal((await envelope(carl, 'offline_message', 2)).data.action, 'CHAT_PULL_OFFLINE_MESSAGE');
    const stored = (await server.get('messages')).filter(({ _id }) => sent.includes(_id));
    assert.ok(stored.every(({ delivered }) => delivered));
  });

  await on('history and recent conversations', async () => {
    const [dora, erik] = [await user(server, 'dora'), await user(server, 'erik')];
    const ids = [];
    for (let i = 0; i < 12; i++) {
      const [from, to] = i % 2 ? [erik, 'dora'] : [dora, 'erik'];
      ids.unshift((await send(from, message(to)))._id);
    }
    const ask = query => dora.emit('history_message', { timelineId: 'dora@erik', typeu: 1, ...query });
    const pages = async n => (await payload(dora, 'history_message', n)).map(({ _id }) => _id);
    ask({});
    assert.deepEqual(await pages(0), ids.slice(0, 10));
    ask({ messageId: ids[9] });
    assert.deepEqual(await pages(1), ids.slice(10));
    ask({ limit: 3, timelineId: 'erik@dora' });
    assert.deepEqual(await pages(2), ids.slice(0, 3));
    ask({ timelineId: 'ann@bob' });
    assert.equal((await envelope(dora, 'im_error')).code, 20001);
    ask({ timelineId: undefined });
    assert.equal((await envelope(dora, 'im_error', 1)).code, 20002);
    dora.emit('recent_conversation');
    const [only] = await payload(dora, 'recent_conversation');
    assert.deepEqual([only.to, only.unread, only.message._id], ['erik', 6, ids[0]]);
  });

  await on('read receipts: pushed, or kept for readed_message', async () => {
    const [fred, gina] = [await user(server, 'fred'), await user(server, 'gina')];
    const { _id, fp } = await send(fred, message('gina'));
    const expected = [{ _id, timelineId: 'fred@gina', typeu: 1, readed: true, fp }];
    gina.emit('to_reader', await payload(gina, 'c_message'));
    assert.deepEqual(await payload(fred, 'to_reader'), expected);
    assert.equal((await envelope(fred, 'to_reader')).data.action, 'CHAT_TO_READED');
    fred.close();
    await until(() => gina.heard.c_online.some(({ data }) => data.payload.type === 'offline' && data.payload.current === 'fred'));
    gina.emit('to_reader', { _id });
    await settled(gina);
    const again = await user(server, 'fred');
    again.emit('readed_message').emit('readed_message');
    assert.deepEqual(await payload(again, 'to_reader'), expected);
    assert.deepEqual(await payload(again, 'to_reader', 1), []);
  });

  await on('typing and recall', async () => {
    const [hugo, ines] = [await user(server, 'hugo'), await user(server, 'ines')];
    hugo.emit('to_typing', { to: 'ines', typeu: 2 }).emit('to_typing', { to: 'ines', typeu: 1 });
    assert.deepEqual(await payload(ines, 'to_typing'), { timelineId: 'hugo@ines', from: 'hugo' });
    const text = await send(hugo, message('ines'));
    const image = await send(hugo, message('ines', { type: 2 }));
    ines.emit('to_undo', text); // not hers
    await settled(ines);
    hugo.emit('to_undo', text).emit('to_undo', { fp: image.fp });
    for (const [socket, first] of [[ines, 2], [hugo, 0]]) {
      const recalled = [await payload(socket, 'c_message', first), await payload(socket, 'c_message', first + 1)];
      assert.deepEqual(recalled.map(({ type, fp }) => [type, fp]), [[10, text.fp], [21, image.fp]]);
    }
    assert.deepEqual([ines.heard.to_typing.length, ines.heard.c_message.length], [1, 4]);

    const other = await start('--undo-event', 'CHAT_TO_UNDO');
    const jan = await user(other, 'jan');
    jan.emit('to_undo', await send(jan, message('kim')));
    assert.deepEqual((await envelope(jan, 'to_undo')).data.action, 'CHAT_TO_UNDO');
  });

  await on('groups', async () => {
    const [lea, max, noa] = [await user(server, 'lea'), await user(server, 'max'), await user(server, 'noa')];
    const group = body => server.post('group', { groupId: 'g1', whoami: 'lea', ...body });
    lea.emit('to', message('g1', { typeu: 2 }));
    assert.equal((await envelope(lea, 'im_error')).code, 20003);
    await group({ type: 'create', members: ['lea', 'max', 'olaf'] });
    assert.deepEqual(await payload(max, 'g_notice'), { type: 'create', whoami: 'lea', groupId: 'g1', result: { groupId: 'g1', members: ['lea', 'max', 'olaf'] } });
    const saved = await send(lea, message('g1', { typeu: 2 }));
    assert.deepEqual(await payload(max, 'c_message'), saved);
    const olaf = await user(server, 'olaf');
    olaf.emit('offline_message').emit('history_message', { timelineId: 'lea@g1', typeu: 2 });
    assert.deepEqual(await payload(olaf, 'offline_message'), [saved]);
    assert.deepEqual(await payload(olaf, 'history_message'), [saved]);
    await send(max, message('g1', { typeu: 2 }));
    await payload(olaf, 'c_message'); // joined the room on arrival
    noa.emit('to', message('g1', { typeu: 2 })).emit('history_message', { timelineId: 'lea@g1', typeu: 2 });
    assert.deepEqual([(await envelope(noa, 'im_error')).code, (await envelope(noa, 'im_error', 1)).code], [20003, 20001]);
    await group({ type: 'update', members: ['lea', 'noa'] });
    assert.deepEqual((await payload(max, 'g_notice', 1)).updateResult, { groupId: 'g1', members: ['lea', 'noa'] });
    await group({ type: 'destroy' });
    assert.equal((await payload(noa, 'g_notice', 1)).type, 'destroy');
    max.emit('to', message('g1', { typeu: 2 }));
    await envelope(max, 'im_error');
    assert.equal(noa.heard.c_message.length, 0);
  });

  await on('the same device class kicks out, the other does not', async () => {
    const first = await user(server, 'paul', { deviceType: 'desktop' });
    const mobile = await user(server, 'paul', MOBILE);
    const second = await user(server, 'paul', { deviceType: 'desktop' });
    const error = await envelope(first, 'im_error');
    assert.deepEqual([error.code, error.meta.msg], [20004, 'you are sign in on other device']);
    assert.deepEqual(await first.gone, ['io server disconnect']);
    await settled(mobile);
    await settled(second);
    const mobileAgain = await user(server, 'paul', {}, { transportOptions: { websocket: { extraHeaders: { 'User-Agent': 'Android' } } } });
    await mobile.gone;
    assert.equal(second.heard.im_error.length, 0);
    assert.ok(mobileAgain.connected && second.connected);
    assert.ok(second.heard.c_online.every(({ data }) => data.payload.type === 'online' || data.payload.current !== 'paul'));
  });

  await on('sso: ping, the scan, the time limit', async () => {
    const socket = await join(server, '/sso', { device_id: 'd1' });
    socket.emit('qrlogin', 'ping');
    const pong = await envelope(socket, 'qrlogin');
    assert.deepEqual([pong.code, pong.data], [0, { action: 'SSO_QRLOGIN', payload: 'pong' }]);
    assert.deepEqual(await server.post('qrlogin', { device_id: 'd1', code: 0, token: 'tk' }), { sent: 1 });
    assert.deepEqual(await payload(socket, 'qrlogin', 1), { token: 'tk' });
    await server.post('qrlogin', { device_id: 'd1', code: 1 });
    const failed = await envelope(socket, 'qrlogin', 2);
    assert.deepEqual([failed.code, failed.data.payload], [1, {}]);
    const short = await start('--sso-timeout', 50);
    assert.deepEqual(await (await join(short, '/sso', { device_id: 'd1' })).gone, ['io server disconnect']);
  });

  await on('both namespaces on one connection keep apart', async () => {
    const query = { token: 't', userId: 'rita', device_id: 'd2' };
    const chat = await user(server, 'rita', query);
    const sso = chat.io.socket('/sso', { query });
    atEnd(() => sso.close());
    const pongs = collect(sso, 'qrlogin');
    await next(sso, 'connect');
    for (let i = 0; i < 20; i++) {
      sso.emit('qrlogin', 'ping');
      chat.emit('to', message('nobody'));
    }
    await until(() => pongs.length === 20 && chat.heard.to_ack.length === 20);
    assert.equal(chat.heard.qrlogin.length, 0);
  });

  await on('control: sys, emit, error, drop, stats', async () => {
    const sara = await user(server, 'sara');
    await server.post('sys', { to: 'sara', payload: { a: 1 } });
    await server.post('sys', { payload: 'all' });
    assert.deepEqual([await payload(sara, 'sys_notice'), await payload(sara, 'sys_notice', 1)], [{ a: 1 }, 'all']);
    const odd = collect(sara, 'odd');
    await server.post('emit', { nsp: '/chat', userId: 'sara', event: 'odd', args: [1, 2] });
    await server.post('emit', { nsp: '/chat', event: 'odd', args: [3] });
    await until(() => odd.length === 2);
    assert.deepEqual([...odd], [[1, 2], 3]);
    assert.deepEqual(await server.post('error', { userId: 'sara', code: 401 }), { sent: 1 });
    assert.equal((await envelope(sara, 'im_error')).code, 401);
    await settled(sara);
    await server.post('error', { userId: 'sara', code: 20001, disconnectAfterMs: 10 });
    assert.deepEqual(await sara.gone, ['io server disconnect']);
    const tom = await user(server, 'tom');
    await server.post('error', { userId: 'tom', code: 20004, transportOnly: true });
    assert.equal((await envelope(tom, 'im_error')).code, 20004);
    assert.deepEqual(await tom.gone, ['transport close']);
    const una = await user(server, 'una');
    una.emit('offline_message').emit('whatever', 1);
    await settled(una);
    const stats = await server.control('GET', 'stats', undefined, server.port);
    assert.deepEqual(stats.events.slice(-3).map(({ name, args }) => [name, args]), [['offline_message', []], ['whatever', [1]], ['recent_conversation', []]]);
    assert.match(stats.upgradeUrls.at(-1), /^\/ws\/\?token=t&userId=una&EIO=3&transport=websocket/);
    assert.match(stats.connectPackets.at(-1), /^40\/chat\?token=t&userId=una/);
    assert.ok(stats.engines > 10 && stats.connects['/chat'] > 10 && stats.connectsNow['/chat'] >= 1);
    await server.control('POST', 'drop', {}, server.port);
    assert.deepEqual(await una.gone, ['transport close']);
  });

  await on('control: pause, resume, stop and start listening', async () => {
    const vera = await user(server, 'vera');
    await server.post('pause');
    vera.emit('recent_conversation');
    await until(async () => (await server.stats()).events.at(-1).name === 'recent_conversation');
    assert.equal(vera.heard.recent_conversation.length, 0);
    await server.post('resume');
    await payload(vera, 'recent_conversation');
    await server.control('POST', 'stop-listening', {}, server.port);
    assert.match((await vera.gone)[0], /transport/);
    await server.post('start-listening');
    await settled(await user(server, 'vera'));
    assert.equal((await request({ method: 'POST', port: server.port, path: '/control/nonsense' }, {})).status, 404);
  });

  await on('--data: on the disk before the to_ack, even if the process is killed', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'im-smoke-'));
    atEnd(() => fs.rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'messages');
    const own = await start('--data', file);
    const walt = await user(own, 'walt');
    walt.on('to_ack', ({ data }) => data.payload.content === 'last' && own.child.kill('SIGKILL'));
    for (let i = 0; i < 50; i++) walt.emit('to', message('xeno'));
    walt.emit('to', message('xeno', { content: 'last' }));
    await own.exited;
    const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n').map(line => JSON.parse(line));
    assert.equal(lines.length, 51);
    assert.equal(lines[50].content, 'last');
  });

  await on('--seed-names: the constants as event names', async () => {
    const seed = await start('--seed-names');
    const yves = seed.client(2, '/chat', { path: '/ws', query: { token: 't', userId: 'yves' } });
    assert.equal((await next(yves, 'CHAT_ONLINE'))[0].data.action, 'CHAT_ONLINE');
    const ack = next(yves, 'CHAT_TO_ACK');
    yves.emit('CHAT_TO', message('zoe', { fp: 'seed' }));
    assert.equal((await ack)[0].data.payload.fp, 'seed');
  });

  await on('EIO=4 asked of it is served as v2, another path is closed silently', async () => {
    const raw = new Raw(`ws://127.0.0.1:${server.port}/ws/?EIO=4&transport=websocket&token=t&userId=raw`);
    await raw.frame(/^40$/);
    raw.send('40/chat,');
    await raw.frame(/^40\/chat,$/);
    await raw.frame(/^42\/chat,\["c_online"/);
    const seen = upgradeByHand(server.port, '/socket.io/?EIO=4&transport=websocket');
    await until(() => seen.ended);
    assert.equal(seen.text, '');
    assert.equal((await request({ method: 'GET', port: server.port, path: '/socket.io/?EIO=4&transport=polling' })).status, 404);
  });

  await on('several at once, nothing left behind', async () => {
    const source = () => fs.readdirSync(path.join(__dirname, '..', 'egg'), { recursive: true }).join();
    const before = source();
    const servers = await Promise.all([start(), start(), start()]);
    const left = () => fs.readdirSync(os.tmpdir())
      .filter(name => servers.some(({ child }) => name.startsWith(`im-egg-${child.pid}-`))).length;
    assert.equal(left(), 3);
    for (const own of servers) await settled(await user(own, 'ann'));
    servers[0].child.stdin.end();
    servers[1].child.kill('SIGTERM');
    servers[2].child.stdin.destroy();
    for (const own of servers) {
      assert.deepEqual(await own.exited, { code: 0, signal: null });
      assert.equal(own.stdout.length, 1);
    }
    assert.deepEqual([left(), source()], [0, before]);
  });

  await on('engine flags', async () => {
    const own = await start('--path', '/im', '--transports', 'websocket', '--ping-interval', 123, '--ping-timeout', 456);
    const raw = new Raw(`ws://127.0.0.1:${own.port}/im/?EIO=3&transport=websocket`);
    const { pingInterval, pingTimeout } = JSON.parse((await raw.frame(/^0/)).slice(1));
    assert.deepEqual([pingInterval, pingTimeout], [123, 456]);
    assert.equal((await request({ method: 'GET', port: own.port, path: '/im/?EIO=3&transport=polling' })).status, 400);
  });

  await on('ends with stdin', async () => {
    server.child.stdin.end();
    assert.deepEqual(await server.exited, { code: 0, signal: null });
  });
};

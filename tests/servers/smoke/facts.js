'use strict';

// What the wire notes say, seen on the official servers.

const assert = require('node:assert/strict');
const { test, until, Server, request } = require('./harness');
const { Raw } = require('./wire');

const start = (generation, ...flags) => Server.start('socketio.js', '--generation', generation, ...flags);

/** What the wire notes say of a client that doesn't know the generation. */
async function wireFacts() {
  const v2 = await start(2);
  const v4 = await start(4);
  const at = (server, eio) => new Raw(`ws://127.0.0.1:${server.port}/socket.io/?EIO=${eio}&transport=websocket`);
  const poll = (server, eio) => request({ method: 'GET', port: server.port, path: `/socket.io/?EIO=${eio}&transport=polling` });

  await test('wire: v2 asked with EIO=4 over WebSocket serves v2', async () => {
    const raw = at(v2, 4);
    assert.equal('maxPayload' in JSON.parse((await raw.frame(/^0/)).slice(1)), false);
    await raw.frame(/^40$/);
    raw.send('40/chat,');
    assert.equal(await raw.frame(/^40\/chat/), '40/chat,'); // no sid
    raw.send('42/chat,0["echo","x"]');
    await raw.frame(/^43\/chat,0\["x"\]/);
    raw.send('2');
    await raw.frame(/^3$/);
  });
  await test('wire: v2 takes auth in CONNECT, too', async () => {
    const raw = at(v2, 4);
    await raw.frame(/^40$/);
    raw.send('40/chat,{"token":"x"}');
    assert.equal(await raw.frame(/^40\/chat/), '40/chat,');
  });
  await test('wire: v2 asked with EIO=4 over polling answers in its own form', async () => {
    const { status, text } = await poll(v2, 4);
    assert.equal(status, 200);
    assert.match(text, /^\d+:0\{.*\}2:40$/);
  });
  await test('wire: a bare Engine.IO open makes a root socket on v2', async () => {
    const before = (await v2.stats()).connects['/'];
    await at(v2, 3).frame(/^40$/);
    assert.equal((await v2.stats()).connects['/'], before + 1);
  });
  await test('wire: two CONNECTs make two server-side sockets on v2', async () => {
    const before = (await v2.stats()).connects['/chat'];
    const raw = at(v2, 3);
    await raw.frame(/^40$/);
    raw.send('40/chat,');
    raw.send('40/chat?x=1,');
    await until(async () => (await v2.stats()).connects['/chat'] === before + 2);
  });
  await test('wire: v4 gives maxPayload and a sid', async () => {
    const raw = at(v4, 4);
    assert.equal(JSON.parse((await raw.frame(/^0/)).slice(1)).maxPayload, 1e6);
    raw.send('40/chat,');
    assert.match(await raw.frame(/^40\/chat/), /^40\/chat,\{"sid":/);
  });
  await test('wire: v4 closes everything on a second CONNECT', async () => {
    const raw = at(v4, 4);
    await raw.frame(/^0/);
    raw.send('40/chat,');
    await raw.frame(/^40\/chat/);
    raw.send('40/chat,');
    await until(() => raw.closed !== null);
  });
  await test('wire: v4 answers the v2 form of CONNECT with Invalid namespace', async () => {
    const raw = at(v4, 4);
    await raw.frame(/^0/);
    raw.send('40/chat?token=x,');
    assert.equal(await raw.frame(/^44/), '44/chat?token=x,{"message":"Invalid namespace"}');
  });
  await test('wire: v4 closes on a ping', async () => {
    const raw = at(v4, 4);
    await raw.frame(/^0/);
    raw.send('2');
    await until(() => raw.closed !== null);
  });
  await test('wire: v4 refuses EIO=3', async () => {
    const { status, text } = await poll(v4, 3);
    assert.deepEqual([status, JSON.parse(text)], [400, { code: 5, message: 'Unsupported protocol version' }]);
    const raw = at(v4, 3);
    await until(() => raw.error || raw.closed !== null);
    assert.equal(raw.frames.length, 0);
  });
  await test('wire: v2 takes no notice of a binary frame of no packet type, and so of a CONNECT by msgpack for v4', async () => {
    const packed = await start(2, '--parser', 'msgpack');
    const raw = at(packed, 4);
    await raw.frame(/^4\{"type":0,"nsp":"\/"\}$/);
    raw.send(Buffer.from('82a47479706500a36e7370a52f63686174', 'hex'));
    raw.send('4{"type":0,"nsp":"/chat"}');
    await raw.frame(/^4\{"type":0,"nsp":"\/chat"\}$/);
    const stats = await packed.stats();
    assert.deepEqual([stats.connects['/chat'], stats.connectPackets], [1, ['{"type":0,"nsp":"/chat"}']]);
  });
  await test('the processes end', async () => {
    v2.child.stdin.end();
    v4.child.stdin.end();
    await Promise.all([v2.exited, v4.exited]);
  });
}

module.exports = wireFacts;

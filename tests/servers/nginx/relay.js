'use strict';

// Stands between nginx and a backend for upgraded connections, and ends each after so many bytes.

const net = require('node:net');

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Opens a relay to the backend; gives its port. `after`: bytes that pass behind the backend's 101, both ways together; 0 ends
 * the connection at once. `silently`: nothing passes any more, but nothing is closed either.
 */
function openRelay(backend, { after, silently }) {
  const server = net.createServer(near => {
    const far = net.connect(backend, '127.0.0.1');
    const link = { near, far, left: after, over: false, silently };
    for (const side of [near, far]) {
      side.on('error', () => {});
      side.on('close', () => {
        near.destroy();
        far.destroy();
      });
    }
    far.on('data', firstAnswer(link));
    near.on('data', data => pass(link, far, data));
  });
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}

/** Passes the answer's head for nothing; what follows it counts. */
function firstAnswer(link) {
  let head = Buffer.alloc(0);
  return data => {
    if (head === null) return pass(link, link.near, data);
    head = Buffer.concat([head, data]);
    const end = head.indexOf(HEAD_END);
    if (end < 0) return;
    const [answer, rest] = [head.subarray(0, end + 4), head.subarray(end + 4)];
    head = null;
    link.upgraded = true;
    link.near.write(answer, () => pass(link, link.near, rest));
  };
}

function pass(link, to, data) {
  if (link.over) return;
  if (!link.upgraded) return to.write(data); // the request
  const now = data.subarray(0, link.left);
  link.left -= now.length;
  link.over = link.left === 0;
  to.write(now, () => {
    if (link.over && !link.silently) link.near.destroy();
  });
}

module.exports = { openRelay };

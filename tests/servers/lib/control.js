'use strict';

// GET/POST /control/<name> with JSON both ways. `actions` maps "GET stats" to an async function of the body.

async function readJson(req) {
  let text = '';
  req.setEncoding('utf8');
  for await (const chunk of req) text += chunk;
  return text ? JSON.parse(text) : {};
}

function answer(res, status, text) {
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  res.end(text);
}

/** Returns a request listener; a request that isn't for /control/ goes to `otherwise`. */
function controlListener(actions, otherwise) {
  return async (req, res) => {
    const { pathname } = new URL(req.url, 'http://localhost');
    if (!pathname.startsWith('/control/')) return otherwise(req, res);
    const action = actions[`${req.method} ${pathname.slice('/control/'.length)}`];
    if (!action) return answer(res, 404, '{"error":"no such control"}');
    try {
      const result = await action(await readJson(req), req, res);
      answer(res, 200, typeof result === 'string' ? result : JSON.stringify(result));
    } catch (error) {
      answer(res, 400, JSON.stringify({ error: error.message }));
    }
  };
}

/** The faults that both servers offer. */
function faultActions(faults, door) {
  return {
    'POST drop': body => faults.drop(body),
    'POST disconnect': body => faults.disconnect(body),
    'POST pause': () => faults.pause(),
    'POST resume': () => faults.resume(),
    'POST start-listening': () => faults.startListening(),
    'POST stop-listening': (body, req, res) => {
      if (!door.owns(req.socket)) return faults.stopListening(body);
      // Asked through the very door that is to be shut: the answer has to leave first.
      res.once('finish', () => faults.stopListening(body));
      res.setHeader('Connection', 'close');
      return {};
    },
  };
}

module.exports = { controlListener, faultActions };

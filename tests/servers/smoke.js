'use strict';

// Proves that the servers do what README.md says, with the official clients. `npm test`

const { finish } = require('./smoke/harness');

(async () => {
  await require('./smoke/socketio')();
  await require('./smoke/facts')();
  await require('./smoke/egg')();
  await require('./smoke/nginx')();
  finish();
})();

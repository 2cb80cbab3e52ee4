'use strict';

const { WIRE_NAMES } = require('../../lib/im');

/** The event name for a constant: the wire name, or, as in a server written from the seed alone, the constant. */
function nameOf(app, constant) {
  return app.config.im['seed-names'] ? constant : WIRE_NAMES[constant];
}

module.exports = { nameOf };

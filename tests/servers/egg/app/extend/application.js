'use strict';

const path = require('node:path');
const { Gauge } = require('../../../lib/gauge');
const { Faults, sessionClassOf } = require('../../../lib/faults');

const IM = Symbol('Application#im');

/** The state of this process. The services are made anew for every event, so they keep theirs here. */
class ImState {
  constructor(app) {
    this.app = app;
    this.gauge = new Gauge();
    this.users = new Map(); // user id -> set of /chat sockets
    this.devices = new Map(); // device_id -> set of /sso sockets
    this.groups = new Map(); // group id -> set of user ids
    this.messages = []; // everything stored, oldest first
    this.shelf = undefined; // where the nodes of a cluster keep the messages
    this.receipts = new Map(); // author -> read receipts that could not be pushed
  }

  /** Called once the HTTP server exists and egg-socket.io sits on it. */
  attached(server) {
    const { engine } = this.app.io;
    const home = path.dirname(require.resolve('socket.io/package.json', {
      paths: [require.resolve('egg-socket.io/package.json')],
    }));
    this.gauge.watchServer(server);
    this.gauge.watchEngine(engine);
    this.faults = new Faults({ engine, Session: sessionClassOf(home), door: this.door, gauge: this.gauge });
  }
}

module.exports = {
  get im() {
    if (!this[IM]) this[IM] = new ImState(this);
    return this[IM];
  },
};

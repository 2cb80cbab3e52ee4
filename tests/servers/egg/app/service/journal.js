'use strict';

const fs = require('node:fs');
const { Service } = require('egg');

const FILE = Symbol('Application#journal');

class JournalService extends Service {
  /**
   * On the disk before this returns: a `to_ack` that anybody saw is a promise, and a test may kill the process right
   * after it. Synchronous, so that acknowledgements keep the order of the messages.
   */
  append(view) {
    const { data } = this.config.im;
    if (!data) return;
    if (this.app[FILE] === undefined) this.app[FILE] = fs.openSync(data, 'a');
    fs.writeSync(this.app[FILE], `${JSON.stringify(view)}\n`);
    fs.fsyncSync(this.app[FILE]);
  }
}

module.exports = JournalService;

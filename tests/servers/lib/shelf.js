'use strict';

// The messages of a cluster: in Redis, where every node finds them.

const { createClient } = require('redis-4');

const ALL = 'im:messages';
const pendingOf = user => `im:pending:${user}`;

class Shelf {
  /** `address` is "host:port". */
  static async open(address) {
    const client = createClient({ url: `redis://${address}` });
    // The tests end Redis together with the nodes; what a node needs of it fails by itself.
    client.on('error', error => console.error(error.message));
    await client.connect();
    return new Shelf(client);
  }

  constructor(client) {
    this.client = client;
  }

  /** Its number among all messages of the cluster. */
  next() {
    return this.client.incr('im:sequence');
  }

  /** In Redis before this resolves: a `to_ack` that anybody saw is a promise. */
  async put(view) {
    const text = JSON.stringify(view);
    await this.client.multi().rPush(ALL, text).hSet(pendingOf(view.to), view._id, text).exec();
  }

  async pending(user) {
    const texts = await this.client.hVals(pendingOf(user));
    return texts.map(text => JSON.parse(text)).sort((a, b) => a.sequenceId - b.sequenceId);
  }

  async delivered(user, ids) {
    if (ids.length > 0) await this.client.hDel(pendingOf(user), ids);
  }
}

const roomOf = user => `user:${user}`;

module.exports = { Shelf, roomOf };

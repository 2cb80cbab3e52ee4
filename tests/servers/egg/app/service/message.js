'use strict';

const crypto = require('node:crypto');
const { Service } = require('egg');
const { roomOf } = require('../../../lib/shelf');

const C2C = 1;
const C2G = 2;

/** One stored message: `view` is what clients get, the rest is the server's own book-keeping. */
class Stored {
  constructor(view, recipients) {
    this.view = view;
    this.pending = new Set(recipients); // no receipt yet
    this.recipients = new Set(recipients);
    this.readers = new Set();
  }
}

class MessageService extends Service {
  get stored() {
    return this.app.im.messages;
  }

  /** Stores first, acknowledges then, delivers last. */
  async send(socket, input) {
    const { push, group } = this.service;
    const { userId: from } = socket.im;
    const { to, typeu, content } = input || {};
    if (to === undefined || to === '' || content === undefined) return push.error(socket, 20002);
    if (typeu !== C2C && typeu !== C2G) return;
    if (typeu === C2G && !group.has(String(to), from)) return push.error(socket, 20003);

    if (this.app.im.shelf) return this.sendInCluster(socket, from, input);
    const message = this.store(from, input);
    push.toSocket(socket, 'CHAT_TO_ACK', message.view);
    this.deliver(socket, message);
  }

  /** One to one only: the groups of a node are its own. */
  async sendInCluster(socket, from, input) {
    const { push } = this.service;
    const { shelf } = this.app.im;
    const view = this.view(from, input, await shelf.next());
    await shelf.put(view);
    push.toRoom(roomOf(view.to), 'CHAT_MESSAGE', view);
    push.toSocket(socket, 'CHAT_TO_ACK', view);
  }

  view(from, { type, to, content, fp, typeu, time }, sequenceId) {
    const peer = String(to);
    return {
      _id: crypto.randomBytes(12).toString('hex'),
      sequenceId,
      timelineId: `${from}@${peer}`,
      type,
      from,
      to: peer,
      content,
      fp,
      typeu,
      time,
      send_time: Date.now(),
    };
  }

  store(from, input) {
    const view = this.view(from, input, this.stored.length + 1);
    const recipients = view.typeu === C2G ? [...this.service.group.membersOf(view.to)] : [view.to];
    const message = new Stored(view, recipients.filter(userId => userId !== from));
    this.service.journal.append(view);
    this.stored.push(message);
    return message;
  }

  deliver(socket, { view }) {
    const { push, presence, group } = this.service;
    if (view.typeu === C2G) return push.fromSocketToRoom(socket, group.roomOf(view.to), 'CHAT_MESSAGE', view);
    if (view.to === view.from) return;
    push.toUser(view.to, 'CHAT_MESSAGE', view);
    for (const other of presence.socketsOf(view.from)) {
      if (other !== socket) push.toSocket(other, 'CHAT_MESSAGE', view, { meta: { sync: true } });
    }
  }

  /** By `_id`; by `fp`, which need not be unique, where the client has no more than that. */
  find(input) {
    const { _id, fp } = input || {};
    if (_id) return this.stored.filter(({ view }) => view._id === _id);
    return fp ? this.stored.filter(({ view }) => view.fp === fp) : [];
  }

  async delivered(userId, list) {
    const { shelf } = this.app.im;
    if (shelf) return shelf.delivered(userId, list.map(({ _id }) => _id));
    for (const message of list.flatMap(input => this.find(input))) message.pending.delete(userId);
  }

  async undelivered(userId) {
    if (this.app.im.shelf) return this.app.im.shelf.pending(userId);
    return this.stored.filter(({ pending }) => pending.has(userId)).map(({ view }) => view);
  }

  /** A conversation in both directions, newest first, from before `messageId` if there is one. */
  history(userId, { timelineId, typeu, messageId, limit = 10 } = {}) {
    if (typeof timelineId !== 'string' || (typeu !== C2C && typeu !== C2G)) return { code: 20002 };
    const belongs = typeu === C2G ? this.inGroup(userId, timelineId) : this.inTimeline(userId, timelineId);
    if (!belongs) return { code: 20001 };

    let list = this.stored.map(({ view }) => view).filter(view => view.typeu === typeu && belongs(view));
    if (messageId) {
      const end = list.findIndex(view => view._id === messageId);
      if (end < 0) return { code: 20002 };
      list = list.slice(0, end);
    }
    return { list: list.reverse().slice(0, limit) };
  }

  inTimeline(userId, timelineId) {
    let peer;
    if (timelineId.startsWith(`${userId}@`)) peer = timelineId.slice(userId.length + 1);
    else if (timelineId.endsWith(`@${userId}`)) peer = timelineId.slice(0, -userId.length - 1);
    else return null;
    return ({ from, to }) => (from === userId && to === peer) || (from === peer && to === userId);
  }

  inGroup(userId, timelineId) {
    const groupId = timelineId.slice(timelineId.lastIndexOf('@') + 1);
    return this.service.group.has(groupId, userId) ? ({ to }) => to === groupId : null;
  }

  /** One entry per peer or group, the latest first. */
  recent(userId) {
    const conversations = new Map();
    for (const message of this.stored) {
      const { view, recipients, readers } = message;
      if (view.from !== userId && !recipients.has(userId)) continue;
      const peer = view.typeu === C2G || view.from === userId ? view.to : view.from;
      const key = `${view.typeu} ${peer}`;
      const { unread = 0 } = conversations.get(key) || {};
      conversations.delete(key); // so that it comes last
      conversations.set(key, {
        timelineId: view.timelineId,
        typeu: view.typeu,
        to: peer,
        message: view,
        unread: unread + (recipients.has(userId) && !readers.has(userId) ? 1 : 0),
      });
    }
    return [...conversations.values()].reverse();
  }

  /** The reader's side; the author hears of it now, or when he asks for `readed_message`. */
  read(userId, list) {
    const byAuthor = new Map();
    for (const { view, recipients, readers } of list.flatMap(input => this.find(input))) {
      if (!recipients.has(userId)) continue;
      readers.add(userId);
      const { _id, timelineId, typeu, fp, from } = view;
      if (!byAuthor.has(from)) byAuthor.set(from, []);
      byAuthor.get(from).push({ _id, timelineId, typeu, readed: true, fp });
    }
    for (const [author, receipts] of byAuthor) {
      if (this.service.push.toUser(author, 'CHAT_TO_READED', receipts)) continue;
      const kept = this.app.im.receipts.get(author) || [];
      this.app.im.receipts.set(author, [...kept, ...receipts]);
    }
  }

  takeReceipts(author) {
    const receipts = this.app.im.receipts.get(author) || [];
    this.app.im.receipts.delete(author);
    return receipts;
  }

  /** Only one's own message; both sides get it again as a recalled one. */
  undo(socket, input) {
    const { push, group } = this.service;
    const { userId } = socket.im;
    if (!input || !input.fp) return push.error(socket, 20002);
    const constant = this.config.im['undo-event'];
    for (const { view } of this.find({ fp: input.fp })) {
      if (view.from !== userId || view.type === 10 || view.type === 21) continue;
      view.type = view.type === 1 ? 10 : 21;
      if (view.typeu === C2G) {
        push.toRoom(group.roomOf(view.to), constant, view);
      } else {
        for (const party of new Set([view.from, view.to])) push.toUser(party, constant, view);
      }
    }
  }

  /** For the tests. */
  report() {
    return this.stored.map(({ view, pending, recipients, readers }) => ({
      ...view,
      delivered: pending.size === 0,
      readed: recipients.size > 0 && readers.size === recipients.size,
      pending: [...pending],
      readers: [...readers],
    }));
  }
}

module.exports = MessageService;

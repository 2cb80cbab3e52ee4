'use strict';

const { Controller } = require('egg');

class ChatController extends Controller {
  get socket() {
    return this.ctx.imSocket;
  }

  get input() {
    return this.ctx.args[0];
  }

  async to() {
    await this.service.message.send(this.socket, this.input);
  }

  async messageAck() {
    const { input } = this;
    const list = Array.isArray(input) ? input : input && Array.isArray(input.data) ? input.data : [input];
    await this.service.message.delivered(this.socket.im.userId, list);
  }

  async offlineMessage() {
    this.answer('CHAT_PULL_OFFLINE_MESSAGE', await this.service.message.undelivered(this.socket.im.userId));
  }

  async historyMessage() {
    const { code, list } = this.service.message.history(this.socket.im.userId, this.input);
    if (code) this.service.push.error(this.socket, code);
    else this.answer('CHAT_PULL_HISTORY_MESSAGE', list);
  }

  async recentConversation() {
    this.answer('CHAT_PULL_RECENT_CONVERSATION', this.service.message.recent(this.socket.im.userId));
  }

  async readedMessage() {
    this.answer('CHAT_TO_READED', this.service.message.takeReceipts(this.socket.im.userId));
  }

  async toReader() {
    this.service.message.read(this.socket.im.userId, [].concat(this.input));
  }

  async toTyping() {
    const { to, typeu } = this.input || {};
    if (typeu !== 1) return;
    if (!to) return this.service.push.error(this.socket, 20002);
    const from = this.socket.im.userId;
    this.service.push.toUser(String(to), 'CHAT_TO_TYPING', { timelineId: `${from}@${to}`, from });
  }

  async toUndo() {
    this.service.message.undo(this.socket, this.input);
  }

  answer(constant, payload) {
    this.service.push.toSocket(this.socket, constant, payload);
  }
}

module.exports = ChatController;

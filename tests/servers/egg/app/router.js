'use strict';

const { WIRE_NAMES } = require('../../lib/im');

module.exports = app => {
  const { router, controller, io } = app;

  const chat = io.of('/chat');
  const on = (constant, handler) => {
    chat.route(app.config.im['seed-names'] ? constant : WIRE_NAMES[constant], handler);
  };
  on('CHAT_TO', io.controller.chat.to);
  on('CHAT_MESSAGE_ACK', io.controller.chat.messageAck);
  on('CHAT_PULL_OFFLINE_MESSAGE', io.controller.chat.offlineMessage);
  on('CHAT_PULL_HISTORY_MESSAGE', io.controller.chat.historyMessage);
  on('CHAT_PULL_RECENT_CONVERSATION', io.controller.chat.recentConversation);
  on('CHAT_PULL_READED_MESSAGE', io.controller.chat.readedMessage);
  on('CHAT_TO_READED', io.controller.chat.toReader);
  on('CHAT_TO_TYPING', io.controller.chat.toTyping);
  on('CHAT_TO_UNDO', io.controller.chat.toUndo);

  io.of('/sso').route(app.config.im['seed-names'] ? 'SSO_QRLOGIN' : WIRE_NAMES.SSO_QRLOGIN, io.controller.sso.qrlogin);

  router.get('/control/stats', controller.control.stats);
  router.get('/control/messages', controller.control.messages);
  router.post('/control/qrlogin', controller.control.qrlogin);
  router.post('/control/group', controller.control.group);
  router.post('/control/sys', controller.control.sys);
  router.post('/control/emit', controller.control.emit);
  router.post('/control/error', controller.control.error);
  router.post('/control/:fault', controller.control.fault);
};
